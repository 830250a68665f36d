"""Ids of entries in requests, and ranges of them."""

from __future__ import annotations

from typing import Final

from crdb.engine.errors import CommandError
from crdt.types.components.stream_groups import ID_MAX, ID_MIN, ID_PART_MAX, StreamId

INVALID_ID: Final = b"ERR Invalid stream ID specified as stream command argument"
INVALID_START: Final = b"ERR invalid start ID for the interval"
INVALID_END: Final = b"ERR invalid end ID for the interval"
LENGTH_MAX: Final = 127
SPACES: Final = b" \t\n\v\f\r"


def parse_part(text: bytes) -> int:
    """Return one number of an id, as C's `strtoull` reads it. Raises CommandError."""
    if not text.isdigit():
        text = text.lstrip(SPACES).removeprefix(b"+")
        if not text.isdigit():
            raise CommandError(INVALID_ID)
    number = int(text)
    if number > ID_PART_MAX:
        raise CommandError(INVALID_ID)
    return number


def parse_id(text: bytes, missing: int = 0) -> StreamId:
    """Return an id. `missing` is the second number where only milliseconds are given. Raises
    CommandError."""
    if len(text) > LENGTH_MAX:
        raise CommandError(INVALID_ID)
    ms, dash, minor = text.partition(b"-")
    return parse_part(ms), parse_part(minor) if dash else missing


def parse_new_id(text: bytes, completes: bool) -> tuple[int, int | None]:
    """Return the id of a new entry. Its second number is None if it is to be generated. If it
    `completes`, milliseconds alone stand for an id whose second number is 0 (rule STM-6)."""
    if len(text) > LENGTH_MAX:
        raise CommandError(INVALID_ID)
    ms, dash, minor = text.partition(b"-")
    if not dash and completes:
        return parse_part(ms), 0
    if not dash or minor == b"*":
        return parse_part(ms), None
    return parse_part(ms), parse_part(minor)


def parse_bound(text: bytes, missing: int) -> StreamId:
    """Return an id of a range, which may be `-` or `+`. Raises CommandError."""
    if text == b"-":
        return ID_MIN
    if text == b"+":
        return ID_MAX
    return parse_id(text, missing)


def parse_start(text: bytes) -> StreamId:
    """Return the first id of a range. With a `(` in front it is not in the range."""
    if not is_exclusive(text):
        return parse_bound(text, 0)
    ms, minor = parse_id(text[1:], 0)
    if minor < ID_PART_MAX:
        return ms, minor + 1
    if ms == ID_PART_MAX:
        raise CommandError(INVALID_START)
    return ms + 1, 0


def parse_end(text: bytes) -> StreamId:
    """Return the last id of a range. With a `(` in front it is not in the range."""
    if not is_exclusive(text):
        return parse_bound(text, ID_PART_MAX)
    ms, minor = parse_id(text[1:], ID_PART_MAX)
    if minor > 0:
        return ms, minor - 1
    if ms == 0:
        raise CommandError(INVALID_END)
    return ms - 1, ID_PART_MAX


def is_exclusive(text: bytes) -> bool:
    """Return whether a bound of a range excludes its id."""
    return len(text) > 1 and text[:1] == b"("


def format_id(last: StreamId) -> bytes:
    """Return an id as clients see it."""
    return b"%d-%d" % last
