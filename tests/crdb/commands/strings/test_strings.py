"""Commands on strings, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import Status
from tests.crdb.regions import Regions, both

OK = Status(b"OK")


OLD = ("SET", "x", "old")


@pytest.mark.rule("STR-2")
def test_later_of_two_sets_is_shown() -> None:
    assert both(("SET", "x", "a"), ("SET", "x", "b"), OLD).everywhere("GET", "x") == b"b"


@pytest.mark.rule("ORD-8")
def test_lower_region_wins_at_same_time() -> None:
    regions = Regions(2)
    regions.run(2, "SET", "x", "b")
    regions.run(1, "SET", "x", "a")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"a"


@pytest.mark.rule("ORD-6")
def test_observing_write_wins_despite_clocks() -> None:
    regions = both(("SET", "x", "a"), ("SET", "x", "b"))
    regions.now -= 1_000_000
    regions.run(1, "SET", "x", "slow clock")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"slow clock"


@pytest.mark.rule("KEY-3")
def test_set_survives_concurrent_delete() -> None:
    assert both(("SET", "x", "new"), ("DEL", "x"), OLD).everywhere("GET", "x") == b"new"
    assert both(("DEL", "x"), ("SET", "x", "new"), OLD).everywhere("GET", "x") == b"new"
    assert both(("GETDEL", "x"), ("APPEND", "x", "!"), OLD).everywhere("GET", "x") == b"old!"


@pytest.mark.rule("KEY-1")
def test_two_deletes_delete() -> None:
    assert both(("DEL", "x"), ("GETDEL", "x"), OLD).everywhere("EXISTS", "x") == 0


@pytest.mark.rule("STR-4")
def test_later_whole_result_is_shown() -> None:
    regions = both(("APPEND", "x", "-1"), ("APPEND", "x", "-2"), OLD)
    assert regions.everywhere("GET", "x") == b"old-2"
    regions = both(("SETRANGE", "x", "0", "A"), ("SETRANGE", "x", "2", "B"), OLD)
    assert regions.everywhere("GET", "x") == b"olB"


@pytest.mark.rule("STR-5")
def test_conditions_test_what_this_region_sees() -> None:
    regions = Regions(2)
    assert regions.run(1, "SETNX", "x", "a") == 1
    regions.now += 1
    assert regions.run(2, "SET", "x", "b", "NX") == OK
    regions.sync()
    assert regions.everywhere("GET", "x") == b"b"
    assert regions.run(1, "SET", "x", "c", "NX") is None
    assert regions.run(1, "MSETNX", "x", "c", "y", "c") == 0


@pytest.mark.rule("STR-6")
def test_set_ends_time_to_live_against_concurrent_longer_one() -> None:
    brief = ("SET", "x", "old", "EX", "100")
    regions = both(("SET", "x", "new"), ("EXPIRE", "x", "1000"), brief)
    assert regions.everywhere("GET", "x") == b"new"
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.rule("EXP-13")
def test_time_to_live_of_set_takes_part_in_conflict() -> None:
    regions = both(("SET", "x", "new", "EX", "100"), ("EXPIRE", "x", "50"), OLD)
    assert regions.everywhere("TTL", "x") == 100
    regions = both(("SET", "x", "new", "EX", "50"), ("EXPIRE", "x", "100"), OLD)
    assert regions.everywhere("TTL", "x") == 100
    regions = both(("SET", "x", "new", "KEEPTTL"), ("EXPIRE", "x", "100"), OLD)
    assert regions.everywhere("TTL", "x") == 100


def test_mset_is_one_operation() -> None:
    regions = Regions(2)
    regions.run(1, "MSET", "x", "1", "y", "2")
    (op,) = regions.replicas[1].since({})
    assert len(op.effects) == 2


def test_read_writes_nothing() -> None:
    regions = Regions(1)
    regions.run(1, "SET", "x", "old")
    before = regions.replicas[1].vector
    for words in (("GET", "x"), ("MGET", "x", "y"), ("STRLEN", "x"), ("GETRANGE", "x", "0", "1")):
        regions.run(1, *words)
    assert regions.replicas[1].vector == before
