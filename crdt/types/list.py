"""Lists: elements at positions that are never used twice.

A position is a tuple of components `(k, origin, s, i)`, flat, compared lexicographically; `s` is
plus or minus the sequence number of the effect that made it and `i` the index inside the effect.
A push continues its own run at that end or opens a new `k`; an insert in the middle continues its
own run, or goes one component deeper. So the elements that one region pushes stay together and in
order (rules LST-2, LST-11, D-08), positions of queues stay one component long, and a removed
element leaves nothing behind: observed removes name positions (rules LST-3 to LST-6).

Each element is a register: LSET replaces the value, the later stamp wins, and a set wins over a
concurrent removal (rule LST-7, D-08). An element that was never set is stored as its value alone,
since its position has the dot of the effect that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import (
    POSITIONS_VERSION,
    STEP_MAX,
    check_origins,
    is_bytes,
    is_place,
    is_position,
    is_sign,
    is_stamp,
    is_step,
)
from crdt.errors import DecodeError
from crdt.structures.blocks import BLOCK_MAX, Blocks, Position
from crdt.types.base import Value
from crdt.types.components.register import Register, rename_register
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
    renamed_position,
)
from crdt.wire.decoding import check_version, tuple_of

LIST: Final = 5
INSERT: Final = 0  #  (code, operation, key, parent, k, sign, value, ...)
ASSIGN: Final = 1  #  (code, operation, key, stamp, position, value)
REMOVE: Final = 2  #  (code, operation, key, position, ...)

LENGTH_OR_SIZE: Final = "list-max-listpack-size"
"""The parameter of Redis that limits a packed list, in elements or by size."""
ITEM_BYTES: Final = 2
"""The bytes that an element of a packed list takes in addition to its own, at least."""
PACKED_BYTES: Final = (4096, 8192, 16384, 32768, 65536)
"""The sizes that the limits -1, -2 ... -5 stand for."""
COUNTED_BYTES_MAX: Final = 8192
"""The size allowed to a list whose length is limited and not its size."""

Place = tuple[Position, int, int]  # the parent, k and sign of an insert


class Element(Register):  # noqa: PLW1641 - as mutable as a list
    """An element of a list that was set, or would be."""

    __slots__ = ()

    def code(self) -> int:
        return LIST

    def visible(self) -> object:
        return self.value

    def __eq__(self, other: object) -> bool:
        """Return whether readers see `other`. So a search for bytes finds elements that were set
        too."""
        return other is self or (type(other) is bytes and other == self.value)


class List(Value):
    """Elements by position: bytes, or an `Element`."""

    __slots__ = ("items",)

    def __init__(self, block_max: int = BLOCK_MAX) -> None:
        self.items: Blocks = Blocks(block_max)

    def code(self) -> int:
        return LIST

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == INSERT:
            self.insert(effect, dot)
        elif operation == ASSIGN:
            position: Position = effect[4]
            held = self.items.get(position)
            element = Element() if held is None else as_element(position, held)
            element.write(dot, observed.base + effect[3], effect[5], observed)
            self.items.put(position, element)
        else:
            for index in range(3, len(effect)):
                self.discard(effect[index], observed)

    def insert(self, effect: Effect, dot: Dot) -> None:
        """Insert elements, which stand next to each other."""
        parent: Position = effect[3]
        k: int = effect[4]
        sign: int = effect[5]
        origin = dot >> SEQ_BITS
        seq = dot & SEQ_MAX
        items = self.items
        for index in range(6, len(effect)):
            if sign > 0:
                last = (k, origin, seq, index - 6)
            else:
                last = (k, origin, -seq, 6 - index)
            items.put(parent + last if parent else last, effect[index], sign < 0)

    def discard(self, position: Position, observed: Observed) -> None:
        """Remove what was observed of one element."""
        items = self.items
        place = items.find(position)
        if place[0] < 0:
            return
        held = items.thing(place)
        if type(held) is bytes:
            if observed.is_local or observed.covers(made_by(position)):
                items.drop(place)
        else:
            held.remove(observed, None)
            if held.is_live():
                items.replace(place, as_plain(position, held))
            else:
                items.drop(place)

    def remove(self, observed: Observed, resets: object) -> None:
        if observed.is_local:
            self.items.clear()
        else:
            for position in self.items.slice_positions(0, self.items.size):
                self.discard(position, observed)

    def keeps_traces(self) -> bool:
        return False

    def is_live(self) -> bool:
        return self.items.size > 0

    def min_dot(self) -> Dot:
        lowest = 0
        for position, held in self.pairs():
            dot = made_by(position) if type(held) is bytes else held.min_dot()
            if lowest == 0 or dot < lowest:
                lowest = dot
        return lowest

    def pairs(self) -> list[tuple[Position, Any]]:
        """Return all positions with their contents, in order."""
        size = self.items.size
        positions, things = self.items.slice_positions(0, size), self.items.slice_things(0, size)
        return list(zip(positions, things, strict=True))

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
        return self.items.slice_positions(start, stop)

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

    def registers(self) -> list[tuple[bytes, Value]]:
        pairs = enumerate(self.pairs())
        return [(b"%d" % index, held) for index, (_, held) in pairs if type(held) is not bytes]

    def visible_part(self, effect: Effect) -> object:
        if effect[1] != ASSIGN:
            return self.items.size  # the others insert elements that are new, or remove elements
        held = self.items.get(effect[4])
        return held if held is None or type(held) is bytes else held.value

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, List)
        ours, given = dict(self.pairs()), dict(other.pairs())
        self.items = Blocks(self.items.block_max)
        for position in sorted(ours.keys() | given.keys()):
            held, copy = ours.get(position), given.get(position)
            element = as_element(position, held) if held is not None else Element()
            twin = as_element(position, copy) if copy is not None else Element()
            element.merge(twin, mine, theirs)
            if element.is_live():
                self.items.put(position, as_plain(position, element))

    def state(self) -> Any:
        flat: list[Any] = [POSITIONS_VERSION]
        for position, held in self.pairs():
            flat += (position, held if type(held) is bytes else held.state())
        return tuple(flat)

    def load(self, state: Any) -> None:
        items = tuple_of(state, "a list")
        check_version(items[0] if items else None, POSITIONS_VERSION, "list positions")
        flat = tuple_of(items[1:], "a list", 2)
        for index in range(0, len(flat), 2):
            position, held = check_position(flat[index]), flat[index + 1]
            if type(held) is not bytes:
                element = Element()
                element.load(held)
                held = as_plain(position, element)
            self.items.put(position, held)

    def covered(self, vector: Vector) -> bool:
        for position, held in self.pairs():
            if type(held) is not bytes:
                if not held.covered(vector):
                    return False
            elif vector.get(position[-3], 0) < abs(position[-2]):
                return False
        return True

    def siblings(self) -> list[tuple[Dot, object]]:
        found: list[tuple[Dot, object]] = []
        for index, (position, held) in enumerate(self.pairs()):
            found += [(d, (index, v)) for d, v in as_element(position, held).siblings()]
        return found


def made_by(position: Position) -> Dot:
    """Return the dot of the effect that inserted the element at `position`."""
    return position[-3] << SEQ_BITS | abs(position[-2])


def as_element(position: Position, held: Any) -> Element:
    """Return the element at a position as a register."""
    if type(held) is Element:
        return held
    element = Element()
    element.dot, element.value = made_by(position), held
    return element


def as_plain(position: Position, element: Element) -> Any:
    """Return an element in its shortest form, so that equal content has equal bytes."""
    if element.plain() and element.stamp == 0 and element.dot == made_by(position):
        return element.value
    return element


def check_position(position: Any) -> Position:
    """Return `position` if it is one. Raises DecodeError."""
    if not is_position(position):
        check_origins(position, is_position, "a list's position")
        raise DecodeError("a list's position: expected components of four integers")
    return tuple_of(position, "a list's position")


def head_place(value: List | None, origin: int, seq: int) -> Place:
    """Return the place where effect `seq` of `origin` pushes at the head."""
    if value is None or value.items.size == 0:
        return (), 0, -1
    first = value.items.position((0, 0, 0))
    own = len(first) == 4 and first[1] == origin and -seq < first[2] < 0
    return ((), first[0], -1) if own else place_before(first, 0)


def tail_place(value: List | None, origin: int, seq: int) -> Place:
    """Return the place where effect `seq` of `origin` pushes at the tail."""
    if value is None or value.items.size == 0:
        return (), 0, 1
    last = value.items.position((-1, -1, -1))
    own = len(last) == 4 and last[1] == origin and 0 < last[2] < seq
    return ((), last[0], 1) if own else place_behind(last)


def place_before(position: Position, depth: int) -> Place:
    """Return a place before `position` that shares its first `depth` numbers.

    A `k` may already be the lowest that an effect can carry. No region reaches it, but a hostile
    peer may send it. Then the place is one component deeper.
    """
    while position[depth] == -STEP_MAX:
        if depth + 4 == len(position):
            return (*position[:depth], -STEP_MAX, 0, 0, 0), 0, -1
        depth += 4
    return position[:depth], position[depth] - 1, -1


def place_behind(position: Position) -> Place:
    """Return a place behind `position`. Where its `k` is the greatest, it is one component
    deeper."""
    depth = 0
    while position[depth] == STEP_MAX:
        depth += 4
        if depth == len(position):
            return position, 0, 1
    return position[:depth], position[depth] + 1, 1


def place_between(before: Position, after: Position, origin: int, seq: int) -> Place:
    """Return the place where effect `seq` of `origin` inserts between two neighbours."""
    parent, k, owner = before[:-4], before[-4], before[-3]
    if owner == origin and (*parent, k, origin, seq, 0) < after:
        return parent, k, 1
    parent, k, owner = after[:-4], after[-4], after[-3]
    if owner == origin and (*parent, k, origin, -seq, 0) > before:
        return parent, k, -1
    if after[: len(before)] == before:
        return place_before(after, len(before))
    return before, 0, 1


def rename_elements(value: List, names: OriginNames) -> None:
    """Rename the positions, which stay in order, and the elements that were set."""
    pairs = value.pairs()
    value.items.clear()
    for position, held in pairs:
        if isinstance(held, Register):
            rename_register(held, names)
        value.items.put(renamed_position(position, names), held)


def content(value: List) -> list[Any]:
    """Return the elements in order."""
    return list(value.values(0, value.length()))


def encoding(value: List, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a list in Redis. A limit below 0 is one of size, any other one of
    length."""
    limit = limits[LENGTH_OR_SIZE]
    bytes_max = COUNTED_BYTES_MAX if limit >= 0 else PACKED_BYTES[min(-limit, 5) - 1]
    # No list that is longer fits, so its elements need not be looked at.
    count_max = bytes_max // ITEM_BYTES if limit < 0 else max(limit, 1)
    if value.length() > count_max:
        return b"quicklist"
    size = sum([len(item) + ITEM_BYTES for item in value.values(0, value.length())])
    return b"listpack" if size <= bytes_max else b"quicklist"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="list",
    code=LIST,
    make=List,
    operations=(
        Operation(
            "insert",
            (is_place, is_step, is_sign),
            repeated=(is_bytes,),
            serves_waiters=True,
            spelling=Spelling("PUSH", SpellingForm.ELEMENTS),
        ),
        Operation(
            "assign",
            (is_stamp, is_position, is_bytes),
            spelling=Spelling("LSET", SpellingForm.POSITION),
        ),
        Operation(
            "remove",
            repeated=(is_position,),
            serves_waiters=True,
            spelling=Spelling("LREM", SpellingForm.POSITIONS),
        ),
    ),
    operations_version=("list positions", POSITIONS_VERSION),
    make_divided=List,
    redis_name=b"list",
    encoding=encoding,
    encoding_limits={LENGTH_OR_SIZE: -2},
    rename_origins=rename_elements,
    elements=frozenset,
    has_positions=True,
    is_ordered=True,
    content=content,
    text_form=TextForm("[]"),
)
