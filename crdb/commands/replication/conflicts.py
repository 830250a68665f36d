"""What regions wrote at the same time under one key, and which of it readers see.

Losers of a conflict are kept until something replaces them that has seen them (see
`crdt.types.register`), so the question "why does it read this?" has an answer. A string shows all
of its writes, also a single one; of a collection only those elements are listed that hold more than
one. A key that was created with several types lists them; what else it lists is of the type shown.

Increments are no rivals: those of all regions count together, on top of the write that is shown.
They are listed after the writes, what each region has added, as shown where they count; under a
text they do not (D-04).
"""

from __future__ import annotations

import attrs

from crdb.resp.numbers import format_double
from crdt.causality.dots import Dot
from crdt.causality.schema import FOREVER
from crdt.numbers.number import parse_number, text_of
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.register import Register


@attrs.frozen
class Candidate:
    """One of several values for the same place."""

    kind: bytes
    """The type of the key; `increment` for what a region has added, `expiry` for a deadline."""
    element: bytes | None
    """Field, member or index; None for the key itself."""
    value: bytes | None
    """None for a whole collection. A deadline is in ms, or `never`."""
    dot: Dot
    stamp: int | None
    """What decides between writes, in ms; None where something else does."""
    is_shown: bool


def candidates(db: Keyspace, key: bytes) -> list[Candidate]:
    """The values that `key` holds, as said above; for each place, the shown one first."""
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
        if register.sibling_writes or len(added) > 1 or not all(each.is_shown for each in added):
            found += _writes(register, name, element)
            found += added
    return found


def _writes(
    register: Register, kind: bytes, element: bytes | None, *, is_shown: bool = True
) -> list[Candidate]:
    """Return the concurrent writes of one register."""
    found: list[Candidate] = []
    for write in register.writes():
        value = write.value if isinstance(write.value, bytes) else format_double(write.value)
        is_first = is_shown and not found
        found.append(Candidate(kind, element, value, write.dot, write.stamp, is_first))
    return found


def _increments(
    register: Register, element: bytes | None, *, is_shown: bool = True
) -> list[Candidate]:
    """Return what each region has added to one register."""
    base = register.value
    counts = is_shown and (not isinstance(base, bytes) or parse_number(base) is not None)
    found: list[Candidate] = []
    for dot, amount in register.increments():
        value = format_double(amount) if isinstance(amount, float) else text_of(amount)
        found.append(Candidate(b"increment", element, value, dot, None, counts))
    return found


def _deadlines(db: Keyspace, key: bytes) -> list[Candidate]:
    """Concurrent deadlines that differ; the longest holds."""
    pairs = sorted(db.deadline_siblings(key), key=lambda pair: (-pair[1], pair[0]))
    if len({deadline for _, deadline in pairs}) < 2:
        return []
    found: list[Candidate] = []
    for dot, deadline in pairs:
        value = b"never" if deadline >= FOREVER else b"%d" % deadline
        found.append(Candidate(b"expiry", None, value, dot, None, not found))
    return found
