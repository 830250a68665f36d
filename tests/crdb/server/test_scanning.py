"""Cursors and options of the SCAN family, as Redis reads them."""

from __future__ import annotations

import pytest

from crdb.server.errors import INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX, CommandError
from crdb.server.scanning import is_whole, parse_cursor, parse_options


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        (b"0", 0),
        (b"", 0),
        (b"+17", 17),
        (b"-1", (1 << 64) - 1),
        (b"18446744073709551615", (1 << 64) - 1),
        (b"007", 7),
    ],
)
def test_a_cursor_is_read_as_c_reads_it(text: bytes, cursor: int) -> None:
    assert parse_cursor(text) == cursor


@pytest.mark.parametrize(
    "text", [b"x", b"1x", b" 1", b"1 ", b"-", b"18446744073709551616", b"9" * 31, b"\xb2"]
)
def test_what_is_no_cursor_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_cursor(text)
    assert refused.value.text == INVALID_CURSOR


def test_options_come_in_any_order_and_the_last_counts() -> None:
    args = [b"SCAN", b"0", b"type", b"set", b"COUNT", b"5", b"match", b"a*", b"count", b"6"]
    options = parse_options(args, 2, typed=True)
    assert options.count == 6
    assert options.type_name == b"set"
    assert options.select([b"b", b"ab", b"a", b"ab"]) == [b"ab", b"a"]


def test_without_options_ten_names_of_any_kind_are_wanted() -> None:
    options = parse_options([b"SCAN", b"0", b"MATCH", b"*"], 2)
    assert options.count == 10
    assert options.select([b"b", b"a", b"b"]) == [b"b", b"a"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([b"COUNT"], SYNTAX),
        ([b"COUNT", b"0"], SYNTAX),
        ([b"COUNT", b"x"], NOT_AN_INTEGER),
        ([b"TYPE", b"set"], SYNTAX),
        ([b"OTHER", b"1"], SYNTAX),
    ],
)
def test_wrong_options_are_refused(words: list[bytes], text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_options([b"SSCAN", b"s", b"0", *words], 3)
    assert refused.value.text == text


@pytest.mark.parametrize(
    ("size", "prefix", "whole"),
    [
        (128, b"m", True),
        (129, b"m", False),
        (129, b"1", True),
        (512, b"1", True),
        (513, b"1", False),
    ],
)
def test_small_collections_and_those_of_integers_are_given_whole(
    size: int, prefix: bytes, whole: bool
) -> None:
    members = {prefix + b"%d" % n: n for n in range(size)}
    assert is_whole(members) is whole
