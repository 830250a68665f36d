"""The parts of a parsed JSONPath.

A path is a sequence of selectors. Each selects some of the children of a value, and the next one
continues from those. A filter selects the children for which an expression holds.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import attrs

VALUES_PER_SLOT: Final = 8
"""The most values for each slot that a document counts."""
WALKS_MAX: Final = 4
"""More walks than these are not told apart."""


@attrs.frozen
class NameSelector:
    """`.a`, `["a"]` or `["a","b"]`: members of an object by name."""

    names: tuple[str, ...]


@attrs.frozen
class IndexSelector:
    """`[0]` or `[0,-1]`: elements of an array. Negative indexes count from the end."""

    indexes: tuple[int, ...]


@attrs.frozen
class SliceSelector:
    """`[start:stop:step]`: elements of an array, as in Python. The step is positive."""

    start: int | None
    stop: int | None
    step: int


@attrs.frozen
class WildcardSelector:
    """`*`: all members or elements."""


@attrs.frozen
class DescentSelector:
    """`..`: the value itself and everything in it, from which the next selector continues."""


@attrs.frozen
class FilterSelector:
    """`[?(...)]`: the members or elements for which an expression holds."""

    expression: Expression


@attrs.frozen
class LiteralTerm:
    """A number, a string, true, false or null in an expression."""

    value: Any


@attrs.frozen(eq=False)
class PathTerm:
    """`@.a` or `$.a` in an expression: the values that a path selects."""

    is_root: bool
    """True if the path begins at the root of the document, and not at the child in question."""
    selectors: tuple[Selector, ...]


@attrs.frozen
class ExistsTest:
    """A term alone. It holds if the term has a value."""

    term: Term


@attrs.frozen
class ComparisonTest:
    """Two terms with an operator: `==`, `!=`, `<`, `<=`, `>`, `>=` or `=~`."""

    left: Term
    operator: str
    right: Term


@attrs.frozen
class NotExpression:
    """`!`: holds if the expression does not."""

    inner: Expression


@attrs.frozen
class AnyExpression:
    """`||`: holds if one of the parts does."""

    parts: tuple[Expression, ...]


@attrs.frozen
class AllExpression:
    """`&&`: holds if all parts do."""

    parts: tuple[Expression, ...]


Selector: TypeAlias = (
    NameSelector
    | IndexSelector
    | SliceSelector
    | WildcardSelector
    | DescentSelector
    | FilterSelector
)
Term: TypeAlias = LiteralTerm | PathTerm
Expression: TypeAlias = ExistsTest | ComparisonTest | NotExpression | AnyExpression | AllExpression


@attrs.frozen
class JsonPath:
    """A parsed path."""

    selectors: tuple[Selector, ...]
    text: str
    """The path as JSONPath: a path in the syntax of RedisJSON 1 has got a `$`."""
    original: str
    """The path as it was given."""
    is_legacy: bool
    """True for a path in the syntax of RedisJSON 1, such as `.a.b` or `a[0]`. Commands reply with
    one value then, and not with an array of all matches."""

    def is_root(self) -> bool:
        """Return whether the path is that of the root."""
        return not self.selectors

    def is_static(self) -> bool:
        """Return whether the path names one place."""
        return all(is_single(selector) for selector in self.selectors)

    def visits_max(self, size: int) -> int:
        """Return about the most values that a walk visits in a document of `size` slots. Each `..`
        and each filter may visit all of them for each value that those before have found."""
        if self.is_static():
            return 0
        walks = self.text.count("..") + self.text.count("?")
        values = size + len(self.text)
        return values if walks < 2 else (VALUES_PER_SLOT * values) ** min(walks, WALKS_MAX)


def is_single(selector: Selector) -> bool:
    """Return whether a selector names one member or element."""
    if isinstance(selector, NameSelector):
        return len(selector.names) == 1
    return isinstance(selector, IndexSelector) and len(selector.indexes) == 1
