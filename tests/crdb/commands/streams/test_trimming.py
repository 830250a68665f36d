"""The number of entries that trimming removes."""

from __future__ import annotations

import pytest

from crdb.commands.streams.trimming import Trimming
from crdt.types.stream import Stream
from tests.crdb.regions import Regions


def stream_of(size: int) -> Stream:
    regions = Regions(1)
    for ms in range(1, size + 1):
        regions.run(1, "XADD", "s", ms, "a", "b")
    value = regions.instances[1].keyspace.lookup(b"s")
    assert isinstance(value, Stream)
    return value


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ("MAXLEN 4", 21),
        ("MAXLEN = 99", 0),
        ("MINID 6", 5),
        ("MAXLEN ~ 4", 20),
        ("MAXLEN ~ 0", 25),
        ("MINID ~ 18", 10),
        ("MINID ~ 99", 25),
        ("MAXLEN ~ 0 LIMIT 19", 10),
        ("MAXLEN ~ 4 LIMIT 0", 20),
        ("LIMIT 0", 0),
    ],
)
def test_count_of_options(options: str, count: int) -> None:
    trimming = Trimming([b"XADD", b"s", *options.encode().split(), b"*"], True)
    assert trimming.count(stream_of(25), None, 10) == count


def test_new_entry_counts() -> None:
    value = stream_of(3)
    assert Trimming([b"XADD", b"s", b"MAXLEN", b"3"], True).count(value, (9, 0), 10) == 1
    assert Trimming([b"XADD", b"s", b"MINID", b"10"], True).count(value, (9, 0), 10) == 4
    assert Trimming([b"XADD", b"s", b"MAXLEN", b"~", b"0"], True).count(value, None, 0) == 3


def test_approximate_trimming_follows_the_size_of_nodes() -> None:
    regions = Regions(1)
    for ms in range(1, 10):
        regions.run(1, "XADD", "s", ms, "a", "b")
    assert regions.run(1, "XTRIM", "s", "MAXLEN", "~", "1") == 0
    regions.run(1, "CONFIG", "SET", "stream-node-max-entries", "3")
    assert regions.run(1, "XTRIM", "s", "MAXLEN", "~", "1") == 6


def test_trimming_in_slices_removes_the_same() -> None:
    regions = Regions()
    regions.instances[1].slice_items = 2
    for ms in range(1, 10):
        regions.run(1, "XADD", "s", ms, "a", "b")
    assert regions.run(1, "XTRIM", "s", "MAXLEN", "2") == 7
    assert regions.run(1, "XADD", "s", "MAXLEN", "1", "20", "a", "b") == b"20-1"
    regions.sync()
    assert regions.everywhere("XRANGE", "s", "-", "+") == [[b"20-1", [b"a", b"b"]]]
