"""Walks that find the places that a path selects.

A walk visits the nodes of a document and copies nothing. It yields now and then, so it can be done
in slices. The values that it may visit are limited: a path with several `..` can select places of a
large document over and over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.types.json_path.patterns import matches
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
    PathTerm,
    Selector,
    SliceSelector,
    Term,
)
from crdt.types.json_tree.places import JsonPlace
from crdt.types.json_tree.texts import is_array, is_object

VISITS_MAX: Final = 1 << 24
"""The values that one walk may visit: some ten seconds."""
VISITED_IN_SLICE: Final = 1000
VISITS_PER_CHARACTER: Final = 16
"""The cost of matching one character with a regular expression, in visited nodes."""
MATCHED_MAX: Final = 1 << 15
"""The longest text that is matched with a regular expression."""
CONTAINERS: Final = ("object", "array")


class TooManyVisits(ValueError):
    """A path would visit more values than a walk may."""


def find_places(root: JsonPlace, path: JsonPath) -> list[JsonPlace]:
    """Return the places that a path selects, in the order of the document. Raises TooManyVisits."""
    search = PathSearch(root)
    for _ in search.run(path.selectors):
        pass
    return search.found


class PathSearch:
    """One walk over a document. `found` has the places that it has found so far."""

    __slots__ = ("found", "known", "root", "visits")

    def __init__(self, root: JsonPlace) -> None:
        self.root: JsonPlace = root
        self.found: list[JsonPlace] = []
        self.visits: int = 0
        self.known: dict[int, list[Any]] = {}
        """The values of the terms that begin at the root, by the identity of the term."""

    def run(self, selectors: tuple[Selector, ...]) -> Iterator[None]:
        """Find all places. Yield after each slice."""
        for place in self.select(self.root, selectors, 0):
            if place is None:
                yield
            else:
                self.found.append(place)

    def visit(self) -> bool:
        """Count a visited value. Return whether a slice is over. Raises TooManyVisits."""
        self.visits += 1
        if self.visits > VISITS_MAX:
            raise TooManyVisits(f"the path visits more than {VISITS_MAX} values")
        return self.visits % VISITED_IN_SLICE == 0

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
                if self.holds(selector.expression, child):
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

    def holds(self, expression: Expression, place: JsonPlace) -> bool:
        """Return whether an expression holds for a place."""
        if isinstance(expression, AllExpression):
            return all(self.holds(each, place) for each in expression.parts)
        if isinstance(expression, AnyExpression):
            return any(self.holds(each, place) for each in expression.parts)
        if isinstance(expression, NotExpression):
            return not self.holds(expression.inner, place)
        if isinstance(expression, ExistsTest):
            return len(self.values(expression.term, place)) > 0
        return self.compare(expression, place)

    def values(self, term: Term, place: JsonPlace) -> list[Any]:
        """Return the values of a term, of which a path may have any number."""
        if isinstance(term, LiteralTerm):
            return [term.value]
        if term.is_root:
            held = self.known.get(id(term))
            if held is None:
                held = self.known[id(term)] = self.values_from(self.root, term)
            return held
        return self.values_from(place, term)

    def values_from(self, place: JsonPlace, term: PathTerm) -> list[Any]:
        """Return the values that the path of a term selects from a place on."""
        found: list[Any] = []
        for each in self.select(place, term.selectors, 0):
            if each is not None:
                is_container = each.kind() in CONTAINERS
                found.append(each if is_container else each.value)
        return found

    def compare(self, test: ComparisonTest, place: JsonPlace) -> bool:
        """Return whether a comparison holds. It does for several values if it does for one."""
        lefts, rights = self.values(test.left, place), self.values(test.right, place)
        if test.operator == "!=":
            return not any(is_equal(left, right) for left in lefts for right in rights)
        if test.operator == "=~":
            return any(self.is_match(left, right) for left in lefts for right in rights)
        return any(is_ordered(left, test.operator, right) for left in lefts for right in rights)

    def is_match(self, text: object, pattern: object) -> bool:
        """Return whether a regular expression matches a part of a text."""
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        self.visits += len(text) * VISITS_PER_CHARACTER
        if len(text) > MATCHED_MAX or self.visits > VISITS_MAX:
            raise TooManyVisits(f"=~ takes at most {MATCHED_MAX} characters, and few long texts")
        return matches(pattern, text)


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
