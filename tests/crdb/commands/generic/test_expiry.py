"""Commands on deadlines, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Word
from tests.crdb.regions import START_MS, Regions, both

SETUPS: list[tuple[Word, ...]] = [("SET", "x", "v"), ("SADD", "x", "v"), ("INCR", "x")]


def test_key_ends_at_its_deadline() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "x", "v", "PX", "1000")
    regions.sync()
    regions.now += 400
    assert regions.everywhere("PTTL", "x") == 600
    assert regions.everywhere("TTL", "x") == 1
    assert regions.everywhere("PEXPIRETIME", "x") == START_MS + 1000
    regions.now += 600
    assert regions.everywhere("GET", "x") == b"v"
    assert regions.everywhere("TTL", "x") == 0
    regions.now += 1
    assert regions.everywhere("GET", "x") is None
    assert regions.everywhere("TTL", "x") == -2


@pytest.mark.rule("EXP-6")
def test_write_to_expired_key_starts_empty() -> None:
    for write, result in (("APPEND x new", b"new"), ("INCRBY x 7", b"7"), ("SETNX x 1", b"1")):
        regions = Regions(2)
        regions.run(1, "SET", "x", "41", "PX", "1000")
        regions.sync()
        regions.now += 2000
        regions.run(2, *write.split())
        regions.sync()
        assert regions.everywhere("GET", "x") == result
        assert regions.everywhere("TTL", "x") == -1


@pytest.mark.rule("EXP-7")
def test_write_that_expiry_has_not_seen_survives_it() -> None:
    regions = Regions(2)
    regions.run(1, "INCRBY", "x", "41")
    regions.run(1, "PEXPIRE", "x", "1000")
    regions.sync()
    regions.run(1, "INCRBY", "x", "1")
    regions.now += 2000
    regions.run(2, "INCRBY", "x", "5")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"6"
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.rule("EXP-1")
def test_longest_wins(setup: tuple[Word, ...]) -> None:
    assert both(("EXPIRE", "x", "10"), ("EXPIRE", "x", "50"), setup).everywhere("TTL", "x") == 50
    assert both(("EXPIRE", "x", "50"), ("EXPIRE", "x", "10"), setup).everywhere("TTL", "x") == 50


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.rule("EXP-2")
@pytest.mark.rule("D-10")
def test_persist_wins_also_without_time_to_live(setup: tuple[Word, ...]) -> None:
    regions = Regions(3)
    regions.run(1, *setup)
    regions.sync()
    regions.run(1, "EXPIRE", "x", "10")
    regions.run(2, "EXPIRE", "x", "50")
    assert regions.run(3, "PERSIST", "x") == 0
    regions.sync()
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.rule("EXP-2")
def test_persist_beats_concurrent_expire(setup: tuple[Word, ...]) -> None:
    brief = ("EXPIRE", "x", "100")
    regions = both(("PERSIST", "x"), ("EXPIRE", "x", "50"), setup, brief)
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.rule("EXP-3")
def test_later_expire_replaces_what_it_has_seen(setup: tuple[Word, ...]) -> None:
    regions = both(("EXPIRE", "x", "50"), ("PERSIST", "x"), setup)
    regions.run(2, "EXPIRE", "x", "10")
    regions.sync()
    assert regions.everywhere("TTL", "x") == 10


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.rule("EXP-9")
def test_deadlines_are_absolute(setup: tuple[Word, ...]) -> None:
    regions = Regions(2)
    regions.run(1, *setup)
    regions.sync()
    regions.run(1, "PEXPIREAT", "x", START_MS + 500)
    regions.run(2, "PEXPIREAT", "x", START_MS + 700)
    regions.sync()
    regions.now += 650
    assert regions.everywhere("EXISTS", "x") == 1
    regions.now += 100
    assert regions.everywhere("EXISTS", "x") == 0


@pytest.mark.rule("STR-6")
def test_set_ends_time_to_live_and_keepttl_keeps_it() -> None:
    brief = ("SET", "x", "old", "EX", "100")
    assert both(("SET", "x", "a"), ("GET", "x"), brief).everywhere("TTL", "x") == -1
    regions = both(("SET", "x", "a", "KEEPTTL"), ("GET", "x"), brief)
    assert regions.everywhere("TTL", "x") == 100


def test_delete_beside_expire_leaves_nothing() -> None:
    regions = both(("DEL", "x"), ("EXPIRE", "x", "50"), ("SADD", "x", "v"))
    assert regions.everywhere("EXISTS", "x") == 0
    regions.run(1, "SADD", "x", "new")
    regions.sync()
    assert regions.everywhere("TTL", "x") == -1


def test_getex_is_read_and_expiry() -> None:
    regions = both(("GETEX", "x", "EX", "10"), ("GETEX", "x", "EX", "50"), ("SET", "x", "v"))
    assert regions.everywhere("TTL", "x") == 50
    regions = both(("GETEX", "x", "PERSIST"), ("GETEX", "x", "EX", "50"), ("SET", "x", "v"))
    assert regions.everywhere("TTL", "x") == -1
