"""Ids and ranges of ids in requests."""

from __future__ import annotations

import pytest

from crdb.commands.streams.stream_ids import (
    INVALID_END,
    INVALID_ID,
    INVALID_START,
    format_id,
    parse_end,
    parse_id,
    parse_new_id,
    parse_start,
)
from crdb.engine.errors import CommandError

MAX = (1 << 64) - 1


def test_ids_are_read() -> None:
    assert parse_id(b"5") == (5, 0)
    assert parse_id(b"5-7", 3) == (5, 7)
    assert parse_id(b" +05", 3) == (5, 3)
    assert parse_new_id(b"5", True) == (5, 0)
    assert parse_new_id(b"5", False) == parse_new_id(b"5-*", True) == (5, None)
    assert parse_new_id(b"5-6", False) == (5, 6)
    assert format_id((5, 6)) == b"5-6"


@pytest.mark.parametrize("text", [b"", b"x", b"5-", b"-5", b"5-*", b"5-x", b"%d" % (MAX + 1)])
def test_others_are_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        parse_id(text)
    assert caught.value.text == INVALID_ID


def test_long_ids_are_refused() -> None:
    with pytest.raises(CommandError):
        parse_id(b"0" * 128)
    with pytest.raises(CommandError):
        parse_new_id(b"0" * 128, True)


def test_bounds_may_exclude_their_id() -> None:
    assert (parse_start(b"-"), parse_end(b"+")) == ((0, 0), (MAX, MAX))
    assert (parse_start(b"5"), parse_end(b"5")) == ((5, 0), (5, MAX))
    assert (parse_start(b"(5-1"), parse_end(b"(5-1")) == ((5, 2), (5, 0))
    assert parse_start(b"(5-%d" % MAX) == (6, 0)
    assert parse_end(b"(5-0") == (4, MAX)
    with pytest.raises(CommandError) as caught:
        parse_start(b"(%d-%d" % (MAX, MAX))
    assert caught.value.text == INVALID_START
    with pytest.raises(CommandError) as caught:
        parse_end(b"(0-0")
    assert caught.value.text == INVALID_END
