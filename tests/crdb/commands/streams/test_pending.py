"""Pending entries that are claimed, in slices too."""

from __future__ import annotations

import pytest

from tests.crdb.commands.streams.test_groups import filled


@pytest.mark.rule("STM-21")
def test_pending_entries_belong_to_a_region() -> None:
    regions = filled()
    regions.sync()
    assert regions.run(2, "XPENDING", "s", "g", "-", "+", "9") == []
    assert regions.run(2, "XCLAIM", "s", "g", "d", "0", "1-1") == []
    pending = regions.run(1, "XPENDING", "s", "g", "-", "+", "9")
    assert [each[0] for each in pending] == [b"%d-1" % ms for ms in range(1, 6)]


def test_claims_run_in_slices() -> None:
    regions = filled()
    ids = [b"%d-1" % ms for ms in range(1, 6)]
    assert regions.run(1, "XCLAIM", "s", "g", "d", "0", *ids, "JUSTID") == ids
    assert regions.run(1, "XAUTOCLAIM", "s", "g", "e", "0", "0", "JUSTID") == [b"0-0", ids, []]
    regions.now += 50
    idle = regions.run(1, "XPENDING", "s", "g", "IDLE", "50", "-", "+", "9", "e")
    assert [each[2] for each in idle] == [50] * 5
    assert regions.run(1, "XPENDING", "s", "g", "IDLE", "51", "-", "+", "9") == []


def test_autoclaim_goes_on_where_it_ended() -> None:
    regions = filled(100)
    found = regions.run(1, "XAUTOCLAIM", "s", "g", "d", "0", "0", "COUNT", "2", "JUSTID")
    assert found == [b"3-1", [b"1-1", b"2-1"], []]
    regions.run(1, "XDEL", "s", "3-1")
    found = regions.run(1, "XAUTOCLAIM", "s", "g", "d", "0", "3-1", "JUSTID")
    assert found == [b"0-0", [b"4-1", b"5-1"], [b"3-1"]]


@pytest.mark.rule("STM-18")
def test_dropped_entries_free_acknowledgements() -> None:
    regions = filled(100)
    regions.run(1, "XACK", "s", "g", "2-1", "3-1", "4-1", "5-1")
    regions.run(1, "XDEL", "s", "1-1")
    assert regions.run(1, "XCLAIM", "s", "g", "d", "0", "1-1") == []
    regions.sync()
    assert regions.run(2, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">") is None


def test_claim_sets_times_and_counts() -> None:
    regions = filled(100)
    claim = ("XCLAIM", "s", "g", "d", "0", "1-1", "IDLE", "40", "RETRYCOUNT", "9", "LASTID", "9")
    regions.run(1, *claim)
    assert regions.run(1, "XPENDING", "s", "g", "-", "+", "1") == [[b"1-1", b"d", 40, 9]]
    regions.run(1, "XADD", "s", "8", "a", "b")
    assert regions.run(1, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">") is None
