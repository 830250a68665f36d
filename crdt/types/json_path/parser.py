"""A parser of JSONPath, in the syntax of RedisJSON 2.

    path      = "$" element*
    element   = "." name | ".*" | "."? "[" bracket "]" | ".." (name | "*" | "[" bracket "]")
    bracket   = "*" | string ("," string)* | number ("," number)* | slice | "?" filter
    filter    = all ("||" all)*        all = test ("&&" test)*
    test      = "!" test | "(" filter ")" | term (operator term)?
    term      = "@" element* | "$" element* | number | string | "true" | "false" | "null"

Spaces may stand between tokens. Names after a dot have letters, digits and some signs. Other names
are quoted, in single or in double quotes. A path without `$` is one of RedisJSON 1, and gets a `$`.
"""

from __future__ import annotations

import re
from typing import Final

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
    WildcardSelector,
)

NAME: Final = re.compile(r"[A-Za-z0-9\-_`~+#%$^/:\u0080-\U0010ffff]+")
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?![0-9.])")
DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
STEP: Final = re.compile(r"[1-9][0-9]{0,17}")
OPERATOR: Final = re.compile(r"==|!=|<=|>=|=~|<|>")
WORD: Final = re.compile(r"(?:true|false|null)(?![A-Za-z0-9_])")
WORDS: Final = {"true": True, "false": False, "null": None}
PATH_CHARS_MAX: Final = 64 << 10
"""The longest path."""
NESTED_MAX: Final = 64
"""The most parentheses and filters that may be nested in a path."""


class PathError(ValueError):
    """A path cannot be parsed."""


def parse_path(given: str) -> JsonPath:
    """Return a parsed path. Raises PathError.

    >>> parse_path("$.a[-1]").selectors
    (NameSelector(names=('a',)), IndexSelector(indexes=(-1,)))
    >>> parse_path(".a").is_legacy
    True
    """
    if len(given) > PATH_CHARS_MAX:
        raise PathError(f"a path has more than {PATH_CHARS_MAX} characters")
    is_legacy = not (given[:1] == "$" and (len(given) == 1 or given[1] in ".["))
    text = given
    if is_legacy:
        text = "$" if given == "." else f"${given}" if given[:1] == "." else f"$.{given}"
    parser = PathParser(text)
    parser.at = 1
    selectors = parser.selectors()
    if parser.at < len(text):
        raise parser.error()
    return JsonPath(selectors, text, given, is_legacy)


class PathParser:
    """A position in the text of a path, and the rules of the grammar."""

    __slots__ = ("at", "depth", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        self.at: int = 0
        self.depth: int = 0

    def error(self) -> PathError:
        """Return the error for what stands here."""
        before, behind = self.text[: self.at], self.text[self.at :]
        mark = f'"{before} <<<<----"' if not behind else f'"{before} ---->>>> {behind}"'
        return PathError(f"Error occurred on position {self.at}, {mark}, parsing error.")

    # -- tokens ----------------------------------------------------------------------------

    def skip_spaces(self) -> None:
        """Go behind spaces."""
        while self.text.startswith(" ", self.at):
            self.at += 1

    def accept(self, token: str) -> bool:
        """Return whether a token stands here, and go behind it."""
        self.skip_spaces()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def expect(self, token: str) -> None:
        """Go behind a token. Raises PathError if it does not stand here."""
        if not self.accept(token):
            raise self.error()

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """Return the text here that matches a pattern, and go behind it; None if none does."""
        self.skip_spaces()
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def enter(self) -> None:
        """Count a parenthesis or a filter. Raises PathError if too many are nested."""
        self.depth += 1
        if self.depth > NESTED_MAX:
            raise PathError(f"a path has more than {NESTED_MAX} nested expressions")

    def string(self) -> str | None:
        """Return a quoted string, or None if none stands here."""
        self.skip_spaces()
        quote = self.text[self.at : self.at + 1]
        if quote not in ("'", '"'):
            return None
        found: list[str] = []
        at = self.at + 1
        while at < len(self.text) and self.text[at] != quote:
            if self.text[at] == "\\" and self.text[at + 1 : at + 2] in ("\\", "'", '"'):
                at += 1
            found.append(self.text[at])
            at += 1
        if at >= len(self.text):
            raise self.error()
        self.at = at + 1
        return "".join(found)

    # -- paths -----------------------------------------------------------------------------

    def selectors(self) -> tuple[Selector, ...]:
        """Return the selectors from here on."""
        found: list[Selector] = []
        while True:
            if self.accept(".."):
                found += (DescentSelector(), self.descendants())
            elif self.accept("["):
                found.append(self.bracket())
            elif self.accept("."):
                found.append(self.behind_dot())
            else:
                return tuple(found)

    def descendants(self) -> Selector:
        """Return the selector behind `..`."""
        return self.bracket() if self.accept("[") else self.named()

    def behind_dot(self) -> Selector:
        """Return the selector behind a dot."""
        return self.bracket() if self.accept("[") else self.named()

    def named(self) -> Selector:
        """Return the selector of a name without quotes, or of `*`."""
        if self.accept("*"):
            return WildcardSelector()
        name = self.take(NAME)
        if name is None:
            raise self.error()
        return NameSelector((name,))

    def bracket(self) -> Selector:
        """Return the selector behind an opening bracket, and go behind the closing one."""
        selector: Selector
        if self.accept("*"):
            selector = WildcardSelector()
        elif self.accept("?"):
            self.enter()
            selector = FilterSelector(self.any_of())
            self.depth -= 1
        else:
            first = self.string()
            selector = self.indexes() if first is None else self.names(first)
        self.expect("]")
        return selector

    def names(self, first: str) -> Selector:
        """Return the selector of quoted names."""
        found = [first]
        while self.accept(","):
            name = self.string()
            if name is None:
                raise self.error()
            found.append(name)
        return NameSelector(tuple(found))

    def indexes(self) -> Selector:
        """Return the selector of indexes, or of a slice."""
        first = self.number()
        if self.accept(":"):
            stop = self.number()
            step = self.take(STEP) if self.accept(":") else None
            return SliceSelector(first, stop, 1 if step is None else int(step))
        if first is None:
            raise self.error()
        found = [first]
        while self.accept(","):
            index = self.number()
            if index is None:
                raise self.error()
            found.append(index)
        return IndexSelector(tuple(found))

    def number(self) -> int | None:
        """Return an integer, or None if none stands here."""
        text = self.take(NUMBER)
        return None if text is None else int(text)

    # -- filters ---------------------------------------------------------------------------

    def any_of(self) -> Expression:
        """Return an expression of parts with `||` between them."""
        parts = [self.all_of()]
        while self.accept("||"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else AnyExpression(tuple(parts))

    def all_of(self) -> Expression:
        """Return an expression of tests with `&&` between them."""
        parts = [self.test()]
        while self.accept("&&"):
            parts.append(self.test())
        return parts[0] if len(parts) == 1 else AllExpression(tuple(parts))

    def test(self) -> Expression:
        """Return one test, perhaps in parentheses."""
        self.enter()
        result: Expression
        if self.accept("!"):
            result = NotExpression(self.test())
        elif self.accept("("):
            result = self.any_of()
            self.expect(")")
        else:
            left = self.term()
            operator = self.take(OPERATOR)
            if operator is None:
                result = ExistsTest(left)
            else:
                result = ComparisonTest(left, operator, self.term())
        self.depth -= 1
        return result

    def term(self) -> Term:
        """Return one side of a comparison."""
        if self.accept("@"):
            return PathTerm(False, self.selectors())
        if self.accept("$"):
            return PathTerm(True, self.selectors())
        word = self.take(WORD)
        if word is not None:
            return LiteralTerm(WORDS[word])
        quoted = self.string()
        if quoted is not None:
            return LiteralTerm(quoted)
        number = self.take(DECIMAL)
        if number is None:
            raise self.error()
        return LiteralTerm(float(number) if "." in number else int(number))
