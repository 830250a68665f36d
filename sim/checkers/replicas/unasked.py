"""Effects that a region makes without a client's command.

They are deletions of expired keys, forgotten metadata, and the effects of serving blocked clients.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdt.causality.dots import Origin, Vector
from crdt.causality.effect import Effect
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker
from sim.nodes.run_history import RunHistory


class UnaskedChecker(FrameChecker):
    """A checker of the effects that no command has caused."""

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.asked: dict[Origin, int] = {}
        """The last effect of each origin that a command has caused."""

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        db = region.replica.keyspace
        if db.seq != before.get(db.origin, 0):
            self.asked[db.origin] = db.seq

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        asked = self.asked.get(region.replica.origin, 0)
        for seq, effect in enumerate(effects, first):
            if seq > asked:
                self.on_unasked_op(region, effect)

    def on_unasked_op(self, region: Watched, effect: Effect) -> None:
        """Check an effect that no command has caused. Subclasses define this."""
        raise NotImplementedError
