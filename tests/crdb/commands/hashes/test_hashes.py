"""Commands on hashes, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import pytest

from crdb.commands.shared.sampling import REPEATED_MAX
from crdb.resp.decoder import ErrorReply
from tests.crdb.regions import Regions

WRONG_TYPE = ErrorReply(b"WRONGTYPE Operation against a key holding the wrong kind of value")


def fill(regions: Regions, key: str, size: int) -> dict[bytes, bytes]:
    pairs = {f"field-{n}": f"value-{n}" for n in range(size)}
    words = [word for pair in pairs.items() for word in pair]
    assert regions.run(1, "HSET", key, *words) == size
    return {field.encode(): value.encode() for field, value in pairs.items()}


def test_hrandfield_draws_all_fields() -> None:
    regions = Regions()
    pairs = fill(regions, "h", 20)
    assert set(regions.run(1, "HRANDFIELD", "h", -1000)) == set(pairs)
    assert len(set(regions.run(1, "HRANDFIELD", "h", 7))) == 7
    assert len(set(regions.run(1, "HRANDFIELD", "h", 2))) == 2
    assert regions.run(1, "HRANDFIELD", "h") in pairs
    flat = regions.run(1, "HRANDFIELD", "h", -50, "WITHVALUES")
    assert len(flat) == 100
    assert set(zip(flat[::2], flat[1::2], strict=True)) <= set(pairs.items())


def test_hrandfield_refuses_more_than_reply_should_hold() -> None:
    regions = Regions()
    fill(regions, "h", 1)
    refused = regions.run(1, "HRANDFIELD", "h", -REPEATED_MAX - 1)
    assert refused == ErrorReply(b"ERR value is out of range")


def test_hscan_of_large_hash_sees_every_field() -> None:
    regions = Regions()
    pairs = fill(regions, "h", 1000)
    seen: dict[bytes, bytes] = {}
    cursor, calls = b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, page = regions.run(1, "HSCAN", "h", cursor, "COUNT", 100)
        seen |= dict(zip(page[::2], page[1::2], strict=True))
        calls += 1
    assert seen == pairs
    assert calls == 10


@pytest.mark.rule("HSH-1")
def test_concurrent_writes_of_two_fields_unite() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1")
    regions.run(2, "HSET", "h", "g", "2")
    regions.sync()
    assert regions.everywhere("HMGET", "h", "f", "g") == [b"1", b"2"]


@pytest.mark.rule("HSH-1")
def test_concurrent_removes_of_field_remove() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1")
    regions.sync()
    assert regions.run(1, "HDEL", "h", "f") == 1
    assert regions.run(2, "HDEL", "h", "f") == 1
    regions.sync()
    assert regions.everywhere("EXISTS", "h") == 0


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.rule("HSH-3")
def test_later_of_concurrent_writes_of_field_is_shown(first: int) -> None:
    regions = Regions()
    regions.run(first, "HSET", "h", "f", "earlier", "g", "x")
    regions.now += 1
    regions.run(3 - first, "HSET", "h", "f", "later")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"later"
    assert regions.everywhere("HLEN", "h") == 2


@pytest.mark.rule("HSH-3")
def test_lower_region_wins_tie() -> None:
    regions = Regions(3)
    for region in (3, 1, 2):
        regions.run(region, "HSET", "h", "f", f"from {region}")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"from 1"


@pytest.mark.rule("HSH-3")
def test_later_write_wins_despite_slow_clock() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "old", "g", "old")
    regions.sync()
    regions.now -= 5000
    regions.run(2, "HSET", "h", "f", "new", "g", "new")
    regions.sync()
    assert regions.everywhere("HMGET", "h", "f", "g") == [b"new", b"new"]


@pytest.mark.rule("HSH-4")
def test_concurrent_increments_add_up() -> None:
    regions = Regions(3)
    regions.run(1, "HSET", "h", "n", "10")
    regions.sync()
    assert regions.run(1, "HINCRBY", "h", "n", "1") == 11
    assert regions.run(2, "HINCRBY", "h", "n", "20") == 30
    assert regions.run(3, "HINCRBY", "h", "n", "-300") == -290
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"-269"


@pytest.mark.rule("HSH-4")
def test_concurrent_increments_of_no_field_add_up() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "1")
    regions.run(2, "HINCRBYFLOAT", "h", "n", "0.5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"1.5"
    assert regions.run(1, "HINCRBY", "h", "n", "1") == ErrorReply(
        b"ERR hash value is not an integer"
    )


@pytest.mark.rule("HSH-5")
def test_remove_leaves_only_increment_it_had_not_seen() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "100")
    regions.sync()
    regions.run(1, "HDEL", "h", "n")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"5"


@pytest.mark.rule("HSH-5")
def test_removed_sum_is_taken_out_exactly() -> None:
    regions = Regions()
    regions.run(1, "HINCRBYFLOAT", "h", "n", "4.1")
    regions.sync()
    regions.run(1, "HDEL", "h", "n")
    regions.run(2, "HINCRBYFLOAT", "h", "n", "2")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"2"


@pytest.mark.rule("HSH-6")
def test_write_survives_concurrent_remove() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "old")
    regions.sync()
    regions.run(1, "HDEL", "h", "f")
    regions.run(2, "HSET", "h", "f", "new")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"new"


@pytest.mark.rule("HSH-7")
def test_delete_leaves_only_field_that_is_written_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1", "g", "2")
    regions.run(1, "HINCRBY", "h", "n", "3")
    regions.sync()
    regions.run(1, "DEL", "h")
    regions.run(2, "HSET", "h", "new", "4")
    regions.sync()
    assert regions.everywhere("HGETALL", "h") == [b"4", b"new"]


@pytest.mark.rule("HSH-8")
def test_increment_adds_to_number_that_is_set_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "1")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "10")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"15"


@pytest.mark.rule("HSH-8")
def test_increment_is_lost_to_text_that_is_set_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "1")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "ten")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"ten"


@pytest.mark.rule("D-06")
def test_field_that_was_set_can_be_incremented() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "5")
    assert regions.run(1, "HINCRBY", "h", "n", "1") == 6
    regions.sync()
    assert regions.run(2, "HINCRBY", "h", "n", "1") == 7
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"7"


@pytest.mark.rule("CTR-9")
def test_write_takes_out_increments_it_saw() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "5")
    regions.run(2, "HINCRBY", "h", "n", "7")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "1", "other", "x")
    regions.run(2, "HINCRBY", "h", "n", "10")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"11"


@pytest.mark.rule("D-05")
def test_increment_beyond_59_bits_is_refused() -> None:
    regions = Regions()
    most = (1 << 59) - 1
    assert regions.run(1, "HINCRBY", "h", "n", most) == most
    overflow = ErrorReply(b"ERR increment or decrement would overflow")
    assert regions.run(1, "HINCRBY", "h", "n", 1) == overflow
    assert regions.run(1, "HGET", "h", "n") == b"%d" % most


def test_float_increment_never_becomes_infinite() -> None:
    regions = Regions()
    assert regions.run(1, "HINCRBYFLOAT", "h", "n", "1e4932").startswith(b"1")
    refused = ErrorReply(b"ERR increment would produce NaN or Infinity")
    assert regions.run(1, "HINCRBYFLOAT", "h", "n", "1e4932") == refused


@pytest.mark.rule("D-05")
def test_what_one_region_has_added_is_not_bounded() -> None:
    regions = Regions()
    most = (1 << 59) - 1
    for _ in range(40):
        assert regions.run(1, "HINCRBY", "h", "n", most) == most
        regions.sync()
        assert regions.run(2, "HINCRBY", "h", "n", -most) == 0
        regions.sync()
    assert regions.run(1, "HINCRBY", "h", "n", 16) == 16


def test_hset_is_one_operation_and_one_effect() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "a", "1", "b", "2", "c", "3")
    (op,) = regions.replicas[1].since({})
    assert len(op.effects) == 1


@pytest.mark.rule("STR-5")
def test_hsetnx_succeeds_in_two_regions_and_later_is_shown() -> None:
    regions = Regions()
    assert regions.run(1, "HSETNX", "h", "f", "one") == 1
    regions.now += 1
    assert regions.run(2, "HSETNX", "h", "f", "two") == 1
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"two"
    assert regions.run(1, "HSETNX", "h", "f", "three") == 0
