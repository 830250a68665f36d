"""The entries and groups of a stream, and all that only reads them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import SEQ_MAX, Dot, Origin, make_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import SUM_MAX
from crdt.structures.entry_tree import (
    ENTRIES_MAX,
    DroppedBlocks,
    Entry,
    EntryBlock,
    EntryTree,
    Place,
)
from crdt.structures.packed_texts import unpack_texts
from crdt.types.base import Value
from crdt.types.components.stream_groups import (
    ID_MAX,
    ID_MIN,
    Group,
    Mark,
    StreamId,
    after_id,
)

STREAM: Final = 11
"""The code of the type."""
Header = tuple[int, int, int, int]
"""The sequence number of the latest effect of an origin that added an entry, the greatest id that
it had seen then, and the number of entries that it has added to the stream."""
Graves = dict[bytes, tuple[Dot, ...]]
"""The removals of groups that are not stable, by the group's name."""


class StreamContent(Value):
    """Entries by origin, consumer groups, and what is remembered of removals."""

    __slots__ = (
        "block_max",
        "deletes",
        "dropped",
        "ends",
        "graves",
        "groups",
        "headers",
        "marks",
        "size",
        "trees",
    )

    def __init__(self, block_max: int = ENTRIES_MAX) -> None:
        self.block_max: int = block_max
        self.trees: dict[Origin, EntryTree] = {}
        """The entries by the origin that added them (rule STM-1). No tree is empty."""
        self.size: int = 0
        """The number of entries."""
        self.headers: dict[Origin, Header] = {}
        """A stream without entries and groups exists while it has a header (D-12)."""
        self.marks: dict[Origin, Mark] = {}
        """The greatest id that was deleted, as each origin saw it when it last deleted one."""
        self.groups: dict[bytes, Group] = {}
        self.deletes: tuple[Dot, ...] = ()
        """The removals of the whole stream that are not stable. They beat concurrent changes of
        all groups (rule STM-14)."""
        self.ends: tuple[Dot, ...] = ()
        """The removals of the last group of an empty stream that are not stable."""
        self.graves: Graves = {}
        self.dropped: list[EntryBlock] = []
        """Many entries that were removed all together, until `take_dropped`."""

    def code(self) -> int:
        return STREAM

    def is_live(self) -> bool:
        return self.size > 0 or len(self.headers) > 0 or len(self.groups) > 0

    def is_empty(self) -> bool:
        return not (self.is_live() or self.marks or self.deletes or self.ends or self.graves)

    def min_dot(self) -> Dot:
        dots = [tree.at((0, 0))[2] for tree in self.trees.values()]
        dots += [make_dot(origin, header[0]) for origin, header in self.headers.items()]
        dots += [dot for group in self.groups.values() for dot in group.creates]
        return min(dots, default=0)

    def resets(self) -> object:
        # A removal that carries this has seen a stream, so it beats what is concurrent with it.
        return ()

    def count_items(self) -> int:
        return self.size

    def take_content(self) -> DroppedBlocks | None:
        blocks = [block for tree in self.trees.values() for block in tree.blocks]
        return DroppedBlocks(blocks) if len(blocks) > 1 else None

    def take_dropped(self) -> DroppedBlocks | None:
        if not self.dropped:
            return None
        dropped, self.dropped = self.dropped, []
        return DroppedBlocks(dropped)

    # -- entries ---------------------------------------------------------------------------

    def length(self) -> int:
        """Return the number of entries of all origins (rule STM-12)."""
        return self.size

    def last_id(self) -> StreamId:
        """Return the greatest id that was ever given to an entry, or set by XSETID."""
        ms = minor = 0
        for header in self.headers.values():
            if header[1] > ms or (header[1] == ms and header[2] > minor):
                ms, minor = header[1], header[2]
        return ms, minor

    def entries_added(self) -> int:
        """Return the number of entries that were ever added, or the number that XSETID set. It
        counts what an origin added since a removal has last seen all of that. The number is at
        least 0 and has 63 bits, as in Redis."""
        return max(0, min(sum([header[3] for header in self.headers.values()]), SUM_MAX))

    def max_deleted_id(self) -> StreamId:
        """Return the greatest id that XDEL has removed, or that XSETID set."""
        found = ID_MIN
        for mark in self.marks.values():
            if mark[1:] > found:
                found = mark[1:]
        return found

    def forward(self, start: StreamId = ID_MIN, stop: StreamId = ID_MAX) -> Iterator[Entry]:
        """Yield the entries with `start` <= id <= `stop`, the lowest id first. Equal ids of several
        origins are several entries (rule STM-7). The stream must not change meanwhile."""
        places = {o: tree.lower_bound(start[0], start[1]) for o, tree in self.trees.items()}
        return self.from_places(places, stop)

    def from_places(self, places: dict[Origin, Place], stop: StreamId = ID_MAX) -> Iterator[Entry]:
        """Yield the entries of all origins from their places on, up to the id `stop`."""
        trees = [self.trees[origin].forward(place) for origin, place in places.items()]
        entries = trees[0] if len(trees) == 1 else heapq.merge(*trees)
        for entry in entries:
            if entry[0] > stop[0] or (entry[0] == stop[0] and entry[1] > stop[1]):
                return
            yield entry

    def backward(self, start: StreamId = ID_MIN, stop: StreamId = ID_MAX) -> Iterator[Entry]:
        """Yield the entries with `start` <= id <= `stop`, the greatest id first."""
        trees = [tree.backward(after_id(tree, stop)) for tree in self.trees.values()]
        entries = trees[0] if len(trees) == 1 else heapq.merge(*trees, reverse=True)
        for entry in entries:
            if entry[0] < start[0] or (entry[0] == start[0] and entry[1] < start[1]):
                return
            yield entry

    def at_id(self, last: StreamId) -> list[Entry]:
        """Return the entries with an id: none, one, or one of each of several origins."""
        found: list[Entry] = []
        for tree in self.trees.values():
            place = tree.lower_bound(last[0], last[1])
            if tree.holds(place, last[0], last[1]):
                found.append(tree.at(place))
        found.sort()
        return found

    def rank(self, bound: StreamId) -> int:
        """Return the number of entries whose id is below `bound`. O(blocks)."""
        trees = self.trees.values()
        return sum([tree.rank(tree.lower_bound(bound[0], bound[1])) for tree in trees])

    def count_between(self, start: StreamId, stop: StreamId) -> int:
        """Return the number of entries with `start` <= id <= `stop`. O(blocks)."""
        behind = sum([tree.rank(after_id(tree, stop)) for tree in self.trees.values()])
        return max(0, behind - self.rank(start))

    def first_entry(self) -> Entry | None:
        """Return the entry with the lowest id."""
        return min([tree.at((0, 0)) for tree in self.trees.values()], default=None)

    def last_entry(self) -> Entry | None:
        """Return the entry with the greatest id."""
        return max([tree.last() for tree in self.trees.values()], default=None)

    def behind(self, last: StreamId) -> dict[Origin, Place]:
        """Return the places of the entries behind an id, by origin."""
        found: dict[Origin, Place] = {}
        for origin, tree in self.trees.items():
            place = after_id(tree, last)
            if not tree.is_at_end(place):
                found[origin] = place
        return found

    def count_from(self, places: dict[Origin, Place]) -> int:
        """Return the number of entries from some places on. O(blocks)."""
        return sum([self.trees[o].size - self.trees[o].rank(p) for o, p in places.items()])

    def undelivered(self, group: Group) -> dict[Origin, Place]:
        """Return the places of the entries that a group delivers next, by origin (STM-10)."""
        found: dict[Origin, Place] = {}
        for origin, tree in self.trees.items():
            place = group.next_place(tree)
            if not tree.is_at_end(place):
                found[origin] = place
        return found

    def group(self, name: bytes) -> Group | None:
        """Return a group, None if it does not exist."""
        return self.groups.get(name)

    def named_groups(self) -> list[tuple[bytes, Group]]:
        """Return all groups with their names, in the order of these."""
        return sorted(self.groups.items())

    def block_count(self) -> int:
        """Return the number of blocks that hold the entries."""
        return sum([len(tree.blocks) for tree in self.trees.values()])

    # -- what readers see ------------------------------------------------------------------

    def visible(self) -> object:
        entries = [
            (b"%d-%d" % (ms, minor), *unpack_texts(content))
            for ms, minor, _, content in self.forward()
        ]
        return entries, self.shared_groups(), [self.last_id(), self.max_deleted_id()]

    def shared_groups(self) -> list[tuple[Any, ...]]:
        """Return the groups by name, each with what all regions share of it."""
        return [
            (name, group.start(), *sorted(mark[1:] for mark in group.acked.values()))
            for name, group in self.named_groups()
        ]

    def visible_part(self, effect: Effect) -> object:
        return self.change_mark()

    def change_mark(self) -> object:
        groups = [(n, tuple(g.creates), tuple(g.acked.values())) for n, g in self.groups.items()]
        return self.size, tuple(self.headers.values()), tuple(self.marks.values()), groups

    def siblings(self) -> list[tuple[Dot, object]]:
        return [
            (dot, (b"%d-%d" % (ms, minor), *unpack_texts(content)))
            for ms, minor, dot, content in self.forward()
        ]

    def check(self) -> None:
        """Assert the invariants of the entries."""
        for origin, tree in self.trees.items():
            assert tree.origin == origin
            assert tree.size > 0
            tree.check()
        assert self.size == sum([tree.size for tree in self.trees.values()])


def observed_seq(observed: Observed, origin: Origin) -> int:
    """Return the sequence number of an origin's latest effect that was observed."""
    if observed.is_local:
        return SEQ_MAX
    return observed.seq - 1 if origin == observed.origin else observed.vector.get(origin, 0)
