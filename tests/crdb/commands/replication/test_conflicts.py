"""CRDB.CONFLICTS: the concurrent values behind the visible one."""

from __future__ import annotations

import pytest

from crdb.commands.replication.conflicts import Candidate, candidates
from crdt.causality.dots import origin_of, region_of
from tests.crdb.regions import START_MS, Regions


def seen(regions: Regions, key: str) -> list[tuple[object, ...]]:
    """Return the candidates, which must be the same in all regions. `origin` is left out."""
    shown = [found(regions, n, key) for n in regions.replicas]
    assert all(each == shown[0] for each in shown)
    return [
        (c.kind, c.element, c.value, region_of(origin_of(c.dot)), c.stamp, c.is_shown)
        for c in shown[0]
    ]


def found(regions: Regions, region: int, key: str) -> list[Candidate]:
    return candidates(regions.instances[region].keyspace, key.encode())


def test_key_that_is_not_there_holds_nothing() -> None:
    assert seen(Regions(), "k") == []


def test_string_shows_all_concurrent_writes_shown_one_first() -> None:
    regions = Regions(3)
    for region in (1, 2, 3):
        regions.run(region, "SET", "k", f"from {region}")
        regions.now += region % 2
    regions.sync()
    assert seen(regions, "k") == [
        (b"string", None, b"from 2", 2, START_MS + 1, True),
        (b"string", None, b"from 3", 3, START_MS + 1, False),
        (b"string", None, b"from 1", 1, START_MS, False),
    ]
    regions.run(3, "SET", "k", "settled")
    regions.sync()
    assert [value for _, _, value, *_ in seen(regions, "k")] == [b"settled"]


def test_long_strings_are_shown_as_bytes() -> None:
    regions = Regions(2)
    for region in (1, 2):
        regions.run(region, "SET", "k", str(region) * 5000)
        regions.run(region, "APPEND", "k", "x")
    regions.sync()
    assert [value for _, _, value, *_ in seen(regions, "k")] == [
        b"1" * 5000 + b"x",
        b"2" * 5000 + b"x",
    ]


def test_counter_lists_sum_of_each_region() -> None:
    """Rules CTR-1 and CTR-9."""
    regions = Regions()
    regions.run(1, "INCRBY", "n", "1")
    regions.run(2, "INCRBYFLOAT", "n", "2.5")
    regions.run(1, "INCRBY", "n", "3")
    regions.sync()
    assert seen(regions, "n") == [
        (b"increment", None, b"4", 1, None, True),
        (b"increment", None, b"2.5", 2, None, True),
    ]
    regions.run(1, "SET", "n", "7")
    regions.sync()
    assert [value for _, _, value, *_ in seen(regions, "n")] == [b"7"]


def test_deleted_increments_are_not_listed() -> None:
    """Rule CTR-4: an increment that the delete had not observed remains listed."""
    regions = Regions()
    regions.run(1, "INCRBY", "n", "4")
    regions.run(2, "INCRBY", "n", "2")
    regions.run(1, "DEL", "n")
    regions.sync()
    assert seen(regions, "n") == [(b"increment", None, b"2", 2, None, True)]


@pytest.mark.rule("D-04")
def test_increments_under_text_do_not_count() -> None:
    regions = Regions(3)
    regions.run(1, "SET", "n", "text")
    regions.run(2, "SET", "n", "10")
    regions.run(3, "INCR", "n")
    regions.sync()
    assert seen(regions, "n") == [
        (b"string", None, b"text", 1, START_MS, True),
        (b"string", None, b"10", 2, START_MS, False),
        (b"increment", None, b"1", 3, None, False),
    ]


def test_field_lists_what_was_added_where_that_matters() -> None:
    """Rules HSH-4 and HSH-8."""
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1", "g", "1")
    regions.run(1, "HINCRBY", "h", "f", "2")
    regions.sync()
    assert seen(regions, "h") == [], "one region alone is in no conflict"
    regions.run(2, "HINCRBY", "h", "f", "4")
    regions.run(2, "HINCRBY", "h", "g", "5")
    regions.run(1, "HSET", "h", "g", "text")
    regions.sync()
    assert seen(regions, "h") == [
        (b"hash", b"f", b"1", 1, START_MS, True),
        (b"increment", b"f", b"2", 1, None, True),
        (b"increment", b"f", b"4", 2, None, True),
        (b"hash", b"g", b"text", 1, START_MS + 1, True),
        (b"increment", b"g", b"5", 2, None, False),
    ]


def test_of_hash_only_contested_fields_are_listed() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "calm", "x", "f", "one")
    regions.run(2, "HSET", "h", "f", "two")
    regions.sync()
    assert seen(regions, "h") == [
        (b"hash", b"f", b"one", 1, START_MS, True),
        (b"hash", b"f", b"two", 2, START_MS, False),
    ]


def test_scores_are_written_as_numbers() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1.5", "m")
    regions.run(2, "ZADD", "z", "2", "m")
    regions.sync()
    assert [value for _, _, value, *_ in seen(regions, "z")] == [b"1.5", b"2"]
    regions.run(1, "ZINCRBY", "z", "0.25", "m")
    regions.sync()
    assert seen(regions, "z")[-1] == (b"increment", b"m", b"0.25", 1, None, True)


def test_elements_of_list_are_named_by_index() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a", "b")
    regions.sync()
    regions.run(1, "LSET", "l", "1", "x")
    regions.run(2, "LSET", "l", "1", "y")
    regions.sync()
    assert seen(regions, "l") == [
        (b"list", b"1", b"x", 1, START_MS, True),
        (b"list", b"1", b"y", 2, START_MS, False),
    ]


def test_members_of_set_are_never_in_conflict() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a")
    regions.run(2, "SADD", "s", "a")
    regions.sync()
    assert seen(regions, "s") == []


@pytest.mark.rule("D-02")
def test_all_types_of_contested_key_are_listed() -> None:
    regions = Regions(3)
    regions.run(1, "SADD", "k", "m")
    regions.run(2, "SET", "k", "text")
    regions.run(3, "HSET", "k", "f", "v")
    regions.sync()
    assert seen(regions, "k") == [
        (b"set", None, None, 1, None, True),
        (b"string", None, b"text", 2, START_MS, False),
        (b"hash", None, None, 3, None, False),
    ]
    regions.run(1, "DEL", "k")
    regions.sync()
    assert seen(regions, "k") == []


@pytest.mark.rule("D-02")
def test_string_may_be_what_contested_key_shows() -> None:
    regions = Regions()
    regions.run(1, "SET", "k", "text")
    regions.run(2, "SADD", "k", "m")
    regions.sync()
    assert seen(regions, "k") == [
        (b"string", None, b"text", 1, START_MS, True),
        (b"set", None, None, 2, None, False),
    ]


@pytest.mark.rule("EXP-1")
def test_concurrent_deadlines_are_listed_longest_first() -> None:
    regions = Regions(3)
    regions.run(1, "SADD", "s", "m")
    regions.sync()
    regions.run(1, "PEXPIRE", "s", "1000")
    regions.run(2, "PEXPIRE", "s", "5000")
    regions.run(3, "PERSIST", "s")
    regions.sync()
    assert seen(regions, "s") == [
        (b"expiry", None, b"never", 3, None, True),
        (b"expiry", None, b"%d" % (START_MS + 5000), 2, None, False),
        (b"expiry", None, b"%d" % (START_MS + 1000), 1, None, False),
    ]
