"""Flags: something is on or off, and one of the two wins when both are chosen at once.

An enable and a disable each replace what they observed. The enable-wins flag is on while an enable
holds it; a disable leaves nothing behind. The disable-wins flag is on while an enable holds it and
no disable holds it out, so a disable leaves a dot, which is forgotten as in `set_remove_wins`. A
flag that is off is no key (rule KEY-15). They are the two sets with one member (Shapiro et al.,
2011).
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Dot, Vector, covers
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.types.base import Value
from crdt.types.definition import Operation, TypeDefinition
from crdt.types.set import Dots, check_dots, dots_of, join_dots, merge_members, unobserved
from crdt.wire.decoding import items_of

ENABLE_WINS: Final = 9
DISABLE_WINS: Final = 10
ENABLE: Final = 0  #   (code, operation, key)
DISABLE: Final = 1  #  (code, operation, key)

NO_DOTS: Final[Dots] = ()


class Flag(Value):
    """The dots that hold a flag on, and those that hold it off."""

    __slots__ = ("disables", "enables")

    def __init__(self) -> None:
        self.enables: Dots = NO_DOTS
        self.disables: Dots = NO_DOTS

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.remove(observed, None)
        if effect[1] == ENABLE:
            self.enables = with_dot(self.enables, dot)
        elif effect[0] == DISABLE_WINS:
            self.disables = with_dot(self.disables, dot)

    def remove(self, observed: Observed, resets: object) -> None:
        self.enables = shortest(unobserved(self.enables, observed))
        self.disables = shortest(unobserved(self.disables, observed))

    def is_live(self) -> bool:
        return self.enables != () and self.disables == ()

    def is_empty(self) -> bool:
        return self.enables == () and self.disables == ()

    def min_dot(self) -> Dot:
        return min(dots_of(self.enables), default=0)

    def visible(self) -> object:
        return self.is_live()

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Flag)
        self.enables = merge_dots(self.enables, other.enables, mine, theirs)
        self.disables = merge_dots(self.disables, other.disables, mine, theirs)

    def has_garbage(self) -> bool:
        return self.disables != ()

    def collect(self, stable: Vector) -> bool:
        if self.disables != ():
            dots = dots_of(self.disables) + dots_of(self.enables)
            if not all(covers(stable, dot) for dot in dots):
                return True
            self.enables = self.disables = NO_DOTS
        return False

    def state(self) -> Any:
        return (self.enables, self.disables)

    def load(self, state: Any) -> None:
        enables, disables = items_of(state, 2, "a flag")
        self.enables = NO_DOTS if enables == () else check_dots(enables)
        self.disables = NO_DOTS if disables == () else check_dots(disables)

    def covered(self, vector: Vector) -> bool:
        return all(covers(vector, d) for d in dots_of(self.enables) + dots_of(self.disables))

    def siblings(self) -> list[tuple[Dot, object]]:
        enables: list[tuple[Dot, object]] = [(dot, True) for dot in dots_of(self.enables)]
        return enables + [(dot, False) for dot in dots_of(self.disables)]


class EnableWinsFlag(Flag):
    """A flag that is on if it has an enable that no disable has observed."""

    __slots__ = ()

    def code(self) -> int:
        return ENABLE_WINS


class DisableWinsFlag(Flag):
    """A flag that is on if it was enabled, and every disable was observed by an enable."""

    __slots__ = ()

    def code(self) -> int:
        return DISABLE_WINS


def shortest(dots: tuple[int, ...]) -> Dots:
    """Dots in their stored form: alone, or sorted."""
    return dots[0] if len(dots) == 1 else dots


def with_dot(held: Dots, dot: Dot) -> Dots:
    """Return the dots of a flag with one more."""
    return join_dots(dots_of(held), (dot,))


def merge_dots(ours: Dots, others: Dots, mine: Vector, theirs: Vector) -> Dots:
    """Return the dots of both sides, without those that either side has seen replaced."""
    held = {} if ours == () else {b"": ours}
    given = {} if others == () else {b"": others}
    return merge_members(held, given, mine, theirs).get(b"", NO_DOTS)


OPERATIONS: Final = (Operation("enable"), Operation("disable"))
ENABLE_WINS_DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="enable-wins flag", code=ENABLE_WINS, make=EnableWinsFlag, operations=OPERATIONS
)
DISABLE_WINS_DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="disable-wins flag", code=DISABLE_WINS, make=DisableWinsFlag, operations=OPERATIONS
)
