"""XREAD and XREADGROUP that wait."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.regions import Regions
from tests.crdb.waiters import Waiters

NEW = ("STREAMS", "s", ">")


@pytest.mark.rule("D-22")
def test_readers_wake_for_entries_of_any_region() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    regions.run(1, "XADD", "s", "100", "a", "b")
    regions.sync()
    here = waiters.block(1, "XREAD", "BLOCK", "0", "STREAMS", "other", "s", "$", "$", protocol=3)
    there = waiters.block(2, "XREAD", "BLOCK", "0", "COUNT", "1", "STREAMS", "s", "$")
    regions.run(1, "SET", "other", "x")
    assert waiters.replies(here) == []
    regions.run(1, "XADD", "s", "110", "c", "d")
    entries = [[b"110-1", [b"c", b"d"]]]
    assert waiters.replies(here) == [("map", [[b"s", entries]])]
    regions.sync()
    assert waiters.replies(there) == [[[b"s", entries]]]


@pytest.mark.rule("STM-9")
def test_reader_skips_an_entry_in_the_past() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    regions.run(2, "XADD", "s", "90", "a", "b")
    regions.run(1, "XADD", "s", "100", "a", "b")
    waiter = waiters.block(1, "XREAD", "BLOCK", "20", "STREAMS", "s", "100-1")
    regions.sync()
    assert waiters.replies(waiter) == []
    waiters.wait(1, 30)
    assert waiters.replies(waiter) == [None]


@pytest.mark.rule("STM-20")
def test_one_of_several_consumers_gets_an_entry() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    ann = waiters.block(1, "XREADGROUP", "GROUP", "g", "ann", "BLOCK", "0", *NEW)
    bob = waiters.block(1, "XREADGROUP", "GROUP", "g", "bob", "BLOCK", "0", "NOACK", *NEW)
    regions.sync()
    regions.run(2, "XADD", "s", "5", "a", "b")
    regions.sync()
    assert waiters.replies(ann) == [[[b"s", [[b"5-2", [b"a", b"b"]]]]]]
    assert waiters.replies(bob) == []
    regions.run(1, "XADD", "s", "6", "a", "b")
    assert waiters.replies(bob) == [[[b"s", [[b"6-1", [b"a", b"b"]]]]]]
    consumers = regions.run(1, "XINFO", "CONSUMERS", "s", "g")
    assert [each[1] for each in consumers] == [b"ann", b"bob"]
    assert [each[3] for each in consumers] == [1, 0]
    assert regions.run(2, "XINFO", "CONSUMERS", "s", "g") == []


@pytest.mark.parametrize(
    ("command", "code"),
    [("DEL s", b"NOGROUP"), ("XGROUP DESTROY s g", b"NOGROUP"), ("SET s x", b"WRONGTYPE")],
)
def test_group_that_ends_wakes_its_readers(command: str, code: bytes) -> None:
    regions = Regions()
    waiters = Waiters(regions)
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    regions.sync()
    waiting = [
        waiters.block(region, "XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", *NEW)
        for region in (1, 2)
    ]
    regions.run(1, *command.split())
    regions.sync()
    for waiter in waiting:
        (reply,) = waiters.replies(waiter)
        assert isinstance(reply, ErrorReply)
        assert reply.text.startswith(code)


@pytest.mark.rule("STM-24")
def test_history_shows_deleted_entries_as_null() -> None:
    regions = Regions(1)
    for ms in (1, 2, 3):
        regions.run(1, "XADD", "s", ms, "a", "b")
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0")
    regions.run(1, "XREADGROUP", "GROUP", "g", "c", *NEW)
    regions.run(1, "XDEL", "s", "2-1")
    regions.instances[1].slice_items = 1
    history = regions.run(1, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0")
    fields = [b"a", b"b"]
    assert history == [[b"s", [[b"1-1", fields], [b"2-1", None], [b"3-1", fields]]]]
    pending = regions.run(1, "XPENDING", "s", "g", "-", "+", "9")
    assert [each[3] for each in pending] == [2, 1, 2]


def test_group_delivers_in_slices() -> None:
    regions = Regions(1)
    regions.run(1, "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    for ms in range(1, 9):
        regions.run(1, "XADD", "s", ms, "a", "b")
    regions.instances[1].slice_items = 3
    found = regions.run(1, "XREADGROUP", "GROUP", "g", "c", "COUNT", "7", *NEW)
    assert [entry[0] for entry in found[0][1]] == [b"%d-1" % ms for ms in range(1, 8)]
    assert regions.run(1, "XPENDING", "s", "g")[0] == 7
