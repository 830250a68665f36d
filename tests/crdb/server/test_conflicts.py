"""Which values stand behind the one that readers see."""

from __future__ import annotations

from crdb.server.conflicts import Candidate, candidates
from crdt.dots import origin_of, region_of
from tests.crdb.regions import START_MS, Regions


def seen(regions: Regions, key: str) -> list[tuple[object, ...]]:
    """The candidates, without what `origin` says in other words; the same in all regions."""
    shown = [found(regions, n, key) for n in regions.replicas]
    assert all(each == shown[0] for each in shown)
    return [
        (c.kind, c.element, c.value, region_of(origin_of(c.dot)), c.stamp, c.is_shown)
        for c in shown[0]
    ]


def found(regions: Regions, region: int, key: str) -> list[Candidate]:
    return candidates(regions.instances[region].keyspace, key.encode())


def test_a_key_that_is_not_there_holds_nothing() -> None:
    assert seen(Regions(), "k") == []


def test_a_string_shows_all_concurrent_writes_the_shown_one_first() -> None:
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


def test_a_counter_without_a_base_holds_no_write() -> None:
    regions = Regions()
    regions.run(1, "INCRBY", "n", "1")
    regions.run(2, "INCRBY", "n", "2")
    regions.sync()
    assert seen(regions, "n") == []


def test_of_a_hash_only_contested_fields_are_listed() -> None:
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


def test_elements_of_a_list_are_named_by_index() -> None:
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


def test_members_of_a_set_are_never_in_conflict() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a")
    regions.run(2, "SADD", "s", "a")
    regions.sync()
    assert seen(regions, "s") == []


def test_d_02_all_types_of_a_contested_key_are_listed() -> None:
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


def test_d_02_a_string_may_be_what_a_contested_key_shows() -> None:
    regions = Regions()
    regions.run(1, "SET", "k", "text")
    regions.run(2, "SADD", "k", "m")
    regions.sync()
    assert seen(regions, "k") == [
        (b"string", None, b"text", 1, START_MS, True),
        (b"set", None, None, 2, None, False),
    ]


def test_exp_1_concurrent_deadlines_are_listed_the_longest_first() -> None:
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
