"""Commands on entries: the modes of ids, long replies, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.declared import key_positions
from tests.crdb.regions import START_MS, Regions

MODE = "crdt-xadd-id-uniqueness-mode"


def test_positions_of_keys() -> None:
    assert key_positions(b"XREAD COUNT 1 STREAMS a b 0 0") == [4, 5]
    assert key_positions(b"XREADGROUP GROUP streams c STREAMS a 0") == [5]


@pytest.mark.rule("D-11")
@pytest.mark.rule("STM-3")
@pytest.mark.rule("STM-4")
def test_strict_mode_puts_the_region_into_ids() -> None:
    regions = Regions(1)
    first = b"%d-1" % START_MS
    assert regions.run(1, "CONFIG", "GET", MODE) == [MODE.encode(), b"strict"]
    assert regions.run(1, "XADD", "s", "*", "a", "b") == first
    assert regions.run(1, "XADD", "s", "*", "a", "b") == b"%d-257" % START_MS
    assert regions.run(1, "XADD", "t", "110", "a", "b") == b"110-1"
    assert regions.run(1, "XADD", "t", "110-*", "a", "b") == b"110-257"
    refused = regions.run(1, "XADD", "t", "120-1", "a", "b")
    assert isinstance(refused, ErrorReply)
    assert refused.text.startswith(b"ERR whole IDs are refused")


@pytest.mark.rule("STM-5")
@pytest.mark.rule("STM-7")
def test_semi_strict_mode_accepts_whole_ids() -> None:
    regions = Regions()
    for region in (1, 2):
        regions.run(region, "CONFIG", "SET", MODE, "semi-strict")
        assert regions.run(region, "XADD", "s", "100-1", "r", region) == b"100-1"
        assert regions.run(region, "XADD", "t", "100", "r", region) == b"100-%d" % region
    regions.sync()
    entries = [[b"100-1", [b"r", b"1"]], [b"100-1", [b"r", b"2"]]]
    assert regions.everywhere("XRANGE", "s", "-", "+") == entries
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0")
    found = regions.run(1, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
    assert found == [[b"s", entries]]
    assert regions.run(1, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0") == found
    assert regions.run(1, "XCLAIM", "s", "g", "d", "0", "100-1") == entries
    assert regions.run(2, "XDEL", "s", "100-1") == 1
    regions.sync()
    assert regions.everywhere("XLEN", "s") == 0


@pytest.mark.rule("STM-6")
def test_liberal_mode_counts_from_zero() -> None:
    regions = Regions(1)
    regions.run(1, "CONFIG", "SET", MODE, "liberal")
    assert regions.run(1, "XADD", "s", "110", "a", "b") == b"110-0"
    assert regions.run(1, "XADD", "s", "110-*", "a", "b") == b"110-1"
    assert regions.run(1, "XADD", "s", "*", "a", "b") == b"%d-0" % START_MS
    assert regions.run(1, "XADD", "s", "*", "a", "b") == b"%d-1" % START_MS


def test_long_replies_are_sent_in_slices() -> None:
    regions = Regions(1)
    for ms in range(1, 30):
        regions.run(1, "XADD", "s", ms, "a", "b")
    commands = [
        ("XRANGE", "s", "-", "+"),
        ("XREVRANGE", "s", "20", "3"),
        ("XRANGE", "s", "-", "+", "COUNT", "15"),
        ("XREAD", "STREAMS", "s", "s", "0", "5"),
        ("XREAD", "COUNT", "9", "STREAMS", "s", "0"),
        ("XDEL", "s", *range(1, 9)),
        ("XINFO", "STREAM", "s", "FULL", "COUNT", "0"),
    ]
    copy = Regions(1)
    for ms in range(1, 30):
        copy.run(1, "XADD", "s", ms, "a", "b")
    copy.instances[1].slice_items = 3
    for command in commands:
        assert copy.run(1, *command) == regions.run(1, *command)


@pytest.mark.rule("STM-12")
def test_transaction_adds_and_reads() -> None:
    regions = Regions()
    replies = regions.transaction(
        1,
        ["MULTI"],
        ["XADD", "s", "1", "a", "b"],
        ["XLEN", "s"],
        ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
        ["EXEC"],
    )
    assert replies[-1] == [b"1-1", 1, None]
    regions.sync()
    assert regions.everywhere("XLEN", "s") == 1
