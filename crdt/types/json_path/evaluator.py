"""Walks that find the places that a path selects.

A walk visits the nodes of a document and copies nothing. It yields now and then, so it can be done
in slices. The values that it may visit are limited: a path with several `..` can select places of a
large document over and over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.types.json_path.patterns import TextSearch, compiled
from crdt.types.json_path.selectors import (
    AllExpression,
    AnyExpression,
    ComparisonTest,
    DescentSelector,
    ExistsTest,
    Expression,
    FilterSelector,
    IndexSelector,
    JsonPath,
    LiteralTerm,
    NameSelector,
    NotExpression,
    Selector,
    SliceSelector,
    Term,
)
from crdt.types.json_tree.places import JsonPlace
from crdt.types.json_tree.texts import is_array, is_object

VISITS_MAX: Final = 1 << 24
"""The values that one walk may visit: some ten seconds."""
VISITED_IN_SLICE: Final = 1000
FOUND_MAX: Final = 1 << 21
"""The places that one walk may find: some 300 MB."""
CONTAINERS: Final = ("object", "array")


class TooManyVisits(ValueError):
    """A path would visit, or find, more values than a walk may."""


def find_places(root: JsonPlace, path: JsonPath) -> list[JsonPlace]:
    """Return the places that a path selects, in the order of the document. Raises TooManyVisits."""
    search = PathSearch(root)
    for _ in search.run(path.selectors):
        pass
    return search.found


class PathSearch:
    """One walk over a document. `found` has the places that it has found so far."""

    __slots__ = ("found", "is_true", "known", "root", "values", "visits")

    def __init__(self, root: JsonPlace) -> None:
        self.root: JsonPlace = root
        self.found: list[JsonPlace] = []
        self.visits: int = 0
        self.is_true: bool = False
        """Whether the expression holds that was looked at last (`holds`)."""
        self.values: list[Any] = []
        """The values of the term that was looked at last (`gather`)."""
        self.known: dict[int, list[Any]] = {}
        """The values of the terms that begin at the root, by the identity of the term."""

    def run(self, selectors: tuple[Selector, ...]) -> Iterator[None]:
        """Find all places. Yield after each slice."""
        for place in self.select(self.root, selectors, 0):
            if place is None:
                yield
                continue
            self.found.append(place)
            if len(self.found) > FOUND_MAX:
                raise TooManyVisits(f"the path selects more than {FOUND_MAX} values")

    def visit(self, count: int = 1) -> bool:
        """Count visited values. Return whether a slice is over. Raises TooManyVisits."""
        before = self.visits // VISITED_IN_SLICE
        self.visits += count
        if self.visits > VISITS_MAX:
            raise TooManyVisits(f"the path visits more than {VISITS_MAX} values")
        return self.visits // VISITED_IN_SLICE > before

    def select(
        self, place: JsonPlace, selectors: tuple[Selector, ...], at: int
    ) -> Iterator[JsonPlace | None]:
        """Yield the places that the selectors from `at` on select, and None after each slice."""
        while at < len(selectors) and is_direct(selectors[at]):
            below = direct_child(place, selectors[at])
            if below is None:
                return
            place = below
            at += 1
        if self.visit():
            yield None
        if at == len(selectors):
            yield place
            return
        for child in self.children(place, selectors[at]):
            if child is None:
                yield None
            else:
                yield from self.select(child, selectors, at + 1)

    def children(self, place: JsonPlace, selector: Selector) -> Iterator[JsonPlace | None]:
        """Yield the places that one selector selects, and None after each slice."""
        if isinstance(selector, NameSelector):
            found = [place.member(name) for name in selector.names]
            yield from [each for each in found if each is not None]
        elif isinstance(selector, IndexSelector):
            found = [place.element(index) for index in selector.indexes]
            yield from [each for each in found if each is not None]
        elif isinstance(selector, SliceSelector):
            yield from sliced(place, selector)
        elif isinstance(selector, DescentSelector):
            yield from self.descend(place)
        elif isinstance(selector, FilterSelector):
            for child in place.children():
                if self.visit():
                    yield None
                yield from self.holds(selector.expression, child)
                if self.is_true:
                    yield child
        else:
            yield from place.children()

    def descend(self, place: JsonPlace) -> Iterator[JsonPlace | None]:
        """Yield a place and everything in it, parents first, and None after each slice."""
        yield place
        stack = [place.children()]
        while stack:
            child = next(stack[len(stack) - 1], None)
            if child is None:
                stack.pop()
                continue
            if self.visit():
                yield None
            yield child
            if child.kind() in CONTAINERS:
                stack.append(child.children())

    # -- filters ---------------------------------------------------------------------------

    def holds(self, expression: Expression, place: JsonPlace) -> Iterator[None]:
        """Let `is_true` tell whether an expression holds for a place. Yield after each slice."""
        if isinstance(expression, AllExpression):
            for each in expression.parts:
                yield from self.holds(each, place)
                if not self.is_true:
                    return
        elif isinstance(expression, AnyExpression):
            for each in expression.parts:
                yield from self.holds(each, place)
                if self.is_true:
                    return
        elif isinstance(expression, NotExpression):
            yield from self.holds(expression.inner, place)
            self.is_true = not self.is_true
        elif isinstance(expression, ExistsTest):
            yield from self.gather(expression.term, place)
            self.is_true = len(self.values) > 0
        else:
            yield from self.compare(expression, place)

    def gather(self, term: Term, place: JsonPlace) -> Iterator[None]:
        """Let `values` be those of a term, of which a path may have any number. Yield after each
        slice."""
        if isinstance(term, LiteralTerm):
            self.values = [term.value]
            return
        held = self.known.get(id(term)) if term.is_root else None
        if held is not None:
            self.values = held
            return
        values: list[Any] = []
        for each in self.select(self.root if term.is_root else place, term.selectors, 0):
            if each is None:
                yield
            else:
                values.append(each if each.kind() in CONTAINERS else each.value)
        self.values = values
        if term.is_root:
            self.known[id(term)] = values

    def compare(self, test: ComparisonTest, place: JsonPlace) -> Iterator[None]:
        """Let `is_true` tell whether a comparison holds. It does for several values if it does for
        one. Yield after each slice."""
        yield from self.gather(test.left, place)
        lefts = self.values
        yield from self.gather(test.right, place)
        rights = self.values
        operator = "==" if test.operator == "!=" else test.operator
        for left in lefts:
            for right in rights:
                if self.visit():
                    yield
                if operator == "=~":
                    yield from self.match(left, right)
                else:
                    self.is_true = is_ordered(left, operator, right)
                if self.is_true:
                    self.is_true = test.operator != "!="
                    return
        self.is_true = test.operator == "!="

    def match(self, text: object, pattern: object) -> Iterator[None]:
        """Let `is_true` tell whether a regular expression matches a part of a text. Yield after
        each slice."""
        self.is_true = False
        program = compiled(pattern) if isinstance(pattern, str) else None
        if program is None or not isinstance(text, str):
            return
        search = TextSearch(program, text)
        while not search.is_over:
            if self.visit(search.advance()):
                yield
        self.is_true = search.is_found


def is_direct(selector: Selector) -> bool:
    """Return whether a selector leads to one child, without a choice."""
    if isinstance(selector, NameSelector):
        return len(selector.names) == 1
    return isinstance(selector, IndexSelector) and len(selector.indexes) == 1


def direct_child(place: JsonPlace, selector: Selector) -> JsonPlace | None:
    """Return the child to which a selector leads, or None."""
    if isinstance(selector, NameSelector):
        return place.member(selector.names[0])
    assert isinstance(selector, IndexSelector)
    return place.element(selector.indexes[0])


def sliced(place: JsonPlace, selector: SliceSelector) -> Iterator[JsonPlace]:
    """Yield the elements of a slice; none for another value than an array."""
    if place.kind() == "array":
        bounds = slice(selector.start, selector.stop, selector.step)
        for index in range(*bounds.indices(place.size())):
            child = place.element(index)
            assert child is not None
            yield child


def plain_value(value: Any) -> Any:
    """Return the value of a term as a plain value."""
    return value.plain() if isinstance(value, JsonPlace) else value


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which true and false are not."""
    return type(value) is int or type(value) is float


def is_equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal. A number equals a float of the same size."""
    if isinstance(left, JsonPlace) or isinstance(right, JsonPlace):
        return is_same(plain_value(left), plain_value(right))
    if is_number(left) and is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def is_same(left: Any, right: Any) -> bool:
    """Return whether two plain values are of the same types and equal, to the last element."""
    if type(left) is not type(right):
        return False
    if is_object(left):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if is_array(left):
        return len(left) == len(right) and all(map(is_same, left, right))
    return bool(left == right)


def is_ordered(left: Any, operator: str, right: Any) -> bool:
    """Return whether an order, or `==`, holds between two values."""
    if operator == "==":
        return is_equal(left, right)
    if not (is_number(left) and is_number(right)):
        if type(left) is not type(right) or not isinstance(left, str | bool | None):
            return False
        if left is None:
            return operator in ("<=", ">=")
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)
