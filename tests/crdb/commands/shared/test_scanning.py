"""Cursors and options of the SCAN family, as Redis reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdb.commands.shared.scanning import Scan, is_whole, parse_cursor, parse_options
from crdb.engine.errors import INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX, CommandError
from crdt.structures.places import CURSOR_MARK
from tests.crdb.regions import Regions


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
def test_cursor_is_read_as_c_reads_it(text: bytes, cursor: int) -> None:
    assert parse_cursor(text) == cursor


@pytest.mark.parametrize(
    "text", [b"x", b"1x", b" 1", b"1 ", b"-", b"18446744073709551616", b"9" * 31, b"\xb2"]
)
def test_invalid_cursor_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_cursor(text)
    assert refused.value.text == INVALID_CURSOR


def test_options_come_in_any_order_and_last_counts() -> None:
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
    ("size", "prefix", "integers", "whole"),
    [
        (128, b"m", False, True),
        (129, b"m", False, False),
        (129, b"m", True, False),
        (129, b"1", True, True),
        (129, b"1", False, False),
        (512, b"1", True, True),
        (513, b"1", True, False),
    ],
)
def test_small_and_integer_collections_are_scanned_whole(
    size: int, prefix: bytes, integers: bool, whole: bool
) -> None:
    members = {prefix + b"%d" % n: n for n in range(size)}
    assert is_whole(members, 0, integers=integers) is whole


def test_walk_of_collection_that_became_small_goes_on() -> None:
    """The contents of earlier pages must not be returned again."""
    assert is_whole({b"a": 1}, 7)
    assert is_whole({b"a": 1}, (1 << 64) - 1)
    assert not is_whole({b"a": 1}, CURSOR_MARK)


WALKS = [("SCAN",), ("SSCAN", "s"), ("HSCAN", "h"), ("ZSCAN", "z")]


def fill(regions: Regions, first: int, last: int) -> None:
    """Add members `first` to `last` to every collection."""
    for n in range(first, last):
        regions.run(1, "SET", f"m{n}", n)
        regions.run(1, "SADD", "s", f"m{n}")
        regions.run(1, "HSET", "h", f"m{n}", n)
        regions.run(1, "ZADD", "z", n, f"m{n}")


def empty(regions: Regions, first: int, last: int) -> None:
    """Remove what `fill` has added."""
    for n in range(first, last):
        for words in (("DEL",), ("SREM", "s"), ("HDEL", "h"), ("ZREM", "z")):
            regions.run(1, *words, f"m{n}")


def page(regions: Regions, walk: tuple[str, ...], cursor: bytes) -> tuple[bytes, list[bytes]]:
    """Return one page of about 20, without scores and values."""
    cursor, items = regions.run(1, walk[0], *walk[1:], cursor, "COUNT", 20, "MATCH", "m*")
    return cursor, items[::2] if walk[0] in {"HSCAN", "ZSCAN"} else items


@pytest.mark.parametrize("walk", WALKS)
def test_quiet_walk_returns_everything_once(walk: tuple[str, ...]) -> None:
    """Keys that were written again before the walk are included."""
    regions = Regions(1)
    fill(regions, 0, 600)
    page(regions, walk, b"0")
    empty(regions, 0, 300)
    fill(regions, 0, 300)
    cursor, seen = page(regions, walk, b"0")
    while cursor != b"0":
        cursor, more = page(regions, walk, cursor)
        assert len(more) <= 20
        seen += more
    assert sorted(seen) == sorted(b"m%d" % n for n in range(600))


@pytest.mark.parametrize("walk", WALKS)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fill", "empty", "renew", "replace", "merge", "page"]),
            st.integers(0, 350),
            st.integers(1, 200),
        ),
        max_size=12,
    )
)
@settings(max_examples=15)
def test_walk_during_writes_returns_remaining_keys_once(
    walk: tuple[str, ...], steps: list[tuple[str, int, int]]
) -> None:
    regions = Regions(2)
    fill(regions, 0, 250)
    stays = {b"m%d" % n for n in range(250)}
    cursor, seen = page(regions, walk, b"0")
    for act, first, many in steps:
        if act == "fill":
            fill(regions, first, first + many)
        elif act in {"empty", "renew"}:
            stays -= {b"m%d" % n for n in range(first, first + many)}
            empty(regions, first, first + many)
            if act == "renew":
                fill(regions, first, first + many)
        elif act == "replace":  # a key is written over by another of the same content
            regions.run(1, "SUNIONSTORE", "s", "s")
            regions.run(1, "ZUNIONSTORE", "z", 1, "z")
            regions.transaction(1, ("COPY", "h", "g"), ("RENAME", "g", "h"))
        elif act == "merge":
            regions.merge(1, 2)
            regions.run(2, "SADD", "s", "other")
            regions.merge(2, 1)
        elif cursor != b"0":
            cursor, more = page(regions, walk, cursor)
            seen += more
    while cursor != b"0":
        cursor, more = page(regions, walk, cursor)
        seen += more
    assert len(seen) == len(set(seen))
    assert stays <= set(seen)


class Walked:
    """A value that is read page by page. It ends at the cursor 20."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        self.counts.append(count)
        return (cursor + count) % 20, [b"a", b"b"]


def read(scan: Scan, cursor: int, items: int = 100) -> tuple[int, list[bytes]]:
    for _ in scan.read(cursor, items):
        pass
    return scan.following, scan.shown


def test_page_of_small_value_is_whole() -> None:
    args = [b"SSCAN", b"s", b"0", b"MATCH", b"[ac]"]
    assert read(Scan(args, Walked(), [b"c", b"b", b"a"]), 0) == (0, [b"c", b"a"])
    assert read(Scan(args, Walked(), {b"a": 1, b"b": 2}), 0) == (0, [b"a"])


def test_page_of_large_value_follows_cursor() -> None:
    args = [b"SSCAN", b"s", b"0", b"MATCH", b"[ac]", b"COUNT", b"7"]
    assert read(Scan(args, Walked(), None), 5) == (12, [b"a"])


def test_large_page_is_read_in_slices() -> None:
    args = [b"SSCAN", b"s", b"0", b"COUNT", b"7"]
    value = Walked()
    scan = Scan(args, value, None)
    assert (scan.cost(5), scan.cost(100)) == (5, 7)
    assert read(scan, 5, items=3) == (12, [b"a", b"b"] * 3)
    assert value.counts == [3, 3, 1]


def test_large_page_ends_with_the_walk() -> None:
    args = [b"SSCAN", b"s", b"0", b"COUNT", b"1000"]
    value = Walked()
    assert read(Scan(args, value, None), 10, items=5) == (0, [b"a", b"b"] * 2)
