"""Sets in which a remove wins over a concurrent add.

Adds and removes of a member both leave a dot, and each replaces the dots that it observed. A member
is present while it has a dot of an add and no dot of a remove. So a remove suppresses concurrent
adds, until a region that has seen the remove adds the member again (the dual of Bieniusa et al.,
"An optimized conflict-free replicated set", 2012).

A remove is kept, also for a missing member, because an add in transit could still arrive. When the
removes of a member and the adds that they suppress are stable, both are collected: every later
write to the member has observed them.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_bytes
from crdt.types.base import Value
from crdt.types.definition import Operation, TypeDefinition
from crdt.types.set import (
    Dots,
    are_covered,
    check_dots,
    dots_of,
    join_dots,
    merge_members,
    unobserved,
)
from crdt.wire.decoding import bytes_of, tuple_of

REMOVE_WINS: Final = 7
ADD: Final = 0  #     (code, operation, key, member, ...)
REMOVE: Final = 1  #  (code, operation, key, member, ...)


class RemoveWinsSet(Value):
    """Members, each with the dots that hold it in and those that hold it out."""

    __slots__ = ("adds", "removes")

    def __init__(self) -> None:
        self.adds: dict[bytes, Dots] = {}
        self.removes: dict[bytes, Dots] = {}

    def code(self) -> int:
        return REMOVE_WINS

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        side = self.adds if effect[1] == ADD else self.removes
        for index in range(3, len(effect)):
            member: bytes = effect[index]
            drop_observed(self.adds, member, observed)
            drop_observed(self.removes, member, observed)
            held = side.get(member)
            side[member] = dot if held is None else join_dots(dots_of(held), (dot,))

    def remove(self, observed: Observed, resets: object) -> None:
        for side in (self.adds, self.removes):
            for member in list(side):
                drop_observed(side, member, observed)

    def has(self, member: bytes) -> bool:
        """Return whether readers see `member`."""
        return member in self.adds and member not in self.removes

    def members(self) -> list[bytes]:
        """Return the members that readers see, sorted."""
        return sorted(self.adds.keys() - self.removes.keys())

    def is_live(self) -> bool:
        return len(self.adds) > len(self.removes) or not self.adds.keys() <= self.removes.keys()

    def is_empty(self) -> bool:
        return not self.adds and not self.removes

    def min_dot(self) -> Dot:
        return min((min(dots_of(self.adds[member])) for member in self.members()), default=0)

    def visible(self) -> object:
        return self.members()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, RemoveWinsSet)
        self.adds = merge_members(self.adds, other.adds, mine, theirs)
        self.removes = merge_members(self.removes, other.removes, mine, theirs)

    def has_garbage(self) -> bool:
        return len(self.removes) > 0

    def collect(self, stable: Vector) -> bool:
        for member, held in list(self.removes.items()):
            dots = dots_of(held) + dots_of(self.adds.get(member, ()))
            if all(covers(stable, dot) for dot in dots):
                del self.removes[member]
                self.adds.pop(member, None)
        return len(self.removes) > 0

    def state(self) -> Any:
        flat: list[Any] = []
        for member in sorted(self.adds.keys() | self.removes.keys()):
            flat += (member, self.adds.get(member, ()), self.removes.get(member, ()))
        return tuple(flat)

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a remove-wins set", 3)
        for index in range(0, len(flat), 3):
            member = bytes_of(flat[index], "a member")
            if flat[index + 1] != ():
                self.adds[member] = check_dots(flat[index + 1])
            if flat[index + 2] != ():
                self.removes[member] = check_dots(flat[index + 2])

    def covered(self, vector: Vector) -> bool:
        return are_covered(self.adds.values(), vector) and are_covered(
            self.removes.values(), vector
        )

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(dot, m) for m in self.members() for dot in dots_of(self.adds[m])]


def drop_observed(side: dict[bytes, Dots], member: bytes, observed: Observed) -> None:
    """Take away the dots of one side of `member` that were observed."""
    held = side.get(member)
    if held is not None:
        left = unobserved(held, observed)
        if left:
            side[member] = join_dots(left, ())
        else:
            del side[member]


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="remove-wins set",
    code=REMOVE_WINS,
    make=RemoveWinsSet,
    operations=(
        Operation("add", repeated=(is_bytes,)),
        Operation("remove", repeated=(is_bytes,)),
    ),
)
