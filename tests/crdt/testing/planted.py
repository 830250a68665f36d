"""User types: correct ones, and wrong ones with typical bugs."""

from __future__ import annotations

from typing import Any, Final

from crdt import DecodeError
from crdt.causality.dots import Dot
from crdt.causality.observed import Observed
from crdt.types.custom import Seen

ADD: Final = 0
REMOVE: Final = 1
WRITE: Final = 0


class Cart:
    """An add-wins set: elements by the dots that hold them in."""

    code = 128

    def __init__(self) -> None:
        self.dots: dict[Dot, bytes] = {}

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        operation, element = effect
        self.dots = {
            d: held for d, held in self.dots.items() if not (held == element and observed.covers(d))
        }
        if operation == ADD:
            self.dots[dot] = element

    def check(self, effect: tuple[Any, ...]) -> None:
        if len(effect) != 2 or not isinstance(effect[1], bytes) or effect[0] not in (ADD, REMOVE):
            raise DecodeError("no effect of a cart")

    def remove(self, observed: Observed) -> None:
        self.dots = {dot: held for dot, held in self.dots.items() if not observed.covers(dot)}

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        kept = {d: e for d, e in self.dots.items() if d in other.dots or not theirs.covers(d)}
        new = {d: e for d, e in other.dots.items() if not mine.covers(d)}
        self.dots = kept | new

    def value(self) -> Any:
        return set(self.dots.values())

    def is_live(self) -> bool:
        return bool(self.dots)

    def state(self) -> Any:
        return tuple(sorted(self.dots.items()))

    def load(self, state: Any) -> None:
        self.dots = dict(state)


class ForgetfulCart(Cart):
    """Its merge cannot distinguish a removed element from one that it has never seen."""

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        self.dots |= other.dots


class GreedyCart(Cart):
    """Its remove also takes away elements that it has not seen."""

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        operation, element = effect
        self.dots = {d: held for d, held in self.dots.items() if held != element}
        if operation == ADD:
            self.dots[dot] = element


class UnsortedCart(Cart):
    """Its state is written in the order of arrival."""

    def state(self) -> Any:
        return tuple(self.dots.items())


class OneSidedCart(Cart):
    """Its effect does one thing at its origin and another elsewhere."""

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        if effect[0] == ADD or observed.is_local:
            super().apply(effect, dot, observed)


class LossyCart(Cart):
    """Its state leaves out an element."""

    def state(self) -> Any:
        return tuple(sorted(self.dots.items())[:1])


class Register:
    """A last-writer-wins register that keeps its siblings. A write has a stamp and a value."""

    code = 129

    def __init__(self) -> None:
        self.writes: dict[Dot, tuple[int, bytes]] = {}

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        self.remove(observed)
        self.writes[dot] = (effect[1], effect[2])

    def remove(self, observed: Observed) -> None:
        self.writes = {dot: w for dot, w in self.writes.items() if not observed.covers(dot)}

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        kept = {d: w for d, w in self.writes.items() if d in other.writes or not theirs.covers(d)}
        new = {d: w for d, w in other.writes.items() if not mine.covers(d)}
        self.writes = kept | new

    def shown(self) -> list[tuple[int, Dot, bytes]]:
        return sorted((-stamp, dot, value) for dot, (stamp, value) in self.writes.items())

    def value(self) -> Any:
        return self.shown()[0][2] if self.writes else None

    def is_live(self) -> bool:
        return bool(self.writes)

    def state(self) -> Any:
        return tuple((dot, *self.writes[dot]) for dot in sorted(self.writes))

    def load(self, state: Any) -> None:
        self.writes = {dot: (stamp, value) for dot, stamp, value in state}


class HastyRegister(Register):
    """Drops the sibling immediately, so a delete of the winner alone leaves nothing."""

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        super().apply(effect, dot, observed)
        winner = self.shown()[0][1]
        self.writes = {winner: self.writes[winner]}


class UndecidedRegister(Register):
    """Lets the order of arrival decide between equal stamps."""

    def value(self) -> Any:
        stamps = [stamp for stamp, _ in self.writes.values()]
        return next((v for s, v in self.writes.values() if s == max(stamps)), None)


class Tally:
    """A counter. Increments are kept by dot, so a delete takes back only those that it saw."""

    code = 130

    def __init__(self) -> None:
        self.increments: dict[Dot, int] = {}

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        self.increments[dot] = effect[1]

    def remove(self, observed: Observed) -> None:
        self.increments = {d: n for d, n in self.increments.items() if not observed.covers(d)}

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        ours, given = self.increments, other.increments
        self.increments = {d: n for d, n in ours.items() if d in given or not theirs.covers(d)}
        self.increments |= {d: n for d, n in given.items() if not mine.covers(d)}

    def value(self) -> Any:
        return sum(self.increments.values())

    def is_live(self) -> bool:
        return bool(self.increments)

    def state(self) -> Any:
        return tuple(sorted(self.increments.items()))

    def load(self, state: Any) -> None:
        self.increments = dict(state)


class StubbornTally(Tally):
    """Its key stays when everything in it has been deleted."""

    def is_live(self) -> bool:
        return True


class DoubleTally(Tally):
    """A total, and the amount that each delete subtracts. Two concurrent deletes subtract it
    twice."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: dict[Dot, int] = {}

    def remove(self, observed: Observed) -> None:
        seen = sum(n for d, n in self.increments.items() if observed.covers(d))
        self.deleted[observed.dot()] = seen

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        self.increments |= other.increments
        self.deleted |= other.deleted

    def value(self) -> Any:
        return sum(self.increments.values()) - sum(self.deleted.values())

    def is_live(self) -> bool:
        return self.value() != 0

    def is_empty(self) -> bool:
        return not self.increments

    def state(self) -> Any:
        return tuple(sorted(self.increments.items())), tuple(sorted(self.deleted.items()))

    def load(self, state: Any) -> None:
        self.increments, self.deleted = dict(state[0]), dict(state[1])


class Blocklist:
    """A remove-wins set. Removes are kept until all replicas have seen them and the adds that they
    suppress."""

    code = 131

    def __init__(self) -> None:
        self.dots: dict[Dot, tuple[int, bytes]] = {}

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        self.dots = {
            d: held
            for d, held in self.dots.items()
            if not (held[1] == effect[1] and observed.covers(d))
        }
        self.dots[dot] = (effect[0], effect[1])

    def remove(self, observed: Observed) -> None:
        self.dots = {dot: held for dot, held in self.dots.items() if not observed.covers(dot)}

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        kept = {d: e for d, e in self.dots.items() if d in other.dots or not theirs.covers(d)}
        self.dots = kept | {d: e for d, e in other.dots.items() if not mine.covers(d)}

    def value(self) -> Any:
        out = {element for operation, element in self.dots.values() if operation == REMOVE}
        return {element for _, element in self.dots.values()} - out

    def is_live(self) -> bool:
        return bool(self.value())

    def is_empty(self) -> bool:
        return not self.dots

    def min_dot(self) -> Dot:
        return min(dot for dot, held in self.dots.items() if held[1] in self.value())

    def has_garbage(self) -> bool:
        return any(operation == REMOVE for operation, _ in self.dots.values())

    def collect(self, stable: Seen) -> bool:
        for element in {
            element for operation, element in self.dots.values() if operation == REMOVE
        }:
            about = [dot for dot, held in self.dots.items() if held[1] == element]
            if all(self.forgettable(dot, stable) for dot in about):
                for dot in about:
                    del self.dots[dot]
        return self.has_garbage()

    def forgettable(self, dot: Dot, stable: Seen) -> bool:
        return stable.covers(dot)

    def state(self) -> Any:
        return tuple((dot, *self.dots[dot]) for dot in sorted(self.dots))

    def load(self, state: Any) -> None:
        self.dots = {dot: (operation, element) for dot, operation, element in state}


class RashBlocklist(Blocklist):
    """Forgets removes although an add that they suppress may still be in transit."""

    def forgettable(self, dot: Dot, stable: Seen) -> bool:
        return True


class HoardingBlocklist(Blocklist):
    """Never forgets a remove."""

    def collect(self, stable: Seen) -> bool:
        return self.has_garbage()
