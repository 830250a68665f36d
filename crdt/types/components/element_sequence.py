"""The elements of a list in order, and all that only reads them or finds their places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, make_dot
from crdt.causality.observed import Observed
from crdt.structures.blocks import BLOCK_MAX, FIRST, GROUP_MAX, LAST, Blocks
from crdt.structures.runs import Key, Run
from crdt.types.base import Value
from crdt.types.components.list_elements import (
    LIST,
    Position,
    Span,
    as_element,
    position_of,
    spans_of,
)
from crdt.types.components.run_tree import RunTree, element_dot, is_top


class ElementSequence(Value):
    """Elements in order, each bytes or an `Element`, and how they are read."""

    __slots__ = ("dropped", "items", "latest", "origin", "seq", "tree")

    def __init__(self, block_max: int = BLOCK_MAX, group_max: int = GROUP_MAX) -> None:
        self.items: Blocks = Blocks(block_max, group_max)
        self.tree: RunTree | None = None
        """The runs in the middle. Most lists have none."""
        self.origin: Origin = 0
        self.seq: int = 0
        """No element has a dot of `origin` that is later. See `latest` for other origins."""
        self.latest: dict[Origin, int] | None = None
        self.dropped: Blocks | None = None
        """Many elements that were removed all together, until `take_dropped`."""

    def code(self) -> int:
        return LIST

    def middle(self) -> RunTree:
        """Return the runs in the middle."""
        if self.tree is None:
            self.tree = RunTree()
        return self.tree

    def run_of(self, position: Span) -> Run | None:
        """Return the run of a position, or None if no element has ever been there."""
        dot = position[1]
        if is_top(dot):
            return (
                Run(None, 0, position[0], dot)
                if self.tree is None
                else self.tree.top(position[0], dot)
            )
        return None if self.tree is None else self.tree.runs.get(dot)

    def run_to_extend(self, place: tuple[int, ...], k: int, sign: int, dot: Dot) -> Run:
        """Return the run in which the effect `dot` inserts. It opens the run if need be.

        `place` is empty for a run of the top level, a run's k and dot, or the position of an
        element, of which a child run is opened.
        """
        own = dot >> SEQ_BITS << SEQ_BITS
        if len(place) == 3:
            return self.middle().open((place[0], place[1], place[2]), k, dot)
        if len(place) == 2:
            if place[1] >> SEQ_BITS != dot >> SEQ_BITS:
                k = 0  # only a hostile peer extends the run of another origin
            elif is_top(place[1]):
                k = place[0]
            else:
                return self.middle().find(place[1])
        items = self.items
        if items.size:
            end = items.run(LAST if sign > 0 else FIRST)
            if end.k == k and end.dot == own:
                return end
        return Run(None, 0, k, own) if self.tree is None else self.tree.top(k, own)

    def note(self, dot: Dot) -> None:
        """Record that an element may have this dot from now on."""
        origin, seq = dot >> SEQ_BITS, dot & SEQ_MAX
        if origin == self.origin:
            if seq > self.seq:
                self.seq = seq
        elif self.origin == 0:
            self.origin, self.seq = origin, seq
        else:
            if self.latest is None:
                self.latest = {}
            if self.latest.get(origin, 0) < seq:
                self.latest[origin] = seq

    def is_observed(self, observed: Observed) -> bool:
        """Return whether an effect had observed everything here. O(origins)."""
        if self.origin and not observed.covers(make_dot(self.origin, self.seq)):
            return False
        if self.latest is not None:
            for origin, seq in self.latest.items():
                if not observed.covers(make_dot(origin, seq)):
                    return False
        return True

    def note_content(self, dot: Dot, key: Key, held: Any) -> None:
        """Record the dots of an element's content."""
        if type(held) is bytes:
            self.note(element_dot(dot, key))
        else:
            for write in held.writes():
                self.note(write.dot)

    def count_items(self) -> int:
        return self.items.size

    def take_content(self) -> Blocks | None:
        return self.items if len(self.items.groups) > 1 else None

    def take_dropped(self) -> Blocks | None:
        dropped, self.dropped = self.dropped, None
        return dropped

    # -- reading ---------------------------------------------------------------------------

    def is_live(self) -> bool:
        return self.items.size > 0

    def is_empty(self) -> bool:
        return self.items.size == 0 and (self.tree is None or not self.tree.runs)

    def min_dot(self) -> Dot:
        lowest = 0
        whole = self.items.slice(0, self.items.size)
        for index, held in enumerate(whole.things):
            if type(held) is bytes:
                dot = element_dot(whole.runs[index].dot, whole.keys[index])
            else:
                dot = held.min_dot()
            if lowest == 0 or dot < lowest:
                lowest = dot
        return lowest

    def length(self) -> int:
        """Return the number of elements."""
        return self.items.size

    def values(self, start: int, stop: int) -> list[bytes]:
        """Return the elements with `start` <= index < `stop`."""
        found = self.items.slice_things(start, stop)
        for index, held in enumerate(found):
            if type(held) is not bytes:
                found[index] = held.value
        return found

    def positions(self, start: int, stop: int) -> list[Position]:
        """Return the positions of the elements with `start` <= index < `stop`."""
        part = self.items.slice(start, stop)
        return [position_of(run, key) for run, key in zip(part.runs, part.keys, strict=True)]

    def spans(self, start: int, stop: int) -> list[Span]:
        """Return the elements with `start` <= index < `stop`, as few spans."""
        part = self.items.slice(start, stop)
        return spans_of(part.runs, part.keys)

    def spans_at(self, indexes: list[int]) -> list[Span]:
        """Return the elements at some ascending indexes, as few spans."""
        runs: list[Run] = []
        keys: list[Key] = []
        for index in indexes:
            place = self.items.locate(index)
            runs.append(self.items.run(place))
            keys.append(self.items.key(place))
        return spans_of(runs, keys)

    def at(self, index: int) -> bytes:
        """Return the element at `index`, which must be in range. A negative index counts from the
        end."""
        held = self.items.thing_at(index if index >= 0 else index + self.items.size)
        value: bytes = held if type(held) is bytes else held.value
        return value

    def find(self, element: bytes, start: int, stop: int, count: int) -> list[int]:
        """Return the first `count` indexes, `start` <= index < `stop`, of an element. It takes some
        20 ns for each index, so a long search is made in parts."""
        return self.items.matches(element, start, stop, count)

    def find_last(self, element: bytes, start: int, stop: int, count: int) -> list[int]:
        """Return the last `count` indexes, `start` <= index < `stop`, of an element, in descending
        order."""
        return self.items.matches_from_end(element, start, stop, count)

    def visible(self) -> object:
        return self.values(0, self.items.size)

    def sequence(self) -> list[bytes]:
        return self.values(0, self.items.size)

    def sequence_slices(self, count: int) -> Iterator[list[bytes]]:
        for start in range(0, self.items.size, count):
            yield self.values(start, start + count)

    def registers(self) -> list[tuple[bytes, Value]]:
        things = enumerate(self.items.slice_things(0, self.items.size))
        return [(b"%d" % index, held) for index, held in things if type(held) is not bytes]

    def siblings(self) -> list[tuple[Dot, object]]:
        found: list[tuple[Dot, object]] = []
        whole = self.items.slice(0, self.items.size)
        for index, held in enumerate(whole.things):
            dot = element_dot(whole.runs[index].dot, whole.keys[index])
            element = as_element(dot, held)
            found += [(each, (index, value)) for each, value in element.siblings()]
        return found
