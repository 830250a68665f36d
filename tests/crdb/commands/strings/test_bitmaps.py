"""Commands on bitmaps, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from tests.crdb.raw import instance, lines
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


def test_commands_on_long_string_read_and_write_parts_of_it() -> None:
    """Redis' replies for strings of which only the change is sent."""
    regions = Regions(2)
    size = 100_000
    regions.run(1, "SETRANGE", "x", str(size - 1), b"\x0f")
    regions.run(1, "SETBIT", "x", "0", "1")
    for command, expected in (
        ("STRLEN x", size),
        ("GETBIT x 0", 1),
        ("GETBIT x 1", 0),
        (f"GETBIT x {8 * size - 1}", 1),
        (f"GETBIT x {8 * size}", 0),
        ("BITCOUNT x", 5),
        ("BITCOUNT x 1 -1", 4),
        (f"BITCOUNT x 1 {8 * size - 3} BIT", 2),
        ("BITPOS x 0", 1),
        ("BITPOS x 1 1", 8 * size - 4),
        ("BITPOS x 1 1 -2", -1),
        ("BITFIELD x GET u4 0 SET u8 800 255 INCRBY i8 808 -1 GET u16 800", [8, 0, -1, 65535]),
        (f"BITFIELD x GET u4 0 SET u8 {8 * size} 7 GET u8 {8 * size}", [8, 0, 7]),
        ("STRLEN x", size + 1),
        ("BITFIELD x SET u8 800 255", [255]),
        (f"BITFIELD_RO x GET u8 0 GET u8 {8 * size + 80}", [128, 0]),
        ("BITFIELD_RO none GET u8 0", [0]),
        ("BITFIELD_RO none GET u8 0 GET u8 900000", [0, 0]),
        ("BITFIELD none OVERFLOW FAIL SET u2 0 4 GET u8 900000", [None, 0]),
        ("SETBIT x 0 0", 1),
        (f"APPEND x {'y' * 9}", size + 10),
        (f"GETRANGE x {size - 1} -1", b"\x0f\x07" + b"y" * 9),
        ("GETRANGE x -2 -1", b"yy"),
        ("GETRANGE x 5 2", b""),
        ("OBJECT ENCODING x", b"raw"),
    ):
        assert regions.run(1, *command.split()) == expected, command
    regions.sync()
    (text,) = {regions.run(1, "GET", "x"), regions.run(2, "GET", "x")}
    assert isinstance(text, bytes)
    assert len(text) == size + 10
    assert regions.everywhere("STRLEN", "none") == 1


@pytest.mark.parametrize(
    ("request_line", "is_long"),
    [
        ("BITCOUNT long", True),
        ("BITCOUNT long 5 -5 BIT", True),
        ("BITPOS long 1", True),
        ("BITPOS long 0 1", False),
        ("BITPOS long 1 7 -1 BIT", True),
        ("BITOP OR other long short", True),
        ("BITOP NOT other long", True),
        ("BITOP AND other short none", False),
    ],
)
def test_long_strings_are_read_in_slices(request_line: str, is_long: bool) -> None:
    replies: list[list[bytes]] = []
    for items in (1000, 1):
        client = Client(instance())
        lines(client, "SETBIT long 800000 1", "SETRANGE short 100 abc")
        client.instance.slices.items = items
        run(client, request_line.encode() + b"\r\n")
        assert bool(client.flags & WORKING) is (is_long and items == 1)
        replies.append([receive(client, b""), *lines(client, "GETRANGE other 0 -1")])
    assert replies[0] == replies[1]
