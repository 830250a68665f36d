"""The operations that a replica has applied lately, encoded, in the order in which it applied them.

That order respects causality, so whoever applies what `since` returns, in order, is never kept
waiting. The history is bounded in bytes; of what was dropped only the highest sequence number of
each origin is remembered, which tells who can still be helped and who needs a snapshot (rule
ORD-10 and section 11.2 of the specification: the backlog).
"""

from __future__ import annotations

from typing import Final

from crdt.dots import Origin, Vector
from crdt.errors import HistoryTruncated
from crdt.op import Op

HISTORY_BYTES: Final = 1 << 20  # the least backlog that the 1 % rule allows
ENTRY_BYTES: Final = 200  # what an operation costs in memory besides its encoding


class History:
    """A backlog. Positions count all operations ever appended."""

    __slots__ = ("bytes", "floor", "head", "limit", "ops", "start")

    def __init__(self, limit: int = HISTORY_BYTES) -> None:
        self.limit = limit
        self.bytes = 0
        self.floor: Vector = {}
        self.ops: list[Op] = []
        self.head = 0  #   index in `ops` of the oldest operation kept
        self.start = 0  #  its position

    @property
    def stop(self) -> int:
        """The position that the next operation will get."""
        return self.start + len(self.ops) - self.head

    def append(self, op: Op) -> None:
        """Keep one more operation, drop old ones beyond the limit. Amortised O(1)."""
        self.ops.append(op)
        self.bytes += len(op.to_bytes()) + ENTRY_BYTES
        while self.bytes > self.limit and len(self.ops) - self.head > 1:
            self.drop_oldest()

    def drop_oldest(self) -> None:
        """Forget the oldest operation."""
        op = self.ops[self.head]
        self.head += 1
        self.start += 1
        self.bytes -= len(op.to_bytes()) + ENTRY_BYTES
        if self.floor.get(op.origin, 0) < op.last:
            self.floor[op.origin] = op.last
        if self.head > 1024 and self.head * 2 > len(self.ops):
            del self.ops[: self.head]
            self.head = 0

    def restart(self, vector: Vector) -> None:
        """A snapshot brought the replica to `vector` without the operations in between."""
        while self.head < len(self.ops):
            self.drop_oldest()
        self.floor = dict(vector)

    def reaches(self, vector: Vector) -> bool:
        """Whether somebody at `vector` can be brought up to date from here."""
        for origin, seq in self.floor.items():
            if vector.get(origin, 0) < seq:
                return False
        return True

    def since(self, vector: Vector) -> list[Op]:
        """What somebody at `vector` lacks, in an order that respects causality. O(backlog).

        Raises HistoryTruncated if some of it is no longer kept.
        """
        for origin, seq in self.floor.items():
            if vector.get(origin, 0) < seq:
                raise HistoryTruncated(origin, vector.get(origin, 0) + 1, seq + 1)
        return [op for op in self.ops[self.head :] if op.last > vector.get(op.origin, 0)]

    def of(self, origin: Origin, after: int) -> list[Op]:
        """The operations of one origin after its effect `after`, as far as they are kept."""
        if self.floor.get(origin, 0) > after:
            return []
        return [op for op in self.ops[self.head :] if op.origin == origin and op.last > after]

    def read(self, position: int) -> list[Op]:
        """The operations from `position` on; positions before `start` are no longer kept."""
        index = self.head + max(0, position - self.start)
        return self.ops[index:]
