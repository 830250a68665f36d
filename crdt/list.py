"""Lists: elements at positions that are never used twice.

A position is a tuple of components `(k, origin, s, i)`, flat, compared lexicographically; `s` is
plus or minus the sequence number of the effect that made it and `i` the index inside the effect.
A push continues its own run at that end or opens a new `k`; an insert in the middle continues its
own run, or goes one component deeper. So the elements that one region pushes stay together and in
order (rules LST-2, LST-11, D-08), positions of queues stay one component long, and a removed
element leaves nothing behind: observed removes name positions (rules LST-3 to LST-6).

Each element is a register: LSET replaces the value, the later stamp winning, and wins over a
concurrent removal (rule LST-7, D-08).
"""

from __future__ import annotations

from typing import Any, Final

from sortedcontainers import SortedDict

from crdt.dots import SEQ_BITS, SEQ_MAX, Dot, Vector
from crdt.errors import DecodeError
from crdt.keyspace import Keyspace
from crdt.observed import Observed
from crdt.register import Register
from crdt.value import Effect, Value

LIST: Final = 5
INSERT: Final = LIST << 4  #      (kind, key, parent, k, sign, value, ...)
ASSIGN: Final = LIST << 4 | 1  #  (kind, key, stamp, position, value)
REMOVE: Final = LIST << 4 | 2  #  (kind, key, position, ...)

Position = tuple[int, ...]
Place = tuple[Position, int, int]  # the parent, k and sign of an insert


class Element(Register):
    """One element of a list."""

    __slots__ = ()

    def code(self) -> int:
        return LIST

    def visible(self) -> object:
        return self.value


class List(Value):
    """Elements by position."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: Any = SortedDict()

    def code(self) -> int:
        return LIST

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        kind: int = effect[0]
        if kind == INSERT:
            sign: int = effect[4]
            head: Position = (
                *effect[2], effect[3], dot >> SEQ_BITS, sign * (dot & SEQ_MAX)
            )  # fmt: skip
            for index in range(5, len(effect)):
                element = Element()
                element.dot, element.value = dot, effect[index]
                self.items[(*head, sign * (index - 5))] = element
        elif kind == ASSIGN:
            element = self.items.get(effect[3])
            if element is None:
                element = self.items[effect[3]] = Element()
            element.write(dot, observed.base + effect[2], effect[4], observed)
        else:
            for index in range(2, len(effect)):
                self.discard(effect[index], observed)

    def discard(self, position: Position, observed: Observed) -> None:
        """Remove what was observed of one element."""
        element = self.items.get(position)
        if element is not None:
            element.remove(observed, None)
            if not element.alive():
                del self.items[position]

    def remove(self, observed: Observed, resets: object) -> None:
        if observed.everything:
            self.items.clear()
        else:
            for position in list(self.items):
                self.discard(position, observed)

    def alive(self) -> bool:
        return len(self.items) > 0

    def lowest(self) -> Dot:
        return min((element.lowest() for element in self.items.values()), default=0)

    def length(self) -> int:
        """How many elements there are."""
        return len(self.items)

    def values(self, start: int, stop: int) -> list[bytes]:
        """The elements with `start` <= index < `stop`. O(log n + elements)."""
        if start == 0 and stop >= len(self.items):
            return [element.value for element in self.items.values()]
        return [self.items[position].value for position in self.positions(start, stop)]

    def positions(self, start: int, stop: int) -> list[Position]:
        """Where the elements with `start` <= index < `stop` stand."""
        found: list[Position] = self.items.keys()[start:stop]
        return found

    def at(self, index: int) -> bytes:
        """The element at `index`, which is in range. O(log n)."""
        value: bytes = self.items.peekitem(index)[1].value
        return value

    def visible(self) -> object:
        return self.values(0, len(self.items))

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, List)
        for position in sorted(self.items.keys() | other.items.keys()):
            element = self.items.setdefault(position, Element())
            element.merge(other.items.get(position) or Element(), mine, theirs)
            if not element.alive():
                del self.items[position]

    def state(self) -> Any:
        flat: list[Any] = []
        for position, element in self.items.items():
            flat += (position, element.state())
        return tuple(flat)

    def load(self, state: Any) -> None:
        if type(state) is not tuple or len(state) % 2:
            raise DecodeError("a list's state is positions and elements in turn")
        for index in range(0, len(state), 2):
            element = Element()
            element.load(state[index + 1])
            self.items[check_position(state[index])] = element

    def siblings(self) -> list[tuple[Dot, object]]:
        pairs = [(n, s) for n, e in enumerate(self.items.values()) for s in e.siblings()]
        return [(dot, (index, value)) for index, (dot, value) in pairs]


def check_position(position: Any) -> Position:
    """`position`, if it is one. Raises DecodeError."""
    if type(position) is tuple and position and len(position) % 4 == 0:
        if all(type(item) is int for item in position):
            return position
    raise DecodeError("a list's position is components of four integers")


def head_place(value: List | None, origin: int, seq: int) -> Place:
    """Where effect `seq` of `origin` pushes at the head."""
    if value is None or not value.items:
        return (), 0, -1
    first: Position = value.items.peekitem(0)[0]
    own = len(first) == 4 and first[1] == origin and -seq < first[2] < 0
    return (), first[0] if own else first[0] - 1, -1


def tail_place(value: List | None, origin: int, seq: int) -> Place:
    """Where effect `seq` of `origin` pushes at the tail."""
    if value is None or not value.items:
        return (), 0, 1
    last: Position = value.items.peekitem(-1)[0]
    own = len(last) == 4 and last[1] == origin and 0 < last[2] < seq
    return (), last[0] if own else last[0] + 1, 1


def place_between(before: Position, after: Position, origin: int, seq: int) -> Place:
    """Where effect `seq` of `origin` inserts between two neighbours."""
    parent, k, owner = before[:-4], before[-4], before[-3]
    if owner == origin and (*parent, k, origin, seq, 0) < after:
        return parent, k, 1
    parent, k, owner = after[:-4], after[-4], after[-3]
    if owner == origin and (*parent, k, origin, -seq, 0) > before:
        return parent, k, -1
    if after[: len(before)] == before:
        return before, after[len(before)] - 1, -1
    return before, 0, 1


def held_list(db: Keyspace, key: bytes) -> List | None:
    """The list under `key`, to be written."""
    held = db.remains(key, LIST)
    assert held is None or isinstance(held, List)
    return held


def push_head(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """LPUSH: one after another before the first element."""
    parent, k, sign = head_place(held_list(db, key), db.origin, db.seq + 1)
    db.emit((INSERT, key, parent, k, sign, *values))


def push_tail(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """RPUSH: one after another behind the last element."""
    parent, k, sign = tail_place(held_list(db, key), db.origin, db.seq + 1)
    db.emit((INSERT, key, parent, k, sign, *values))


def insert(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LINSERT: put `value` before the element at `index`, or at the tail if there is none."""
    held = held_list(db, key)
    if held is None or index >= held.length():
        push_tail(db, key, [value])
    elif index == 0:
        push_head(db, key, [value])
    else:
        before, after = held.positions(index - 1, index + 1)
        parent, k, sign = place_between(before, after, db.origin, db.seq + 1)
        db.emit((INSERT, key, parent, k, sign, value))


def assign(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LSET: replace the element at `index`, which exists."""
    held = held_list(db, key)
    assert held is not None
    position, element = held.items.peekitem(index)
    stamp = max(db.now, element.stamp + 1)
    db.emit((ASSIGN, key, stamp - db.base, position, value))


def remove(db: Keyspace, key: bytes, positions: list[Position]) -> None:
    """Remove the elements at these positions (LREM, LTRIM, pops)."""
    if positions:
        db.emit((REMOVE, key, *positions))


def pop(db: Keyspace, key: bytes, index: int) -> bytes:
    """Remove and return the first (0) or last (-1) element of an existing list (rule LST-4)."""
    held = held_list(db, key)
    assert held is not None
    position, element = held.items.peekitem(index)
    value: bytes = element.value
    db.emit((REMOVE, key, position))
    return value
