"""JSON texts: strict parsing, and printing as RedisJSON prints.

Texts are parsed and printed by Python's `json`, in C. It accepts more than JSON: NaN, infinities,
halves of surrogate pairs, and integers of any length. They are refused here, or become floats, as
in RedisJSON. Of two members with one name the last one counts, at the place of the first one.

A parsed text is a *plain value*: None, bool, int, float, str, list or dict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn, cast

import attrs

from crdt.structures.runs import INDEX_MAX

DEPTH_MAX: Final = 128
"""The most containers that may be nested in a document, as in RedisJSON. No function that visits a
document by recursion goes deeper."""
INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 64) - 1
"""Greater integers, and smaller ones than `INTEGER_MIN`, are kept as floats."""
LONG_INTEGER: Final = re.compile(rb"[0-9]{19}")
DOUBTFUL: Final = re.compile(rb"[0-9][eE][+-]?[0-9]{3}|[0-9]{300}|\\u[dD][89a-fA-F]")
"""Matches in each text with a number that is too large, or with half of a surrogate pair. It may
match in other texts too."""
EXPONENT: Final = re.compile(r"[0-9]e[-+]?[0-9]")
TOO_DEEP: Final = "recursion limit exceeded"
TOO_LONG: Final = f"an array has more than {INDEX_MAX + 1} elements"
OUT_OF_RANGE: Final = "number out of range"
NOT_UNICODE: Final = "lone surrogate in a string"
NOT_UTF_8: Final = "Couldn't parse as UTF-8 string"

MESSAGES: Final = {
    "Expecting value": "expected value",
    "Extra data": "trailing characters",
    "Expecting property name enclosed in double quotes": "key must be a string",
    "Expecting ':' delimiter": "expected `:`",
    "Expecting ',' delimiter": "expected `,` or the end of the container",
    "Unterminated string starting at": "EOF while parsing a string",
    "Invalid control character at": "control character found while parsing a string",
}
"""The words of RedisJSON for the errors of Python's parser."""


class InvalidJson(ValueError):
    """A text is not JSON, or JSON that is too deep or too long."""


def refuse_constant(name: str) -> NoReturn:
    """Raise InvalidJson. The parser calls this at NaN and at infinities."""
    raise InvalidJson(f"expected value: {name} is not JSON")


def bounded_integer(digits: str) -> int | float:
    """Return an integer of 64 bits, with or without a sign, or else the nearest float."""
    if len(digits) <= 21:
        number = int(digits)
        if INTEGER_MIN <= number <= INTEGER_MAX:
            return number
    return float(digits)


def parse(text: bytes) -> Any:
    """Return the plain value of a text. O(size). Raises InvalidJson.

    >>> parse(b'{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise InvalidJson(NOT_UTF_8) from None
    try:
        if LONG_INTEGER.search(text):
            value = json.loads(decoded, parse_constant=refuse_constant, parse_int=bounded_integer)
        else:
            value = json.loads(decoded, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidJson(message_of(error)) from None
    except RecursionError:
        raise InvalidJson(TOO_DEEP) from None
    check_value(value, text)
    return value


def message_of(error: json.JSONDecodeError) -> str:
    """Return the text of an error, with the place in the words of RedisJSON."""
    what = MESSAGES.get(error.msg, error.msg)
    if error.pos >= len(error.doc.rstrip()) and not what.startswith("EOF"):
        what = "EOF while parsing a value"
    return f"{what} at line {error.lineno} column {error.colno}"


def check_value(value: Any, text: bytes) -> None:
    """Raise InvalidJson if a value, which was parsed from `text`, cannot be held."""
    if text.count(b"[") + text.count(b"{") > DEPTH_MAX and depth_of(value) > DEPTH_MAX:
        raise InvalidJson(TOO_DEEP)
    if len(text) > INDEX_MAX and longest_array(value) > INDEX_MAX + 1:
        raise InvalidJson(TOO_LONG)
    if DOUBTFUL.search(text):
        text_of(value)


def is_object(value: object) -> bool:
    """Return whether a plain value is an object."""
    return type(value) is dict


def is_array(value: object) -> bool:
    """Return whether a plain value is an array."""
    return type(value) is list


def depth_of(value: Any) -> int:
    """Return how many containers are nested: 0 for a scalar, 1 for `[]`, and not more than
    `DEPTH_MAX` + 1. O(size)."""
    depth = 0
    level = containers_in([value])
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = containers_in_all(level)
    return depth


def longest_array(value: Any) -> int:
    """Return the length of the longest array in a value that is not too deep."""
    longest = 0
    level = containers_in([value])
    while level:
        longest = max([longest, *[len(each) for each in level if is_array(each)]])
        level = containers_in_all(level)
    return longest


def containers_in_all(level: list[Any]) -> list[Any]:
    """Return the containers directly in these containers."""
    found: list[Any] = []
    for each in level:
        found += containers_in(each.values() if is_object(each) else each)
    return found


def containers_in(items: Iterable[Any]) -> list[Any]:
    """Return the containers among these values."""
    return [item for item in items if is_object(item) or is_array(item)]


def text_of(value: Any, *, is_sorted: bool = False) -> bytes:
    """Return the shortest text of a plain value. Members keep their order, or are sorted by name.
    O(size). Raises InvalidJson if a number is too large, or a string is not Unicode."""
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            sort_keys=is_sorted,
            check_circular=False,
        )
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidJson(NOT_UNICODE) from None
    except ValueError:
        raise InvalidJson(OUT_OF_RANGE) from None


def string_text(item: str) -> str:
    """Return a string as JSON."""
    return json.dumps(item, ensure_ascii=False)


def number_text(number: float) -> str:
    """Return a number as RedisJSON prints it: `1e-7`, where Python prints `1e-07`.

    >>> [number_text(each) for each in (7, 2.0, 1e16, 1e-05, 1.5e-07)]
    ['7', '2.0', '1e16', '0.00001', '1.5e-7']
    """
    text = repr(number)
    mantissa, mark, power = text.partition("e")
    if not mark:
        return text
    exponent = int(power)
    if exponent == -5:  # the smallest that is printed without an exponent
        sign = "-" if number < 0 else ""
        return f"{sign}0.0000{mantissa.lstrip('-').replace('.', '')}"
    return f"{mantissa}e{exponent}"


@attrs.frozen
class Layout:
    """The white space between the parts of a printed text."""

    indent: str = ""
    newline: str = ""
    space: str = ""


COMPACT: Final = Layout()


def print_value(value: Any, layout: Layout = COMPACT) -> bytes:
    """Return the text of a plain value as JSON.GET replies it. O(size)."""
    if layout == COMPACT:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), check_circular=False)
        if not EXPONENT.search(text):
            return text.encode()
    pieces: list[str] = []
    print_pieces(value, layout, layout.newline, pieces)
    return "".join(pieces).encode()


def print_pieces(value: Any, layout: Layout, line: str, pieces: list[str]) -> None:
    """Append the text of a value in pieces. `line` ends a line and begins one at this depth."""
    kind = cast(object, type(value))
    if kind is str:
        pieces.append(string_text(value))
    elif kind is int or kind is float:
        pieces.append(number_text(value))
    elif kind is not dict and kind is not list:
        pieces.append("null" if value is None else "true" if value else "false")
    elif not value:
        pieces.append("{}" if kind is dict else "[]")
    else:
        inner = line + layout.indent
        pieces.append("{" if kind is dict else "[")
        mark = inner
        for item in value:
            pieces.append(mark)
            if kind is dict:
                pieces.append(f"{string_text(item)}:{layout.space}")
            print_pieces(value[item] if kind is dict else item, layout, inner, pieces)
            mark = "," + inner
        pieces.append(line)
        pieces.append("}" if kind is dict else "]")
