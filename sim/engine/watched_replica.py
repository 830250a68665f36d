"""A production replica that reports each operation that it makes, whatever makes it seal."""

from __future__ import annotations

from collections.abc import Callable

from crdt.causality.op import Op
from crdt.embed.replica import Replica


class WatchedReplica(Replica):
    """A replica with a callback. It behaves like `Replica` in every other respect."""

    on_sealed: Callable[[list[Op]], None] | None = None
    """Called with the operations into which the outbox was sealed, immediately afterwards."""

    def watch_seals(self, on_sealed: Callable[[list[Op]], None]) -> None:
        """Call `on_sealed` from now on."""
        self.on_sealed = on_sealed

    def seal_parts(self, op: Op) -> list[Op]:
        parts = super().seal_parts(op)
        if self.on_sealed is not None:
            self.on_sealed(parts)
        return parts
