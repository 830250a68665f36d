"""Sets in which an add wins over a concurrent remove.

A member is present while a dot holds it in. An add replaces the dots it observed by its own, also
when the member is there already (rule SET-3); a remove takes away the dots it observed (rules
SET-1, SET-2; Bieniusa et al., "An optimized conflict-free replicated set", 2012). One dot, an
integer, is the common case; concurrent adds leave a tuple of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers, read_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_bytes
from crdt.errors import DecodeError
from crdt.numbers.number import parse_integer
from crdt.structures.pieces import in_pieces
from crdt.types.base import Value
from crdt.types.components.named import LIMITS, Named
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


class Set(Named):
    """Members, each with the dots that hold it in."""

    __slots__ = ("members",)

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[bytes, Dots] = {}
        """The members of a small set. Those of a large one are in `large`."""

    def code(self) -> int:
        return SET_TYPE

    def small_content(self) -> dict[bytes, Any]:
        return self.members

    def has(self, name: bytes) -> bool:
        large = self.large
        return name in self.members if large is None else name in large.table

    def size(self) -> int:
        large = self.large
        return len(self.members) if large is None else len(large.table)

    def is_live(self) -> bool:
        return len(self.members) > 0 or (self.large is not None and len(self.large.table) > 0)

    def find(self, member: bytes) -> Dots | None:
        """Return the dots that hold `member` in, None if there are none."""
        large = self.large
        held: Dots | None = self.members.get(member) if large is None else large.table.get(member)
        return held

    def put(self, member: bytes, dots: Dots) -> None:
        """Let exactly these dots hold `member` in."""
        large = self.large
        if large is not None:
            large.table.put(member, dots)
        else:
            self.members[member] = dots
            if len(self.members) > LIMITS.small_max:
                self.enlarge()

    def drop(self, member: bytes) -> None:
        """Remove a member, which is present."""
        large = self.large
        if large is not None:
            large.table.pop(member)
        else:
            del self.members[member]

    def enlarge(self) -> None:
        """Move the members to a table."""
        members, self.members = self.members, {}
        large = self.make_large(members)
        for held in members.values():
            for dot in dots_of(held):
                large.note_dot(dot)

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        index = 3
        size = len(effect)
        if operation == ADD:
            if observed.is_local and self.order is None and self.scan_order is None:
                members = self.members
                while index < size and self.large is None:
                    members[effect[index]] = dot
                    index += 1
                    if len(members) > LIMITS.small_max:
                        self.enlarge()
            while index < size:
                self.add(effect[index], dot, observed)
                index += 1
            if self.large is not None:
                self.large.note_dot(dot)
        else:
            for index in range(3, size):
                self.discard(effect[index], observed)

    def add(self, member: bytes, dot: Dot, observed: Observed) -> None:
        """Hold `member` in by `dot`, which replaces what it observed."""
        held = self.find(member)
        if held is None:
            self.put(member, dot)
            self.note_added(member)
        elif observed.is_local:
            self.put(member, dot)
        else:
            left = unobserved(held, observed)
            self.put(member, join_dots(left, (dot,)) if left else dot)

    def discard(self, member: bytes, observed: Observed) -> None:
        """Take away the dots of `member` that were observed."""
        held = self.find(member)
        if held is not None:
            left = unobserved(held, observed)
            if left:
                self.put(member, join_dots(left, ()))
            else:
                self.drop(member)

    def remove(self, observed: Observed, resets: object) -> None:
        large = self.large
        if large is not None and large.is_observed(observed):
            large.drop_all(self.drop_index())
        elif large is None and observed.is_local:
            self.members.clear()
            self.order = self.scan_order = None
        else:
            for names in self.name_slices():
                for member in names:
                    self.discard(member, observed)

    def keeps_traces(self) -> bool:
        return False

    def min_dot(self) -> Dot:
        return min((min(dots_of(held)) for _, held in self.entries()), default=0)

    def visible(self) -> object:
        return sorted(self.names())

    def sequence(self) -> list[bytes]:
        return list(self.names())

    def sequence_slices(self, count: int) -> Iterator[list[bytes]]:
        return self.name_slices()

    def visible_part(self, effect: Effect) -> object:
        return [self.has(member) for member in effect[3:]]

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, Set)
        for names in other.name_slices():
            for member in names:
                self.merge_member(member, other, mine, theirs)
            yield
        for names in self.name_slices():
            for member in names:
                if other.find(member) is None:
                    self.merge_member(member, other, mine, theirs)
            yield

    def merge_member(self, member: bytes, other: Set, mine: Vector, theirs: Vector) -> None:
        """Keep the dots of a member that both sides hold, or that one side has not seen."""
        held, given = self.find(member), other.find(member)
        if held == given:
            return
        merged = merge_dots(held, given, mine, theirs)
        if merged is None:
            if held is not None:
                self.drop(member)
            return
        self.put(member, merged)
        if held is None:
            self.note_added(member)
        if self.large is not None:
            for dot in dots_of(merged):
                self.large.note_dot(dot)

    def state(self) -> Any:
        flat: list[Any] = []
        content = self.content()
        for member in sorted(content):
            flat += (member, content[member])
        return tuple(flat)

    def equals(self, other: Value) -> bool:
        assert isinstance(other, Set)
        return self.large is None and other.large is None and self.members == other.members

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a set", 2)
        for index in range(0, len(flat), 2):
            dots = check_dots(flat[index + 1])
            self.put(bytes_of(flat[index], "a set's member"), dots)
            if self.large is not None:
                for dot in dots_of(dots):
                    self.large.note_dot(dot)

    def divides(self, count: int, size: int) -> bool:
        return self.size() > count

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        flat: list[Any] = []
        left = size
        for members in self.name_slices():
            for member in members:
                flat += (member, self.find(member))
                left -= len(member)
                if len(flat) >= 2 * count or left <= 0:
                    yield tuple(flat)
                    flat, left = [], size
        if flat:
            yield tuple(flat)

    def load_part(self, part: Any, vector: Vector) -> bool:
        self.load(part)
        return are_covered(part[1::2], vector)

    def covered(self, vector: Vector) -> bool:
        if self.large is not None:
            return self.large.is_covered(vector)
        return are_covered(self.members.values(), vector)

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(dot, member) for member, held in sorted(self.entries()) for dot in dots_of(held)]


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


def merge_dots(held: Dots | None, given: Dots | None, mine: Vector, theirs: Vector) -> Dots | None:
    """Return the dots that both sides hold, or that one side holds and the other has not seen.

    None stands for no dots. The result equals `dots.join_dots` of the two.
    """
    ours = () if held is None else dots_of(held)
    others = () if given is None else dots_of(given)
    kept = [dot for dot in ours if dot in others or not covers(theirs, dot)]
    kept += [dot for dot in others if dot not in ours and not covers(mine, dot)]
    return join_dots(tuple(kept), ()) if kept else None


def merge_members(
    ours: dict[bytes, Dots], others: dict[bytes, Dots], mine: Vector, theirs: Vector
) -> dict[bytes, Dots]:
    """Return the union of two copies, without the dots that either side has seen removed."""
    merged: dict[bytes, Dots] = {}
    for member, held in ours.items():
        dots = merge_dots(held, others.get(member), mine, theirs)
        if dots is not None:
            merged[member] = dots
    for member, given in others.items():
        if member not in ours:
            dots = merge_dots(None, given, mine, theirs)
            if dots is not None:
                merged[member] = dots
    return merged


def are_covered(held_by_members: Iterable[Dots], vector: Vector) -> bool:
    """Return whether `vector` covers all dots of all members."""
    for held in held_by_members:
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
    for member, held in value.entries():
        dots = tuple([names.dot(dot) for dot in dots_of(held)])
        value.put(member, dots[0] if len(dots) == 1 else dots)
    if value.large is not None:
        value.large.rename(names)


def content(value: Set) -> list[Any]:
    """Return the members."""
    return list(value.names())


def content_size(value: Set) -> int:
    """Return the number of members."""
    return value.size()


def content_pieces(value: Set, size: int) -> Iterator[list[Any]]:
    """Yield the members, about `size` at a time."""
    return in_pieces(value.names(), size)


ENCODING_LIMITS: Final = {
    "set-max-intset-entries": 512,
    "set-max-listpack-entries": 128,
    "set-max-listpack-value": 64,
}


def encoding(value: Set, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a set in Redis. Integers that are too many for an intset are hashed
    immediately."""
    members = value.names()
    count = len(members)
    if count > max(limits["set-max-intset-entries"], limits["set-max-listpack-entries"]):
        return b"hashtable"
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
    content_size=content_size,
    content_pieces=content_pieces,
    text_form=TextForm("{}"),
)
