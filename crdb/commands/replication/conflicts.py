"""Concurrent values of one key, and which of them readers see.

Losing values of a conflict are kept until a write that has observed them replaces them (see
`crdt.types.components.register`). So an operator can see why a key reads as it does. A string lists
all of its writes, even a single one. A collection lists only the elements with more than one write.
A key that was created with several types lists these, and then the values of the type shown.

Increments do not compete: the sum of all regions is added to the write that is shown. The sum of
each region is listed after the writes. It is marked as shown if it counts, which it does not if the
shown write is a text (D-04).
"""

from __future__ import annotations

import attrs

from crdb.resp.numbers import format_double
from crdt.causality.dots import Dot
from crdt.causality.schema import FOREVER
from crdt.numbers.number import parse_number, text_of
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.components.register import Register, whole_value


@attrs.frozen
class Candidate:
    """A value that competes with others for the same place."""

    kind: bytes
    """The type of the key; `increment` for a region's sum, `expiry` for a deadline."""
    element: bytes | None
    """Field, member or index; None for the key itself."""
    value: bytes | None
    """None for a whole collection. A deadline is in ms, or `never`."""
    dot: Dot
    stamp: int | None
    """The stamp that decides between writes, in ms; None for a value without one."""
    is_shown: bool


def candidates(db: Keyspace, key: bytes) -> list[Candidate]:
    """Return the concurrent values of `key`. In each place, the shown value comes first."""
    shown = db.lookup(key)
    if shown is None:
        return []
    parts = sorted(db.live_parts(key), key=lambda part: part.code() != shown.code())
    found: list[Candidate] = []
    for part in parts:
        name = db.types.definition(part).redis_name or b"custom"
        if isinstance(part, Register):
            found += _writes(part, name, None, is_shown=part.code() == shown.code())
            found += _increments(part, None, is_shown=part.code() == shown.code())
        elif len(parts) > 1:
            found.append(
                Candidate(name, None, None, part.min_dot(), None, part.code() == shown.code())
            )
    return found + _elements(db, shown) + _deadlines(db, key)


def _elements(db: Keyspace, value: Value) -> list[Candidate]:
    """Return the conflicts within a collection."""
    name = db.types.definition(value).redis_name or b"custom"
    found: list[Candidate] = []
    for element, register in value.registers():
        assert isinstance(register, Register)
        added = _increments(register, element)
        if register.has_siblings() or len(added) > 1 or not all(each.is_shown for each in added):
            found += _writes(register, name, element)
            found += added
    return found


def _writes(
    register: Register, kind: bytes, element: bytes | None, *, is_shown: bool = True
) -> list[Candidate]:
    """Return the concurrent writes of one register."""
    found: list[Candidate] = []
    for write in register.writes():
        held = whole_value(write.value)
        value = held if isinstance(held, bytes) else format_double(held)
        is_first = is_shown and not found
        found.append(Candidate(kind, element, value, write.dot, write.stamp, is_first))
    return found


def _increments(
    register: Register, element: bytes | None, *, is_shown: bool = True
) -> list[Candidate]:
    """Return the sum that each region has added to one register."""
    base = whole_value(register.value)
    counts = is_shown and (not isinstance(base, bytes) or parse_number(base) is not None)
    found: list[Candidate] = []
    for dot, amount in register.increments():
        value = format_double(amount) if isinstance(amount, float) else text_of(amount)
        found.append(Candidate(b"increment", element, value, dot, None, counts))
    return found


def _deadlines(db: Keyspace, key: bytes) -> list[Candidate]:
    """Return concurrent deadlines that differ. The longest holds."""
    pairs = sorted(db.deadline_siblings(key), key=lambda pair: (-pair[1], pair[0]))
    if len({deadline for _, deadline in pairs}) < 2:
        return []
    found: list[Candidate] = []
    for dot, deadline in pairs:
        value = b"never" if deadline >= FOREVER else b"%d" % deadline
        found.append(Candidate(b"expiry", None, value, dot, None, not found))
    return found
