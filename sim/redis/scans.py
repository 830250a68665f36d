"""The model of SSCAN, HSCAN and ZSCAN, which return a small collection in one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sim.redis.hashes import fields_of
from sim.redis.sets import members_of
from sim.redis.sorted_sets import scores_of
from sim.redis.state import (
    Act,
    AnyOrder,
    CommandFailure,
    RedisModel,
    UndefinedReply,
    Words,
    flatten,
    integer,
    items_in,
    score_text,
)

WHOLE_MAX: Final = 128
"""The largest number of elements that are returned in one page."""
BEGIN: Final = "0"
"""The cursor that begins a scan. The model knows no other."""
LAST_PAGE: Final = "0"
"""The cursor in the reply that ends a scan."""


def matches_glob(pattern: str, text: str) -> bool:
    r"""Return whether `text` fits a pattern: `*`, `?`, `[a-c]`, `[^a]`, and `\` before a character.

    An empty text fits the empty pattern alone.
    """
    return fits(pattern, text) if text else not pattern


def fits(pattern: str, text: str) -> bool:
    """Return whether the rest of a text fits the rest of a pattern."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[i:]) for i in range(len(text) + 1))
    if not text:
        return False
    if pattern[0] == "[":
        inside, _, rest = pattern[1:].partition("]")
        is_negated = inside.startswith("^")
        return is_in_ranges(inside[is_negated:], text[0]) != is_negated and fits(rest, text[1:])
    if pattern[0] == "\\" and len(pattern) > 1:
        pattern = pattern[1:]
        return pattern[0] == text[0] and fits(pattern[1:], text[1:])
    return pattern[0] in {"?", text[0]} and fits(pattern[1:], text[1:])


def is_in_ranges(ranges: str, character: str) -> bool:
    """Return whether a character is in ranges such as `a-cx`."""
    while ranges:
        if ranges[1:2] == "-" and len(ranges) > 2:
            low, high, ranges = ranges[0], ranges[2], ranges[3:]
        else:
            low, high, ranges = ranges[0], ranges[0], ranges[1:]
        if min(low, high) <= character <= max(low, high):
            return True
    return False


def option_of(options: Sequence[str], token: str, default: str) -> str:
    """Return the value of an option, or `default` if it is not given."""
    given = dict(zip(options[::2], options[1::2], strict=True))
    return given.get(token, default)


def scan_elements(
    read: Callable[[RedisModel, str], Mapping[str, str | None]],
    db: RedisModel,
    args: Words,
    found: Any,
) -> Any:
    """Execute a scan. `read` returns the elements with the values that are returned with them.

    The elements may be returned in any order.
    """
    key, cursor, *options = args
    elements = read(db, key)
    if len(elements) > WHOLE_MAX or cursor != BEGIN:
        raise UndefinedReply
    if not elements:
        return [LAST_PAGE, []]
    if integer(option_of(options, "COUNT", "10")) < 1:
        raise CommandFailure
    pattern = option_of(options, "MATCH", "*")
    items: list[tuple[str, ...]] = [
        (name,) if value is None else (name, value)
        for name, value in elements.items()
        if pattern == "*" or matches_glob(pattern, name)
    ]
    page = flatten(items)
    reply = items_in(found)
    width = len(items[0]) if items else 1
    is_right = reply[:1] == [LAST_PAGE] and AnyOrder(tuple(page), width).equals(reply[-1])
    return reply if is_right else [LAST_PAGE, page]


def read_members(db: RedisModel, key: str) -> dict[str, str | None]:
    """Return the members of a set. They have no values."""
    return dict.fromkeys(members_of(db, key))


def read_scores(db: RedisModel, key: str) -> dict[str, str]:
    """Return the members of a sorted set with their scores."""
    return {member: score_text(score) for member, score in scores_of(db, key).items()}


SCAN_COMMANDS: Final[dict[str, Act]] = {
    "SSCAN": partial(scan_elements, read_members),
    "HSCAN": partial(scan_elements, fields_of),
    "ZSCAN": partial(scan_elements, read_scores),
}
