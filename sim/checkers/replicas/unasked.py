"""What a region writes although no client has just asked it to: deletions of what has expired, what
is forgotten, and what clients are served with who wait.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdt.causality.dots import Vector
from crdt.causality.effect import Effect
from crdt.causality.op import Op
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory


class UnaskedChecker(Checker):
    """A checker that looks at each effect of an operation that no client has asked for."""

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.is_asked = False
        """Whether a client has asked for the operation that is made next."""

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        self.is_asked = bool(region.replica.keyspace.outbox)

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        was_asked, self.is_asked = self.is_asked, False
        if not was_asked:
            for effect in Op.from_bytes(entry.data).effects:
                self.on_unasked_op(region, effect)

    def on_unasked_op(self, region: Watched, effect: Effect) -> None:
        """Look at an effect that no client has asked for."""
        raise NotImplementedError
