"""The backlog: the latest operations of a replica, encoded, in the order in which it applied them.

That order is causal, so a peer that applies the result of `since` in order never has to buffer. The
log is bounded in bytes. Of dropped operations only the highest sequence number of each origin is
kept. It decides whether a peer can resume or needs a snapshot (rule ORD-10 and section 11.2 of the
specification).

Peers that are connected may need more than the bound allows: `pinned_from` returns the position
from which on they have not been sent anything. What they need is kept up to a second bound,
`pinned_limit`.

Encoded operations take a tenth of the memory of decoded ones, so only those are kept. Links read
them by position and send the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from crdt.causality.dots import Origin, Vector
from crdt.causality.kept_ops import Kept, KeptOps
from crdt.causality.op import Op
from crdt.causality.op_pieces import joined
from crdt.errors import DecodeError, HistoryTruncated

HISTORY_BYTES: Final = 1 << 20  # the least backlog that the 1 % rule allows
ENTRY_BYTES: Final = 300  # what an operation costs in memory besides its encoding
DROPS_MAX: Final = 4096
"""The operations that one call drops at most: some two milliseconds."""
NOTHING_PINNED: Final = 1 << 62
"""The position that `pinned_from` returns if no peer needs anything."""


def nothing_pinned() -> int:
    """Return the position that no operation reaches: no peer is connected."""
    return NOTHING_PINNED


class OpLog:
    """A backlog. Positions count all operations ever appended."""

    __slots__ = (
        "appended_bytes",
        "bytes",
        "ceiling",
        "floor",
        "jumps",
        "last",
        "limit",
        "ops",
        "pinned_from",
        "pinned_limit",
        "start",
        "state_is_unjournaled",
        "unjournaled",
        "wanted_limit",
    )

    def __init__(self, limit: int = HISTORY_BYTES) -> None:
        self.limit: int = limit
        self.wanted_limit: int = limit
        """The limit if there were no ceiling."""
        self.ceiling: int | None = None
        """The highest limit that is allowed, in bytes."""
        self.pinned_limit: int = 0
        """The bytes that are kept at most for peers that are connected."""
        self.pinned_from: Callable[[], int] = nothing_pinned
        """Returns the position of the oldest operation that a connected peer has to be sent."""
        self.bytes: int = 0
        self.appended_bytes: int = 0
        """The bytes of all operations ever appended."""
        self.floor: Vector = {}  # what is no longer kept, or never was
        self.last: Vector = {}  #  the latest that was appended, of each origin
        self.ops: KeptOps = KeptOps()
        self.start: int = 0  #  the position of the oldest operation kept
        self.jumps: int = 0  #  how often the floor rose with a snapshot
        self.unjournaled: list[bytes] | None = None
        """The operations that a journal has to append, encoded; None if there is no journal."""
        self.state_is_unjournaled: bool = False
        """True if a journal has to append the whole state, as operations do not lead to it."""

    # -- for a journal ---------------------------------------------------------------------

    def begin_journal(self) -> None:
        """Collect each change from now on, for a journal that holds all earlier ones."""
        self.unjournaled = []
        self.state_is_unjournaled = False

    def end_journal(self) -> None:
        """Collect no more changes."""
        self.unjournaled = None
        self.state_is_unjournaled = False

    def unjournaled_ops(self) -> list[bytes]:
        """Return the operations that a journal has to append, encoded, in order."""
        return [] if self.unjournaled is None else list(self.unjournaled)

    def needs_state_journaled(self) -> bool:
        """Return whether a journal has to append the whole state, because a snapshot was merged or
        all data was deleted. `unjournaled_ops` is empty then: the state includes them."""
        return self.state_is_unjournaled

    def is_journaled(self) -> bool:
        """Return whether a journal has nothing to append."""
        return not self.unjournaled and not self.state_is_unjournaled

    def record_journaled_ops(self, count: int) -> None:
        """Drop the first `count` of `unjournaled_ops`: the journal has appended them."""
        if self.unjournaled is not None:
            del self.unjournaled[:count]

    def record_journaled_state(self) -> None:
        """Record that the journal has appended the state as it is now."""
        self.state_is_unjournaled = False

    def replace_unjournaled(self) -> None:
        """Let the journal append the whole state instead of operations."""
        if self.unjournaled is not None:
            self.unjournaled.clear()
            self.state_is_unjournaled = True

    # -- what is kept ----------------------------------------------------------------------

    @property
    def stop(self) -> int:
        """The position that the next operation will get."""
        return self.start + len(self.ops)

    def append(self, op: Op) -> None:
        """Keep one more operation, drop old ones beyond the limit. Amortised O(1)."""
        data = op.data()  # a MemoryError comes here, before anything has changed
        self.ops.append((op.origin, op.first, op.last, data))
        if self.unjournaled is not None and not self.state_is_unjournaled:
            self.unjournaled.append(joined(data))
        self.last[op.origin] = op.last
        self.bytes += len(data) + ENTRY_BYTES
        self.appended_bytes += len(data) + ENTRY_BYTES
        if self.bytes > self.limit:
            self.trim()

    def pin(self, limit: int, pinned_from: Callable[[], int]) -> None:
        """Keep up to `limit` bytes for peers that are connected. `pinned_from` returns the position
        of the oldest operation that one of them has to be sent, or NOTHING_PINNED."""
        self.pinned_limit = limit
        self.pinned_from = pinned_from

    def total_bytes(self) -> int:
        """Return the bytes of all operations ever appended."""
        return self.appended_bytes

    def most_bytes(self) -> int:
        """Return the number of bytes above which nothing is kept for anybody."""
        return max(self.limit, self.pinned_limit)

    def trim(self) -> None:
        """Drop old operations beyond the limit, except those that a connected peer needs. Drops
        `DROPS_MAX` at most, so after a change of the limit there may be more to drop."""
        pinned = self.pinned_from() if self.pinned_limit else NOTHING_PINNED
        left = DROPS_MAX
        while self.bytes > self.limit and len(self.ops) > 1 and left:
            if self.start >= pinned and self.bytes <= self.pinned_limit:
                return
            self.drop_oldest()
            left -= 1

    def drop_oldest(self) -> None:
        """Forget the oldest operation."""
        origin, _, last, data = self.ops.drop_first()
        self.start += 1
        self.bytes -= len(data) + ENTRY_BYTES
        if self.floor.get(origin, 0) < last:
            self.floor[origin] = last

    def jump(self, before: Vector, after: Vector) -> None:
        """Record that a snapshot brought the replica from `before` to `after` without operations.
        The operations of origins that it did not advance remain valid."""
        for origin, seq in after.items():
            if before.get(origin, 0) < seq:
                self.floor[origin] = self.last[origin] = seq
        self.jumps += 1
        self.replace_unjournaled()

    def restore(self, floor: Vector, vector: Vector, ops: Iterable[Op]) -> None:
        """Become the history of a replica at `vector` that keeps `ops`, and nothing up to `floor`.

        Raises DecodeError if the two do not reach `vector`.
        """
        self.floor = dict(floor)
        self.last = dict(floor)
        for op in ops:
            self.append(op)
        for origin, seq in floor.items():  # a snapshot may have raised the floor above kept ops
            if self.last[origin] < seq:
                self.last[origin] = seq
        if self.last != vector:
            raise DecodeError("the history of a saved replica does not reach its vector")

    def resize(self, limit: int) -> None:
        """Keep at most `limit` bytes, from the next operation on, or as many as the ceiling allows
        if that is less."""
        self.wanted_limit = limit
        self.limit = limit if self.ceiling is None else min(limit, self.ceiling)

    def cap(self, ceiling: int | None) -> None:
        """Let no limit be higher than `ceiling`, in bytes. None removes the ceiling, and the limit
        is again the one that `resize` was given."""
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self.resize(self.wanted_limit)

    def forget(self, vector: Vector) -> None:
        """Keep nothing, and begin again at `vector`."""
        self.start = self.stop
        self.ops = KeptOps()
        self.bytes = 0
        self.floor = dict(vector)
        self.last = dict(vector)
        self.jumps += 1
        self.replace_unjournaled()

    def reaches(self, vector: Vector) -> bool:
        """Return whether the log holds everything that a replica at `vector` lacks."""
        for origin, seq in self.floor.items():
            if vector.get(origin, 0) < seq:
                return False
        return True

    def since(self, vector: Vector) -> list[Op]:
        """Return what a replica at `vector` lacks, in causal order. O(backlog).

        Raises HistoryTruncated if some of it is no longer kept.
        """
        for origin, seq in self.floor.items():
            if vector.get(origin, 0) < seq:
                raise HistoryTruncated(origin, vector.get(origin, 0) + 1, seq + 1)
        return [
            Op.from_bytes(joined(data))
            for origin, _, last, data in self.ops.each()
            if last > vector.get(origin, 0)
        ]

    def ending_at(self, origin: Origin, seq: int) -> bytes:
        """Return the operation kept that ends with an effect, encoded, or nothing."""
        return joined(self.ops.ending_at(origin, seq))

    def indexed_count(self) -> int:
        """Return the number of operations that `ending_at` can find: no more than are kept."""
        return self.ops.count_ends()

    def overlapping(self, origin: Origin, first: int, last: int) -> list[Op]:
        """Return what is kept of an origin's effects `first` to `last`. O(backlog), unless
        nothing is kept of them."""
        if self.floor.get(origin, 0) >= last or self.last.get(origin, 0) < first:
            return []
        return [
            Op.from_bytes(joined(data))
            for kept, begin, end, data in self.ops.each()
            if kept == origin and begin <= last and end >= first
        ]

    def locate(self, vector: Vector, wants: Callable[[Origin], bool]) -> int:
        """Return the position of the oldest operation, of the origins that `wants` accepts, that a
        peer at `vector` lacks. O(operations after it)."""
        lacking = {o for o, seq in self.last.items() if seq > vector.get(o, 0) and wants(o)}
        index = len(self.ops)
        while lacking and index > 0:
            index -= 1
            origin, first, _, _ = self.ops.at(index)
            if origin in lacking and first <= vector.get(origin, 0) + 1:
                lacking.discard(origin)
        return self.start + index

    def read(self, position: int, count: int) -> list[tuple[Origin, int, int, bytes]]:
        """Return at most `count` operations from `position` on. `position` must not be before
        `start`. Large operations are joined."""
        return [
            (origin, first, last, joined(data))
            for origin, first, last, data in self.each(position, count)
        ]

    def each(self, position: int, count: int) -> Iterator[Kept]:
        """Iterate over at most `count` operations from `position` on, as they are kept. `position`
        must not be before `start`. The log must not change meanwhile."""
        assert position >= self.start
        index = position - self.start
        return self.ops.each(index, index + count)
