"""The specification of JSON documents: a function from the visible operations to the value.

A write of a place is a candidate for it. The candidates of a member are the value that the write of
its object gave it, and later writes of the member itself. A candidate is live unless an operation
that had seen it wrote or removed its place, or cleared its container. The one of the lowest origin
is shown. This is done from the root down, so an operation inside of what is not shown is never
looked at.

Elements of arrays are sorted by the definition of their order (`crdt.structures.runs`).
"""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import Any, TypeAlias, cast

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, make_dot, origin_of
from crdt.structures.runs import INDEX_BITS, Run, precedes
from crdt.testing.builtin_types.type_specification import Part
from crdt.testing.history import HistoryEvent
from crdt.types.components.run_tree import element_dot, is_top
from crdt.types.json_tree.texts import parse, text_of

Way: TypeAlias = tuple[Any, ...]
"""An address in which no dot is left out."""
Element: TypeAlias = tuple[Run, int]
"""The run and the key of an element."""
Candidate: TypeAlias = tuple[Dot, Any]
"""The effect that wrote a value, and the value."""


def whole_way(address: Way) -> Way:
    """Return an address with the dots that it leaves out."""
    way: list[Any] = []
    for index, part in enumerate(address):
        if index % 2 == 0 and part == 0:
            step = way[len(way) - 1]
            dot = way[len(way) - 2] if isinstance(step, bytes) else element_dot(*step[1:])
            way.append(dot)
        else:
            way.append(part)
    return tuple(way)


class JsonMeaning:
    """The meaning of the operations on one key."""

    def __init__(self, about: list[HistoryEvent], clears: list[HistoryEvent]) -> None:
        self.clears = clears
        self.events = {event.dot: event for event in about}
        self.by_name: dict[str, list[HistoryEvent]] = {}
        for event in about:
            self.by_name.setdefault(event.command.name, []).append(event)

    def named(self, name: str, way: Way) -> list[HistoryEvent]:
        """Return the operations of a name on a place or a node."""
        found = self.by_name.get(name, [])
        return [event for event in found if whole_way(event.command.args[0]) == way]

    def live(self, candidates: list[Candidate], removers: list[HistoryEvent]) -> list[Candidate]:
        """Return the candidates that no remover had seen, that of the lowest origin first."""
        return sorted(
            [
                each
                for each in candidates
                if not any(other.saw(self.events[each[0]]) for other in removers)
            ],
            key=lambda each: each[0],
        )

    def part(self) -> Part | None:
        """Return the text of the document, and the lowest origin of its root."""
        writes = self.named("JSON.ASSIGN", ())
        candidates = [written(event) for event in writes]
        roots = self.live(candidates, [*writes, *self.clears])
        if not roots:
            return None
        dot, value = roots[0]
        text = text_of(self.value((dot,), value), is_sorted=True)
        return text.decode(), origin_of(dot)

    def slot(self, way: Way, first: list[Candidate], removers: list[HistoryEvent]) -> list[Any]:
        """Return the value at a place, in a list that is empty if there is none."""
        writes = self.named("JSON.ASSIGN", way)
        candidates = [*first, *[written(event) for event in writes]]
        left = self.live(candidates, [*writes, *removers])
        return [self.value((*way, left[0][0]), left[0][1])] if left else []

    def value(self, way: Way, value: Any) -> Any:
        """Return the value of a node that was written with `value`."""
        if isinstance(value, dict):
            return self.members(way, cast("dict[str, Any]", value))
        if isinstance(value, list):
            return self.elements(way, cast("list[Any]", value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return self.number(way, value)

    def members(self, way: Way, value: dict[str, Any]) -> dict[str, Any]:
        """Return the members of an object."""
        dot = way[len(way) - 1]
        empties = self.named("JSON.EMPTY", way)
        removes = self.by_name.get("JSON.REMOVE", [])
        names = set(value)
        for event in self.by_name.get("JSON.ASSIGN", []):
            target = whole_way(event.command.args[0])
            if target[:-1] == way and isinstance(target[-1], bytes):
                names.add(target[-1].decode())
        shown: dict[str, Any] = {}
        for name in sorted(names):
            place = (*way, name.encode())
            gone = [
                event
                for event in removes
                if any(whole_way(address) == place for address in event.command.args)
            ]
            first = [(dot, value[name])] if name in value else []
            for found in self.slot(place, first, [*empties, *gone]):
                shown[name] = found
        return shown

    def elements(self, way: Way, value: list[Any]) -> list[Any]:
        """Return the elements of an array in their order."""
        dot: Dot = way[len(way) - 1]
        own = Run(None, 0, 0, dot >> SEQ_BITS << SEQ_BITS)
        start = (dot & SEQ_MAX) << INDEX_BITS
        first: dict[Any, Any] = {}
        placed: list[Element] = []
        for index, each in enumerate(value):
            placed.append((own, start | index))
            first[name_of(placed[-1])] = [(dot, each)]
        runs: dict[Any, Run] = {}
        for event in self.named("JSON.INSERT", way):
            run = inserted_run(event, runs)
            sign = event.command.args[3]
            key = (event.dot & SEQ_MAX) << INDEX_BITS
            for index, each in enumerate(parse(event.command.args[4].encode("latin-1"))):
                placed.append((run, sign * (key | index)))
                first[name_of(placed[-1])] = [(event.dot, each)]
        placed.sort(key=cmp_to_key(compare))
        empties = self.named("JSON.EMPTY", way)
        cuts = self.named("JSON.CUT", way)
        shown: list[Any] = []
        for element in placed:
            name = name_of(element)
            gone = [event for event in cuts if name in cut_names(event)]
            shown += self.slot((*way, name), first[name], [*empties, *gone])
        return shown

    def number(self, way: Way, value: Any) -> Any:
        """Return a number with the latest sum of each origin (JSN-12)."""
        sums: dict[int, HistoryEvent] = {}
        for event in self.named("JSON.ADD", way):
            held = sums.get(event.origin)
            if held is None or held.dot < event.dot:
                sums[event.origin] = event
        amounts = [event.command.args[1] for event in sums.values()]
        if all(isinstance(each, int) for each in (value, *amounts)):
            return value + sum(amounts)
        if not amounts:
            return value
        return float(sum([Decimal(str(each)) for each in amounts], Decimal(repr(value))))


def written(event: HistoryEvent) -> Candidate:
    """Return what a write writes."""
    return event.dot, parse(event.command.args[1].encode("latin-1"))


def inserted_run(event: HistoryEvent, runs: dict[Any, Run]) -> Run:
    """Return the run in which an operation inserts. `runs` holds those in the middle so far."""
    place, k = event.command.args[1:3]
    own = make_dot(event.origin, 0)
    if len(place) == 3:
        parent = Run(None, 0, place[0], place[1]) if is_top(place[1]) else runs[place[1]]
        runs[event.dot] = Run(parent, place[2], k, event.dot)
        return runs[event.dot]
    if len(place) == 2 and not is_top(place[1]):
        return runs[place[1]]
    return Run(None, 0, place[0] if place else k, own)


def name_of(element: Element) -> tuple[int, Dot, int]:
    """Return the position of an element."""
    run, key = element
    return (run.k if is_top(run.dot) else 0), run.dot, key


def cut_names(event: HistoryEvent) -> set[tuple[int, Dot, int]]:
    """Return the positions of the elements that an operation removes."""
    found: set[tuple[int, Dot, int]] = set()
    for k, dot, key, *rest in event.command.args[1:]:
        step, count = rest or (0, 1)
        found |= {(k, dot, key + step * number) for number in range(count)}
    return found


def compare(left: Element, right: Element) -> int:
    """Compare the places of two elements."""
    if precedes(*left, *right):
        return -1
    return 1 if precedes(*right, *left) else 0


def json_document(about: list[HistoryEvent], clears: list[HistoryEvent]) -> Part | None:
    """Return the text of a document (rules JSN-1 to JSN-13)."""
    return JsonMeaning(about, clears).part()
