"""Commands on bitmaps, and conflicts between regions."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Word
from tests.crdb.regions import Regions


def test_later_whole_value_wins_and_bits_do_not_merge() -> None:
    """Specification 4.3, STR-4."""
    writes: list[tuple[tuple[Word, ...], tuple[Word, ...], bytes]] = [
        (("SETBIT", "x", "0", "1"), ("SETBIT", "x", "7", "1"), b"\x01"),
        (("BITFIELD", "x", "SET", "u4", "0", "15"), ("SETBIT", "x", "7", "1"), b"\x01"),
        (
            ("BITFIELD", "x", "INCRBY", "u8", "0", "1"),
            ("BITFIELD", "x", "INCRBY", "u8", "0", "2"),
            b"\x02",
        ),
        (("SETBIT", "x", "0", "1"), ("BITOP", "NOT", "x", "x"), b"\xff"),
    ]
    for first, second, result in writes:
        regions = Regions(2)
        regions.run(1, "SETRANGE", "x", "0", b"\x00")
        regions.sync()
        regions.now += 1
        regions.run(1, *first)
        regions.now += 1
        regions.run(2, *second)
        regions.sync()
        assert regions.everywhere("GET", "x") == result


@pytest.mark.rule("D-10")
def test_bitop_ends_time_to_live_and_setbit_keeps_it() -> None:
    for write, left in (("BITOP NOT x y", -1), ("SETBIT x 9 1", 1000)):
        regions = Regions(2)
        regions.run(1, "SET", "x", "old", "EX", "500")
        regions.run(1, "SET", "y", "other")
        regions.sync()
        regions.run(1, *write.split())
        regions.run(2, "EXPIRE", "x", "1000")
        regions.sync()
        assert regions.everywhere("TTL", "x") == left


def test_write_without_change_is_not_sent() -> None:
    regions = Regions(1)
    regions.run(1, "SETBIT", "x", "7", "0")
    before = regions.replicas[1].vector
    regions.run(1, "SETBIT", "x", "7", "0")
    regions.run(1, "BITFIELD", "x", "SET", "u8", "0", "0")
    regions.run(1, "BITFIELD", "x", "OVERFLOW", "FAIL", "INCRBY", "u2", "0", "9")
    assert regions.replicas[1].vector == before
