"""Collections of named things: what sets, hashes and sorted sets have in common.

A small collection is one dictionary. A collection of more than `LIMITS.small_max` names moves to a
`Table`, which grows in small steps, and stays there until it is emptied (see `LargeContent`). A
large collection also keeps, for each origin, an upper bound of its dots. So a removal that has
observed all of them need not look at each.

Small collections get an order for sampling and another one for scans when they are first asked for.
A table has orders of its own. A scan that began on a small collection goes on in the table.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from typing import Any, Final, cast

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Vector, covers
from crdt.causality.observed import Observed
from crdt.structures.sample_order import Order
from crdt.structures.scan_order import ScanOrder
from crdt.structures.table import PART_MAX, Table
from crdt.types.base import Value
from crdt.types.definition import OriginNames

SLICE_NAMES: Final = 1000
"""The number of names in a slice of work, which takes one to two milliseconds."""
SLICE_BLOCKS: Final = 10


class CollectionLimits:
    """The sizes at which collections are divided. Tests make them small."""

    __slots__ = ("part_max", "slice_names", "small_max")

    def __init__(self) -> None:
        self.small_max: int = PART_MAX
        """The number of names above which a collection is large."""
        self.part_max: int = PART_MAX
        """The number of names in one part of a large collection."""
        self.slice_names: int = SLICE_NAMES
        """The number of names that one slice of a merge visits."""


LIMITS: Final = CollectionLimits()


class DroppedNames:
    """Removed content that is still to be freed, a slice at a time."""

    __slots__ = ("blocks", "table")

    def __init__(self, table: Table, blocks: list[list[bytes]]) -> None:
        self.table: Table = table
        self.blocks: list[list[bytes]] = blocks
        """Lists that hold the names too."""

    def free_slice(self) -> bool:
        """Free some of the content. Return whether there is more."""
        if self.blocks:
            del self.blocks[-SLICE_BLOCKS:]
        else:
            self.table.pop_part()
        return len(self.blocks) > 0 or len(self.table) > 0


class LargeContent:
    """The content of a large collection."""

    __slots__ = ("_origin", "_seq", "bounds", "counted", "dropped", "table")

    def __init__(self) -> None:
        self.table: Table = Table(LIMITS.part_max)
        self.bounds: Vector = {}
        self._origin: int = 0
        self._seq: int = 0
        self.counted: set[bytes] = set()
        """The names of things that have increments, and of some that had."""
        self.dropped: DroppedNames | None = None
        """The removed content, until `take_dropped`."""

    def note_dot(self, dot: Dot) -> None:
        """Let the upper bounds cover `dot`."""
        origin, seq = dot >> SEQ_BITS, dot & SEQ_MAX
        if origin != self._origin:
            if self._seq:
                self.bounds[self._origin] = self._seq
            self._origin, self._seq = origin, self.bounds.get(origin, 0)
        if seq > self._seq:
            self._seq = seq

    def limits(self) -> Vector:
        """Return the upper bounds: a vector that covers all dots in the content."""
        if self._seq:
            self.bounds[self._origin] = self._seq
        return self.bounds

    def is_observed(self, observed: Observed) -> bool:
        """Return whether `observed` covers all dots in the content. O(origins)."""
        for origin, seq in self.limits().items():
            if not observed.covers(origin << SEQ_BITS | seq):
                return False
        return True

    def is_covered(self, vector: Vector) -> bool:
        """Return whether `vector` covers all dots in the content. O(origins)."""
        for origin, seq in self.limits().items():
            if not covers(vector, origin << SEQ_BITS | seq):
                return False
        return True

    def rename(self, names: OriginNames) -> None:
        """Rename the origins of the dots."""
        limits, self._seq = self.limits(), 0
        self.bounds = {names.origin(origin): seq for origin, seq in limits.items()}

    def drop_all(self, blocks: list[list[bytes]]) -> None:
        """Remove all content in O(1). `blocks` hold its names too."""
        self.dropped = DroppedNames(self.table, blocks)
        self.table = Table(LIMITS.part_max)
        self.bounds = {}
        self._seq = 0
        self.counted = set()


class Named(Value):
    """A collection of named things."""

    __slots__ = ("large", "order", "scan_order")

    def __init__(self) -> None:
        self.large: LargeContent | None = None
        self.order: Order | None = None
        self.scan_order: ScanOrder | None = None

    def small_content(self) -> dict[bytes, Any]:
        """Return the things by name of a small collection. It is empty for a large one."""
        raise NotImplementedError

    def content(self) -> dict[bytes, Any] | Table:
        """Return all things by name. They are those of the value itself, not a copy."""
        return self.small_content() if self.large is None else self.large.table

    def entries(self) -> list[tuple[bytes, Any]]:
        """Return all names with their things. O(n)."""
        return list(self.content().items())

    def names(self) -> Collection[bytes]:
        """Return the names, in no order. They are those of the value itself, not a copy."""
        return cast("Collection[bytes]", self.content())

    def has(self, name: bytes) -> bool:
        """Return whether this is a name in the collection."""
        raise NotImplementedError

    def size(self) -> int:
        """Return the number of names."""
        raise NotImplementedError

    def next_names(self, cursor: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and some names. The first and the last cursor is 0.

        The value may change between two calls. A walk returns each name that is present throughout.
        """
        if self.large is None:
            return 0, list(self.small_content())
        return self.large.table.walk(cursor)

    def name_slices(self) -> Iterator[list[bytes]]:
        """Yield all names, a slice at a time. The value may change meanwhile."""
        cursor = 0
        while True:
            cursor, names = self.next_names(cursor)
            for start in range(0, len(names), LIMITS.slice_names):
                yield names[start : start + LIMITS.slice_names]
            if cursor == 0:
                return

    def note_added(self, name: bytes) -> None:
        """Add a new name to the orders that exist."""
        if self.order is not None:
            self.order.add(name, self.small_content())
        if self.scan_order is not None:
            self.scan_order.add(name, self.small_content())

    def drop_index(self) -> list[list[bytes]]:
        """Remove the order of the content, if any. Return the lists of names that it held."""
        return []

    def make_large(self, content: dict[bytes, Any]) -> LargeContent:
        """Move the content to a table. The caller notes its dots."""
        large = self.large = LargeContent()
        large.table.set_single(content)
        self.order = self.scan_order = None
        return large

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        for _ in self.merge_in_slices(other, mine, theirs):
            pass

    def count_items(self) -> int:
        return self.size()

    def take_content(self) -> DroppedNames | None:
        large = self.large
        return None if large is None else DroppedNames(large.table, self.drop_index())

    def take_dropped(self) -> DroppedNames | None:
        large = self.large
        if large is None or large.dropped is None:
            return None
        dropped, large.dropped = large.dropped, None
        if not large.table:
            self.large = None
        return dropped

    def sampled(self) -> Order:
        """Return the names of a small collection in an order that can be sampled. O(n) the first
        time."""
        if self.order is None:
            self.order = Order(list(self.small_content()))
        return self.order

    def sampled_keys(self) -> list[bytes]:
        """Return the names that `pick` may find: all names, and some removed ones. O(n)."""
        return self.sampled().keys if self.large is None else self.large.table.sampled_keys()

    def prepare_picks(self, budget: int) -> bool:
        """Prepare `pick`, which otherwise takes long for the first names. Visit about `budget`
        names. Return whether all is done."""
        return self.large is None or self.large.table.prepare_picks(budget)

    def pick(self, rng: random.Random) -> bytes:
        """Return a random name."""
        if self.large is not None:
            return self.large.table.pick(rng)
        return self.sampled().pick(rng, self.small_content())

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` names onwards from `cursor`.

        The first and last cursor is 0. A walk that began while the collection was small goes on
        when it is large.
        """
        if self.large is not None:
            return self.large.table.scan(cursor, count)
        content = self.small_content()
        if self.scan_order is None:
            self.scan_order = ScanOrder(content, len(content))
        return self.scan_order.walk(cursor, count, content)
