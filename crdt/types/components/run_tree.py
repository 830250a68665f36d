"""The child runs of a list, by name.

An insertion in the middle of a list names an element that its region saw. Other regions may have
removed this element meanwhile, and still have to find its place. So a child run is kept, without
elements if need be, until every member has observed the removals of its elements. From then on
nothing that arrives can name it. Then it is forgotten, unless other runs are its children.

A run of the top level is named by its whole position, so it can be found without being kept. A
queue, of which only the ends change, leaves nothing behind.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Vector, covers, read_dot
from crdt.causality.observed import Observed
from crdt.causality.schema import KEY_MAX, STEP_MAX
from crdt.errors import DecodeError
from crdt.structures.runs import INDEX_BITS, Key, Run
from crdt.wire.decoding import integer_of, tuple_of

RUN_ITEMS: Final = 6
"""The items of a run in a state: k, dot, its parent's k, dot and key, and what removed elements."""


def is_top(dot: Dot) -> bool:
    """Return whether a run with this dot is one of the top level."""
    return dot & SEQ_MAX == 0


def element_dot(dot: Dot, key: Key) -> Dot:
    """Return the dot of the effect that inserted the element `key` of the run `dot`."""
    return dot >> SEQ_BITS << SEQ_BITS | abs(key) >> INDEX_BITS


class RunTree:
    """All child runs of a list, and those runs of the top level that have children."""

    __slots__ = ("empty", "runs", "tops")

    def __init__(self) -> None:
        self.runs: dict[Dot, Run] = {}
        self.tops: dict[tuple[int, Dot], Run] = {}
        self.empty: dict[Dot, Run] = {}
        """The child runs without elements and without children. They are garbage."""

    def top(self, k: int, dot: Dot) -> Run:
        """Return a run of the top level, which need not be held."""
        found = self.tops.get((k, dot))
        return Run(None, 0, k, dot) if found is None else found

    def find(self, dot: Dot) -> Run:
        """Return a child run. Only a hostile peer names a run that is not held. It becomes one at
        the top level, so that its elements can be found by its name from then on."""
        found = self.runs.get(dot)
        return self.add(None, 0, 0, dot) if found is None else found

    def open(self, parent: tuple[int, Dot, Key], k: int, dot: Dot) -> Run:
        """Return a new child run of an element. Its parent's run is kept from now on."""
        above = self.top(parent[0], parent[1]) if is_top(parent[1]) else self.runs.get(parent[1])
        if above is None:
            return self.find(dot)
        return self.add(above, parent[2], k, dot)

    def add(self, parent: Run | None, parent_key: Key, k: int, dot: Dot) -> Run:
        """Add a child run, which has no elements yet, or return the one of this name."""
        found = self.runs.get(dot)
        if found is not None:
            return found
        if parent is not None:
            if is_top(parent.dot):
                parent = self.tops.setdefault((parent.k, parent.dot), parent)
            parent.children += 1
            self.empty.pop(parent.dot, None)
        run = self.runs[dot] = self.empty[dot] = Run(parent, parent_key, k, dot)
        return run

    # -- elements --------------------------------------------------------------------------

    def count(self, run: Run, added: int) -> None:
        """Count elements that were added to a child run, or removed from it."""
        run.live += added
        if run.live == 0 and run.children == 0:
            self.empty[run.dot] = run
        elif added > 0:
            self.empty.pop(run.dot, None)

    def record_removal(self, run: Run, dot: Dot) -> None:
        """Record that the effect `dot` removed an element of a child run."""
        run.removed = with_dot(run.removed, dot)

    def record_delete(self, observed: Observed) -> None:
        """Record that an effect removed everything that it had observed."""
        dot = observed.dot()
        for run in self.runs.values():
            if observed.is_local or observed.covers(run.dot):
                run.removed = with_dot(run.removed, dot)

    def clear(self) -> None:
        """Record that no run has elements any more."""
        for dot, run in self.runs.items():
            run.live = 0
            if run.children == 0:
                self.empty[dot] = run

    def collect(self, stable: Vector) -> bool:
        """Forget empty runs whose removals `stable` covers. Return whether some are left."""
        for run in list(self.empty.values()):
            found: Run | None = run
            while found is not None and not is_top(found.dot):
                if found.live or found.children or not all_covered(found.removed, stable):
                    break
                found = self.forget(found)
        return len(self.empty) > 0

    def forget(self, run: Run) -> Run | None:
        """Forget an empty run. Return its parent."""
        del self.runs[run.dot], self.empty[run.dot]
        parent = run.parent
        if parent is not None:
            parent.children -= 1
            if parent.children == 0:
                if is_top(parent.dot):
                    del self.tops[parent.k, parent.dot]
                elif parent.live == 0:
                    self.empty[parent.dot] = parent
        return parent

    # -- whole trees -----------------------------------------------------------------------

    def in_order(self) -> list[Run]:
        """Return the child runs, parents first, in an order that is the same everywhere."""
        return sorted(self.runs.values(), key=depth_and_dot)

    def take_over(self, other: RunTree) -> None:
        """Add the runs of another copy, and join what is known about removals."""
        for run in other.in_order():
            parent = run.parent
            if parent is not None:
                parent = (
                    self.top(parent.k, parent.dot) if is_top(parent.dot) else self.runs[parent.dot]
                )
            held = self.add(parent, run.parent_key, run.k, run.dot)
            for dot in run.removed:
                held.removed = with_dot(held.removed, dot)

    def state(self) -> tuple[Any, ...]:
        """Return the runs as one flat tuple of `RUN_ITEMS` for each."""
        flat: list[Any] = []
        for run in self.in_order():
            parent = run.parent
            name = (0, 0) if parent is None else name_of(parent)
            flat += (run.k, run.dot, *name, run.parent_key, run.removed)
        return tuple(flat)

    def load(self, state: Any) -> None:
        """Add the runs in the result of `state`. Raises DecodeError."""
        flat = tuple_of(state, "a list's runs", RUN_ITEMS)
        for index in range(0, len(flat), RUN_ITEMS):
            k, dot, parent_k, parent_dot, parent_key, removed = flat[index : index + RUN_ITEMS]
            integer_of(k, "a run's k", -STEP_MAX, STEP_MAX)
            integer_of(parent_k, "a run's parent", -STEP_MAX, STEP_MAX)
            integer_of(parent_key, "a run's parent", -KEY_MAX, KEY_MAX)
            parent: Run | None = None
            if type(parent_dot) is not int or parent_dot != 0:
                parent = self.parent_of(parent_k, read_dot(parent_dot, "a run's parent"))
            if is_top(read_dot(dot, "a run")) or dot in self.runs:
                raise DecodeError("a list's run: its dot names no effect, or two runs")
            run = self.add(parent, parent_key, k, dot)
            for each in tuple_of(removed, "a run's removals"):
                run.removed = with_dot(run.removed, read_dot(each, "a run's removal"))

    def parent_of(self, k: int, dot: Dot) -> Run:
        """Return the parent that a state names. Raises DecodeError if it does not stand before its
        children."""
        parent = self.top(k, dot) if is_top(dot) else self.runs.get(dot)
        if parent is None:
            raise DecodeError("a list's run: its parent does not stand before it")
        return parent

    def covered(self, vector: Vector) -> bool:
        """Return whether `vector` covers all removals. A hostile peer can name a run that no effect
        has opened, so the names of runs are not looked at."""
        for run in self.runs.values():
            if not all_covered(run.removed, vector):
                return False
        return True

    def all_runs(self) -> list[Run]:
        """Return all runs that are held."""
        return [*self.tops.values(), *self.runs.values()]

    def name_again(self) -> None:
        """Hold all runs by the dots that they have now."""
        self.runs = {run.dot: run for run in self.runs.values()}
        self.tops = {(run.k, run.dot): run for run in self.tops.values()}
        self.empty = {run.dot: run for run in self.empty.values()}


def name_of(run: Run) -> tuple[int, Dot]:
    """Return the two integers that name a run: its k, and its dot. A child run needs no k."""
    return (run.k if is_top(run.dot) else 0), run.dot


def depth_and_dot(run: Run) -> tuple[int, Dot]:
    """Return a sort key for runs."""
    return run.depth, run.dot


def with_dot(dots: tuple[Dot, ...], dot: Dot) -> tuple[Dot, ...]:
    """Return the latest dots of some origins, sorted, with another dot."""
    if not dots:
        return (dot,)
    origin = dot >> SEQ_BITS
    for held in dots:
        if held >> SEQ_BITS == origin:
            if held >= dot:
                return dots
            return tuple([dot if each == held else each for each in dots])
    return tuple(sorted((*dots, dot)))


def all_covered(dots: tuple[Dot, ...], vector: Vector) -> bool:
    """Return whether `vector` covers all of some dots."""
    for dot in dots:
        if not covers(vector, dot):
            return False
    return True
