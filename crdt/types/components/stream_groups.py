"""Consumer groups of a stream: what all regions share of a group, and what each keeps to itself.

All regions share that a group was created, with its first position, and which entries have been
acknowledged (rules STM-13, STM-17, STM-18). Consumers, pending entries and the positions up to
which entries were delivered belong to one region. They are neither sent nor part of a state (rules
STM-20 to STM-22).

A position is kept for each origin, as the sequence number of its latest entry that was delivered.
An origin's entries ascend, so no entry is skipped that arrives later with a smaller id than those
delivered before (rule STM-10). Acknowledgements are shared in the same form: all entries of an
origin up to a sequence number.
"""

from __future__ import annotations

from typing import Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, Vector, covers, join_dots
from crdt.structures.entry_tree import EntryTree, Place
from crdt.types.components.pending_entries import Consumer, PendingEntries, PendingEntry, StreamId

Mark = tuple[int, int, int]
"""The sequence number of an origin's effect, and an id."""
Start = tuple[int, int, int]
"""The id behind which a group begins to read, and how many entries were read before, or -1."""

ID_PART_MAX: Final = (1 << 64) - 1
ID_MAX: Final[StreamId] = (ID_PART_MAX, ID_PART_MAX)
ID_MIN: Final[StreamId] = (0, 0)
UNKNOWN: Final = -1
"""The number of entries that were read, if it is not known."""


class Group:
    """A consumer group."""

    __slots__ = (
        "ack_horizon",
        "acked",
        "consumers",
        "creates",
        "entries_read",
        "floor",
        "last_id",
        "pending",
        "positions",
    )

    def __init__(self) -> None:
        self.creates: dict[Dot, Start] = {}
        """The effects that created the group, of which concurrent ones stay."""
        self.acked: dict[Origin, Mark] = {}
        """The latest entry of each origin up to which all were acknowledged somewhere."""
        self.floor: StreamId = ID_MIN
        """Entries up to this id are not delivered here."""
        self.positions: dict[Origin, Mark] = {}
        """The latest entry of each origin up to which all were delivered here."""
        self.last_id: StreamId = ID_MIN
        """The greatest id that was delivered here."""
        self.entries_read: int = UNKNOWN
        self.pending: PendingEntries = PendingEntries()
        """All pending entries."""
        self.ack_horizon: StreamId = ID_MIN
        """The lowest pending id up to which everything that is acknowledged was sent; `ID_MIN` if
        it is not known."""
        self.consumers: dict[bytes, Consumer] = {}

    # -- what all regions share ------------------------------------------------------------

    def start(self) -> Start:
        """Return the position at which the group begins. Of concurrent ones the lowest counts, so
        that nothing is skipped."""
        return min(self.creates.values())

    def add_create(self, dot: Dot, start: Start) -> None:
        """Add an effect that created the group."""
        is_untouched = not self.creates or (
            not self.positions and self.floor == self.start()[:2] == self.last_id
        )
        self.creates[dot] = start
        if is_untouched:
            self.begin_at_start()

    def begin_at_start(self) -> None:
        """Deliver what was not acknowledged anywhere from now on."""
        start = self.start()
        self.floor = self.last_id = start[:2]
        self.entries_read = start[2]
        self.positions = {}
        for origin, mark in self.acked.items():
            self.advance(origin, mark)

    def note_ack(self, dot: Dot, last: StreamId) -> None:
        """Record that all entries of an origin up to `dot` were acknowledged (rule STM-19)."""
        origin, seq = dot >> SEQ_BITS, dot & SEQ_MAX
        mark = (seq, last[0], last[1])
        held = self.acked.get(origin)
        if held is None or held[0] < seq:
            self.acked[origin] = mark
            self.advance(origin, mark)

    def advance(self, origin: Origin, mark: Mark) -> None:
        """Deliver no entries of an origin up to `mark`, which were acknowledged elsewhere."""
        held = self.positions.get(origin)
        if held is None or held[0] < mark[0]:
            self.positions[origin] = mark
            self.last_id = max(self.last_id, mark[1:])
            self.entries_read = UNKNOWN

    def drop_creates(self, kept: dict[Dot, Start]) -> bool:
        """Keep these effects that created the group. Return whether there are any."""
        self.creates = kept
        return len(kept) > 0

    def merge(self, other: Group, mine: Vector, theirs: Vector) -> bool:
        """Merge the shared part of another copy. Return whether the group still exists."""
        kept = join_dots(self.creates, other.creates, mine, theirs)
        for dot, start in kept.items():
            if dot not in self.creates:
                self.add_create(dot, start)
        for origin, mark in other.acked.items():
            self.note_ack(origin << SEQ_BITS | mark[0], mark[1:])
        return self.drop_creates(kept)

    # -- what belongs to this region -------------------------------------------------------

    def next_place(self, tree: EntryTree) -> Place:
        """Return the place of an origin's next entry to be delivered."""
        place = (0, 0)
        if self.floor != ID_MIN:
            place = after_id(tree, self.floor)
        held = self.positions.get(tree.origin)
        return place if held is None else max(place, tree.after_seq(held[0]))

    def set_position(self, last: StreamId, entries_read: int) -> None:
        """XGROUP SETID: deliver the entries behind `last` from now on (rule STM-22)."""
        self.floor = self.last_id = last
        self.positions = {}
        self.entries_read = entries_read

    def consumer(self, name: bytes, now: int) -> Consumer:
        """Return a consumer, which is created if it is new (rule STM-20)."""
        found = self.consumers.get(name)
        if found is None:
            found = self.consumers[name] = Consumer(name, now)
        return found

    def deliver(self, last: StreamId, consumer: Consumer, now: int) -> None:
        """Make an entry pending for a consumer, also if it was pending for another one."""
        held = self.pending.get(last)
        if held is None:
            held = PendingEntry(consumer, now)
            self.pending.put(last, held)
        else:
            held.consumer.pending.pop(last)
            held.consumer = consumer
            held.delivered_ms = now
            held.count = 1
        consumer.pending.put(last, held)

    def drop_pending(self, last: StreamId) -> bool:
        """Remove a pending entry. Return whether there was one."""
        held = self.pending.pop(last)
        if held is None:
            return False
        held.consumer.pending.pop(last)
        return True

    def drop_consumer(self, name: bytes) -> int:
        """Remove a consumer with its pending entries. Return their number."""
        consumer = self.consumers.pop(name, None)
        if consumer is None:
            return 0
        for last in consumer.pending.by_id:
            self.pending.pop(last)
        return len(consumer.pending)

    def holds_back(self, last: StreamId) -> bool:
        """Return whether an acknowledgement of `last` cannot be sent yet, nor any other, since an
        entry before it was pending when the latest ones were sent, and still is."""
        return (
            len(self.pending) > 0
            and self.pending.first() == self.ack_horizon
            and last > self.ack_horizon
        )

    def ack_frontier(self, trees: dict[Origin, EntryTree]) -> list[tuple[Dot, int, int]]:
        """Return the entries up to which all were acknowledged and not all regions know it, as
        origins' dots and ids (rule STM-18).

        An entry that is pending, or was not delivered yet, holds back all entries with greater ids,
        also those of other origins. O(origins * log n).
        """
        horizon: StreamId = ID_MAX
        self.ack_horizon = ID_MIN
        if len(self.pending):
            horizon = self.ack_horizon = self.pending.first()
        for tree in trees.values():
            place = self.next_place(tree)
            if not tree.is_at_end(place):
                undelivered = tree.at(place)[:2]
                if undelivered < horizon:
                    horizon = undelivered
                    self.ack_horizon = ID_MIN
        found: list[tuple[Dot, int, int]] = []
        for origin in sorted(self.positions):
            mark: Mark | None = self.positions[origin]
            assert mark is not None
            if mark[1:] >= horizon:
                tree_or_none = trees.get(origin)
                mark = None if tree_or_none is None else mark_before(tree_or_none, horizon)
            acked = self.acked.get(origin)
            if mark is not None and (acked is None or acked[0] < mark[0]):
                found.append((origin << SEQ_BITS | mark[0], mark[1], mark[2]))
        return found


def after_id(tree: EntryTree, last: StreamId) -> Place:
    """Return the place of the first entry whose id is greater than `last`."""
    if last[1] < ID_PART_MAX:
        return tree.lower_bound(last[0], last[1] + 1)
    return tree.lower_bound(last[0] + 1, 0) if last[0] < ID_PART_MAX else tree.end()


def mark_before(tree: EntryTree, horizon: StreamId) -> Mark | None:
    """Return the last entry whose id is below `horizon`; None if there is none."""
    entry = tree.before(tree.lower_bound(horizon[0], horizon[1]))
    return None if entry is None else (entry[2] & SEQ_MAX, entry[0], entry[1])


def are_shared(group: Group, vector: Vector) -> bool:
    """Return whether `vector` covers all dots of the shared part of a group."""
    for dot in group.creates:
        if not covers(vector, dot):
            return False
    for origin, mark in group.acked.items():
        if vector.get(origin, 0) < mark[0]:
            return False
    return True
