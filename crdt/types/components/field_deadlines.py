"""Deadlines of the fields of one hash, and the fields that have expired.

A field's deadlines are siblings, as those of keys are (see `deadlines`): a change replaces those
that it observed, and of concurrent ones the longest holds (rules EXP-1 to EXP-3, HSH-10, D-10).
A write of a field ends its time to live, even against a concurrent change. So each write counts as
a deadline that never comes. It is not stored. Instead a field's entry names the writes that a later
deadline had observed: `replaced`. A hash without deadlines stores nothing.

A field that has expired is not visible, but remains until a region removes it by an effect, as with
keys. Meanwhile it is in `expired`, out of reach of all reads.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers, join_dots, read_dot
from crdt.causality.observed import Observed
from crdt.causality.schema import FOREVER, is_deadline
from crdt.errors import DecodeError
from crdt.types.components.deadlines import flatten, longest
from crdt.types.components.lone_write import LoneWrite
from crdt.types.components.register import Register
from crdt.types.definition import OriginNames
from crdt.wire.decoding import bytes_of, tuple_of

Thing = LoneWrite | Register
Entry = tuple[tuple[int, ...], tuple[Dot, ...]]
"""The dots and deadlines of a field, flat and by dot; and the dots of its live writes that one of
the deadlines, or of those before them, had observed, sorted."""

HEAP_SLACK: Final = 64  # fewer outdated entries than this do not justify a new heap


class FieldDeadlines:
    """The deadlines of a hash's fields. Other fields have none."""

    __slots__ = ("clock", "entries", "expired", "heap")

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.expired: dict[bytes, Thing | None] = {}
        """The stored content of the fields that have expired, about by deadline. None for a field
        of which only deadlines are left."""
        self.heap: list[tuple[int, bytes]] = []
        """The fields that are going to expire, by deadline. An entry is outdated if the field has
        another deadline now."""
        self.clock: int = 0
        """The wall clock at which `expired` was brought up to date, in ms. 0 if none has
        expired."""

    def deadline(self, field: bytes, thing: Thing | None) -> int:
        """Return when a field expires, for which `thing` is stored; FOREVER if it does not."""
        entry = self.entries.get(field)
        if entry is None:
            return FOREVER
        siblings, replaced = entry
        for dot in written_dots(thing):
            if dot not in replaced:
                return FOREVER
        return longest(siblings)

    def replace(
        self, field: bytes, thing: Thing | None, given: tuple[Dot, int], observed: Observed
    ) -> None:
        """Remove the observed deadlines of a field, those of its writes included, and add one."""
        siblings, replaced = self.entries.get(field, ((), ()))
        left = unobserved(siblings, observed)
        left[given[0]] = given[1]
        seen = [dot for dot in written_dots(thing) if dot in replaced or observed.covers(dot)]
        self.put(field, thing, (flatten(left), tuple(sorted(seen))))

    def drop(self, field: bytes, thing: Thing | None, observed: Observed) -> None:
        """Remove the observed deadlines of a field, for which `thing` is stored now."""
        entry = self.entries.get(field)
        if entry is not None:
            self.put(field, thing, (flatten(unobserved(entry[0], observed)), entry[1]))

    def put(self, field: bytes, thing: Thing | None, entry: Entry) -> None:
        """Hold this entry of a field, without the writes that are gone."""
        siblings, replaced = entry
        if not siblings:
            self.entries.pop(field, None)
            return
        dots = written_dots(thing)
        self.entries[field] = (siblings, tuple([dot for dot in replaced if dot in dots]))
        deadline = self.deadline(field, thing)
        if deadline < FOREVER:
            heapq.heappush(self.heap, (deadline, field))
            if len(self.heap) > 2 * len(self.entries) + HEAP_SLACK:
                self.heap = sorted(set(self.heap))[-len(self.entries) - HEAP_SLACK :]

    def merge_entry(self, field: bytes, given: Entry, mine: Vector, theirs: Vector) -> Entry:
        """Return the deadlines of a field out of those of two copies."""
        siblings, replaced = self.entries.get(field, ((), ()))
        ours = dict(zip(siblings[::2], siblings[1::2], strict=True))
        others = dict(zip(given[0][::2], given[0][1::2], strict=True))
        joined = join_dots(ours, others, mine, theirs)
        return flatten(joined), tuple(sorted({*replaced, *given[1]}))

    def rename(self, names: OriginNames) -> None:
        """Rename the origins of all dots."""
        for field, (siblings, replaced) in self.entries.items():
            pairs = zip(siblings[::2], siblings[1::2], strict=True)
            renamed = {names.dot(dot): deadline for dot, deadline in pairs}
            dots = tuple(sorted([names.dot(dot) for dot in replaced]))
            self.entries[field] = (flatten(renamed), dots)

    def state(self) -> tuple[Any, ...]:
        """Return the entries, by field."""
        flat: list[Any] = []
        for field in sorted(self.entries):
            flat += (field, *self.entries[field])
        return tuple(flat)

    def state_parts(self, count: int) -> Iterator[tuple[Any, ...]]:
        """Yield the entries in parts of `count`, for `load`. They must not change meanwhile."""
        fields = list(self.entries)
        for start in range(0, len(fields), count):
            flat: list[Any] = []
            for field in fields[start : start + count]:
                flat += (field, *self.entries[field])
            yield tuple(flat)

    def load(self, state: Any) -> dict[bytes, Entry]:
        """Return the entries in a state. Raises DecodeError."""
        flat = tuple_of(state, "deadlines of fields", 3)
        found: dict[bytes, Entry] = {}
        for index in range(0, len(flat), 3):
            siblings = tuple_of(flat[index + 1], "deadlines", 2)
            replaced = tuple_of(flat[index + 2], "replaced writes")
            for dot in (*siblings[::2], *replaced):
                read_dot(dot, "the dot of a deadline")
            if not siblings or not all(map(is_deadline, siblings[1::2])):
                raise DecodeError("deadlines of a field: expected at least one")
            found[bytes_of(flat[index], "a field")] = (siblings, replaced)
        return found

    def covered(self, vector: Vector) -> bool:
        """Return whether `vector` covers the dots of all deadlines."""
        return are_covered(self.entries, vector)


def are_covered(entries: dict[bytes, Entry], vector: Vector) -> bool:
    """Return whether `vector` covers the dots of all deadlines in these entries."""
    for siblings, _ in entries.values():
        for dot in siblings[::2]:
            if not covers(vector, dot):
                return False
    return True


def written_dots(thing: Thing | None) -> list[Dot]:
    """Return the dots of the writes in what is stored for a field. Increments are none."""
    if thing is None:
        return []
    if isinstance(thing, LoneWrite):
        return [thing.dot]
    return [write.dot for write in thing.writes()]


def unobserved(siblings: tuple[int, ...], observed: Observed) -> dict[Dot, int]:
    """Return the deadlines that were not observed, by dot."""
    pairs = zip(siblings[::2], siblings[1::2], strict=True)
    return {dot: deadline for dot, deadline in pairs if not observed.covers(dot)}
