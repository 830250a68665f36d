"""Sets in which an add wins over a concurrent remove.

A member is present while a dot holds it in. An add replaces the dots it observed by its own, also
when the member is there already (rule SET-3); a remove takes away the dots it observed (rules
SET-1, SET-2; Bieniusa et al., "An optimized conflict-free replicated set", 2012). One dot, an
integer, is the common case; concurrent adds leave a tuple of them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers, read_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_bytes
from crdt.errors import DecodeError
from crdt.numbers.number import parse_integer
from crdt.structures.sample_order import Order
from crdt.structures.scan_order import ScanOrder
from crdt.types.base import Value
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
    are_short,
)
from crdt.wire.decoding import bytes_of, tuple_of

SET_TYPE: Final = 2
ADD: Final = 0  #     (code, operation, key, member, ...)
REMOVE: Final = 1  #  (code, operation, key, member, ...)

Dots = int | tuple[int, ...]


class Set(Value):
    """Members, each with the dots that hold it in."""

    __slots__ = ("members", "order", "scan_order")

    def __init__(self) -> None:
        self.members: dict[bytes, Dots] = {}
        self.order: Order | None = None
        self.scan_order: ScanOrder | None = None

    def code(self) -> int:
        return SET_TYPE

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ADD:
            if observed.is_local and self.order is None and self.scan_order is None:
                members = self.members
                for index in range(3, len(effect)):
                    members[effect[index]] = dot
                return
            for index in range(3, len(effect)):
                self.add(effect[index], dot, observed)
        else:
            for index in range(3, len(effect)):
                self.discard(effect[index], observed)

    def add(self, member: bytes, dot: Dot, observed: Observed) -> None:
        """Hold `member` in by `dot`, which replaces what it observed."""
        held = self.members.get(member)
        if held is None:
            self.members[member] = dot
            if self.order is not None:
                self.order.add(member, self.members)
            if self.scan_order is not None:
                self.scan_order.add(member, self.members)
        elif observed.is_local:
            self.members[member] = dot
        else:
            left = unobserved(held, observed)
            self.members[member] = join_dots(left, (dot,)) if left else dot

    def discard(self, member: bytes, observed: Observed) -> None:
        """Take away the dots of `member` that were observed."""
        held = self.members.get(member)
        if held is not None:
            left = unobserved(held, observed)
            if left:
                self.members[member] = join_dots(left, ())
            else:
                del self.members[member]

    def remove(self, observed: Observed, resets: object) -> None:
        if observed.is_local:
            self.members.clear()
            self.order = self.scan_order = None
        else:
            for member in list(self.members):
                self.discard(member, observed)

    def keeps_traces(self) -> bool:
        return False

    def is_live(self) -> bool:
        return len(self.members) > 0

    def min_dot(self) -> Dot:
        return min((min(dots_of(held)) for held in self.members.values()), default=0)

    def visible(self) -> object:
        return sorted(self.members)

    def sequence(self) -> list[bytes]:
        return list(self.members)

    def visible_part(self, effect: Effect) -> object:
        return [member in self.members for member in effect[3:]]

    def has(self, member: bytes) -> bool:
        """Return whether this is a member."""
        return member in self.members

    def size(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def names(self) -> Collection[bytes]:
        """Return the members, in no order. They are those of the value itself, not a copy."""
        return self.members

    def sampled(self) -> Order:
        """Return the members in an order that can be sampled. O(n) the first time."""
        if self.order is None:
            self.order = Order(list(self.members))
        return self.order

    def pick(self, rng: random.Random) -> bytes:
        """Return a random member."""
        return self.sampled().pick(rng, self.members)

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` members onwards from `cursor`.

        The first and last cursor is 0. O(n) the first time.
        """
        if self.scan_order is None:
            self.scan_order = ScanOrder(self.members, len(self.members))
        return self.scan_order.walk(cursor, count, self.members)

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Set)
        self.order = self.scan_order = None
        self.members = merge_members(self.members, other.members, mine, theirs)

    def state(self) -> Any:
        flat: list[Any] = []
        for member in sorted(self.members):
            flat += (member, self.members[member])
        return tuple(flat)

    def equals(self, other: Value) -> bool:
        assert isinstance(other, Set)
        return self.members == other.members

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a set", 2)
        for index in range(0, len(flat), 2):
            self.members[bytes_of(flat[index], "a set's member")] = check_dots(flat[index + 1])

    def covered(self, vector: Vector) -> bool:
        return are_covered(self.members, vector)

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(dot, m) for m in sorted(self.members) for dot in dots_of(self.members[m])]


def dots_of(held: Dots) -> tuple[int, ...]:
    """Return the dots, one or several, as a tuple."""
    return (held,) if isinstance(held, int) else held


def join_dots(left: tuple[int, ...], right: tuple[int, ...]) -> Dots:
    """Dots in their stored form: alone, or sorted and each once."""
    joined = sorted({*left, *right})
    return joined[0] if len(joined) == 1 else tuple(joined)


def unobserved(held: Dots, observed: Observed) -> tuple[int, ...]:
    """Return the dots that were not observed."""
    if isinstance(held, int):
        return () if observed.covers(held) else (held,)
    return tuple([dot for dot in held if not observed.covers(dot)])


def merge_members(
    ours: dict[bytes, Dots], others: dict[bytes, Dots], mine: Vector, theirs: Vector
) -> dict[bytes, Dots]:
    """Return the union of two copies, without the dots that either side has seen removed.

    It equals `dots.join_dots` for each member. Most members have one dot only.
    """
    merged: dict[bytes, Dots] = {}
    for member, held in ours.items():
        given = others.get(member)
        if given == held:
            merged[member] = held
            continue
        there = dots_of(given) if given is not None else ()
        kept = [dot for dot in dots_of(held) if dot in there or not covers(theirs, dot)]
        kept += [d for d in there if d not in dots_of(held) and not covers(mine, d)]
        if kept:
            merged[member] = join_dots(tuple(kept), ())
    for member, given in others.items():
        if member not in ours:
            kept = [dot for dot in dots_of(given) if not covers(mine, dot)]
            if kept:
                merged[member] = join_dots(tuple(kept), ())
    return merged


def are_covered(members: dict[bytes, Dots], vector: Vector) -> bool:
    """Return whether `vector` covers all dots of all members."""
    for held in members.values():
        if isinstance(held, int):
            if not covers(vector, held):
                return False
        elif not all(covers(vector, dot) for dot in held):
            return False
    return True


def check_dots(held: object) -> Dots:
    """`held`, if it is a dot or a sorted tuple of several. Raises DecodeError."""
    if type(held) is int:
        return read_dot(held, "a dot")
    dots = [read_dot(dot, "a dot") for dot in tuple_of(held, "dots")]
    if len(dots) < 2 or dots != sorted(set(dots)):
        raise DecodeError("dots: expected one, or several in order")
    return tuple(dots)


def rename_members(value: Set, names: OriginNames) -> None:
    """Rename the dots of all members."""
    for member, held in value.members.items():
        if isinstance(held, tuple):
            value.members[member] = tuple([names.dot(dot) for dot in held])
        else:
            value.members[member] = names.dot(held)


def content(value: Set) -> list[Any]:
    """Return the members."""
    return list(value.members)


ENCODING_LIMITS: Final = {
    "set-max-intset-entries": 512,
    "set-max-listpack-entries": 128,
    "set-max-listpack-value": 64,
}


def encoding(value: Set, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a set in Redis. Integers that are too many for an intset are hashed
    immediately."""
    members = value.members
    count = len(members)
    if all(parse_integer(each) is not None for each in members):
        return b"intset" if count <= limits["set-max-intset-entries"] else b"hashtable"
    is_packed = count <= limits["set-max-listpack-entries"]
    is_packed = is_packed and are_short(members, limits["set-max-listpack-value"])
    return b"listpack" if is_packed else b"hashtable"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="set",
    code=SET_TYPE,
    make=Set,
    operations=(
        Operation(
            "add",
            repeated=(is_bytes,),
            is_change_if_seen=True,
            spelling=Spelling("SADD", SpellingForm.NAMES),
        ),
        Operation(
            "remove",
            repeated=(is_bytes,),
            is_change_if_seen=True,
            spelling=Spelling("SREM", SpellingForm.NAMES),
        ),
    ),
    redis_name=b"set",
    rename_origins=rename_members,
    encoding=encoding,
    encoding_limits=ENCODING_LIMITS,
    elements=frozenset,
    content=content,
    text_form=TextForm("{}"),
)
