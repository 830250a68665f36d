"""The commands of hashes: replies as a real redis-server's, conflicts as the specification says."""

from __future__ import annotations

from random import Random

import pytest

from crdb.commands.generic.sampling import REPEATED_MAX
from tests.crdb.redis_peer import Peer, Refusal, Word
from tests.crdb.regions import Regions

WRONG_TYPE = Refusal(b"WRONGTYPE Operation against a key holding the wrong kind of value")

COMMANDS: list[tuple[Word, ...]] = [
    ("HGET", "{k}", "f"),
    ("HMGET", "{k}", "f", "g", "f"),
    ("HGETALL", "{k}"),
    ("HKEYS", "{k}"),
    ("HVALS", "{k}"),
    ("HLEN", "{k}"),
    ("HEXISTS", "{k}", "f"),
    ("HSTRLEN", "{k}", "f"),
    ("HRANDFIELD", "{k}"),
    ("HRANDFIELD", "{k}", "0"),
    ("HRANDFIELD", "{k}", "5"),
    ("HRANDFIELD", "{k}", "5", "WITHVALUES"),
    ("HRANDFIELD", "{k}", "-3"),
    ("HRANDFIELD", "{k}", "-3", "withvalues"),
    ("HSCAN", "{k}", "0"),
    ("HSCAN", "{k}", "7", "MATCH", "f*", "COUNT", "1"),
    ("HSET", "{k}", "f", "1", "g", "2", "f", "3"),
    ("HMSET", "{k}", "f", "1", "g", "2", "f", "3"),
    ("HSETNX", "{k}", "f", "9"),
    ("HDEL", "{k}", "f", "g", "f"),
    ("HINCRBY", "{k}", "f", "5"),
    ("HINCRBYFLOAT", "{k}", "f", "0.5"),
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", ["missing", "string", "one"])
def test_replies_of_nothing_of_one_and_of_another_type(peer: Peer, protocol: int, key: str) -> None:
    filled = [("SET", "string", "x"), ("HSET", "one", "f", "10")]
    for command in COMMANDS:
        peer.play([*filled, [str(word).format(k=key) for word in command]], protocol)


@pytest.mark.parametrize(
    "command",
    [
        "HSET h",
        "HSET h f",
        "HSET h f 1 g",
        "HSET string f 1 g",
        "HMSET h f 1 g",
        "HMSET h f",
        "HSETNX h f 1 g",
        "HGET h",
        "HGETALL",
        "HINCRBY h f x",
        "HINCRBY string f x",
        "HINCRBY h f 1.0",
        "HINCRBY h text 1",
        "HINCRBY h float 1",
        "HINCRBY h f 9223372036854775808",
        "HINCRBY h f 9223372036854775807",
        "HINCRBY h negative -9223372036854775808",
        "HINCRBYFLOAT h f x",
        "HINCRBYFLOAT string f x",
        "HINCRBYFLOAT h text 1",
        "HINCRBYFLOAT string text 1",
        "HINCRBYFLOAT h f inf",
        "HINCRBYFLOAT h f -inf",
        "HINCRBYFLOAT h f nan",
        "HINCRBYFLOAT h f 1e5000",
        "HINCRBYFLOAT h f 1_0",
        "HINCRBYFLOAT h f 0x10",
        "HINCRBYFLOAT h f 5.0e3",
        "HINCRBYFLOAT h float 0.1",
        "HINCRBYFLOAT h float -2.5",
        "HINCRBYFLOAT h f -10",
        "HRANDFIELD h x",
        "HRANDFIELD h 1 nonsense",
        "HRANDFIELD h 1 WITHVALUES more",
        "HRANDFIELD h x nonsense",
        "HRANDFIELD missing x",
        "HRANDFIELD h -9223372036854775808",
        "HRANDFIELD h 9223372036854775807",
        "HRANDFIELD h 9223372036854775807 WITHVALUES",
        "HRANDFIELD h -9223372036854775807 WITHVALUES",
        "HSCAN h x",
        "HSCAN h 1x",
        "HSCAN h -1",
        "HSCAN h +0",
        "HSCAN h 18446744073709551615",
        "HSCAN h 18446744073709551616",
        "HSCAN h 0 COUNT 0",
        "HSCAN h 0 COUNT x",
        "HSCAN h 0 COUNT",
        "HSCAN h 0 TYPE hash",
        "HSCAN missing x",
        "HSCAN missing 0 NONSENSE",
        "HSCAN string 0 NONSENSE",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str) -> None:
    peer.same("SET", "string", "x")
    peer.same("HSET", "h", "f", "10", "float", "2.5", "text", "abc", "negative", "-10")
    peer.same(*command.split())
    peer.same_content()


@pytest.mark.parametrize("words", [("HSCAN", "h", ""), ("HSCAN", "h", " 0"), ("HGET", "h", "")])
def test_empty_and_blank_arguments(peer: Peer, words: tuple[str, ...]) -> None:
    peer.same("HSET", "h", "", "")
    peer.same(*words)


def test_increments_of_what_was_set_and_sets_of_what_was_incremented(peer: Peer) -> None:
    for increment in ("3", "-4", "100"):
        peer.same("HINCRBY", "h", "n", increment)
        peer.same("HINCRBYFLOAT", "h", "x", increment + ".25")
    peer.same("HSET", "h", "n", "50", "x", "1.5")
    peer.same("HINCRBY", "h", "n", "1")
    peer.same("HINCRBYFLOAT", "h", "n", "0.5")
    peer.same("HINCRBY", "h", "n", "1")
    peer.same("HINCRBYFLOAT", "h", "n", "0.5")
    peer.same("HINCRBY", "h", "n", "1")
    peer.same("HDEL", "h", "n")
    peer.same("HINCRBY", "h", "n", "7")
    peer.same("DEL", "h")
    peer.same("HINCRBY", "h", "n", "8")
    peer.same_content()


def test_random_histories_are_as_in_redis(peer: Peer) -> None:
    rng = Random(5)
    keys, fields = ["h", "i", "j"], ["a", "b", "c", "d", "e"]
    values = ["1", "-7", "2.5", "text", "", "1000000"]
    names = [str(name) for name, *_ in COMMANDS if name != "HRANDFIELD"] + ["DEL", "SET"]

    def field() -> str:
        return rng.choice(fields)

    def command() -> list[str]:
        name = rng.choice(names)
        key = rng.choice(keys)
        match name:
            case "HSET" | "HMSET":
                many = rng.randint(1, 3)
                words = [word for _ in range(many) for word in (field(), rng.choice(values))]
                return [name, key, *words]
            case "HSETNX":
                return [name, key, field(), rng.choice(values)]
            case "HDEL" | "HMGET":
                return [name, key, field(), field()]
            case "HGET" | "HEXISTS" | "HSTRLEN" | "SET":
                return [name, key, field()]
            case "HINCRBY":
                return [name, key, field(), str(rng.randint(-50, 50))]
            case "HINCRBYFLOAT":
                return [name, key, field(), str(rng.randint(-500, 500) / 4)]
            case "HSCAN":
                return [name, key, "0", "COUNT", "100", "MATCH", rng.choice(["*", "[b-d]", "e"])]
            case _:
                return [name, key]

    peer.play(command() for _ in range(3000))


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


def test_hrandfield_refuses_more_than_a_reply_should_hold() -> None:
    regions = Regions()
    fill(regions, "h", 1)
    refused = regions.run(1, "HRANDFIELD", "h", -REPEATED_MAX - 1)
    assert refused == Refusal(b"ERR value is out of range")


def test_hscan_of_a_large_hash_sees_every_field() -> None:
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


# -- conflicts -------------------------------------------------------------------------------


def test_hsh_1_concurrent_writes_of_two_fields_unite() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1")
    regions.run(2, "HSET", "h", "g", "2")
    regions.sync()
    assert regions.everywhere("HMGET", "h", "f", "g") == [b"1", b"2"]


def test_hsh_1_concurrent_removes_of_a_field_remove() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1")
    regions.sync()
    assert regions.run(1, "HDEL", "h", "f") == 1
    assert regions.run(2, "HDEL", "h", "f") == 1
    regions.sync()
    assert regions.everywhere("EXISTS", "h") == 0


@pytest.mark.parametrize("first", [1, 2])
def test_hsh_3_the_later_of_concurrent_writes_of_a_field_is_shown(first: int) -> None:
    regions = Regions()
    regions.run(first, "HSET", "h", "f", "earlier", "g", "x")
    regions.now += 1
    regions.run(3 - first, "HSET", "h", "f", "later")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"later"
    assert regions.everywhere("HLEN", "h") == 2


def test_hsh_3_the_lower_region_wins_a_tie() -> None:
    regions = Regions(3)
    for region in (3, 1, 2):
        regions.run(region, "HSET", "h", "f", f"from {region}")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"from 1"


def test_hsh_3_a_write_that_saw_the_others_wins_though_its_clock_is_behind() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "old", "g", "old")
    regions.sync()
    regions.now -= 5000
    regions.run(2, "HSET", "h", "f", "new", "g", "new")
    regions.sync()
    assert regions.everywhere("HMGET", "h", "f", "g") == [b"new", b"new"]


def test_hsh_4_concurrent_increments_add_up() -> None:
    regions = Regions(3)
    regions.run(1, "HSET", "h", "n", "10")
    regions.sync()
    assert regions.run(1, "HINCRBY", "h", "n", "1") == 11
    assert regions.run(2, "HINCRBY", "h", "n", "20") == 30
    assert regions.run(3, "HINCRBY", "h", "n", "-300") == -290
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"-269"


def test_hsh_4_concurrent_increments_of_no_field_add_up() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "1")
    regions.run(2, "HINCRBYFLOAT", "h", "n", "0.5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"1.5"
    assert regions.run(1, "HINCRBY", "h", "n", "1") == Refusal(b"ERR hash value is not an integer")


def test_hsh_5_a_remove_leaves_only_the_increment_it_had_not_seen() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "100")
    regions.sync()
    regions.run(1, "HDEL", "h", "n")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"5"


def test_hsh_5_a_removed_sum_is_taken_out_exactly() -> None:
    regions = Regions()
    regions.run(1, "HINCRBYFLOAT", "h", "n", "4.1")
    regions.sync()
    regions.run(1, "HDEL", "h", "n")
    regions.run(2, "HINCRBYFLOAT", "h", "n", "2")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"2"


def test_hsh_6_a_write_survives_a_concurrent_remove() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "old")
    regions.sync()
    regions.run(1, "HDEL", "h", "f")
    regions.run(2, "HSET", "h", "f", "new")
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"new"


def test_hsh_7_a_delete_leaves_only_the_field_that_is_written_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1", "g", "2")
    regions.run(1, "HINCRBY", "h", "n", "3")
    regions.sync()
    regions.run(1, "DEL", "h")
    regions.run(2, "HSET", "h", "new", "4")
    regions.sync()
    assert regions.everywhere("HGETALL", "h") == [b"4", b"new"]


def test_hsh_8_an_increment_adds_to_a_number_that_is_set_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "1")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "10")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"15"


def test_hsh_8_an_increment_is_lost_to_a_text_that_is_set_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "1")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "ten")
    regions.run(2, "HINCRBY", "h", "n", "5")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"ten"


def test_d_06_a_field_that_was_set_can_be_incremented() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "n", "5")
    assert regions.run(1, "HINCRBY", "h", "n", "1") == 6
    regions.sync()
    assert regions.run(2, "HINCRBY", "h", "n", "1") == 7
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"7"


def test_ctr_9_a_write_takes_out_the_increments_it_saw() -> None:
    regions = Regions()
    regions.run(1, "HINCRBY", "h", "n", "5")
    regions.run(2, "HINCRBY", "h", "n", "7")
    regions.sync()
    regions.run(1, "HSET", "h", "n", "1", "other", "x")
    regions.run(2, "HINCRBY", "h", "n", "10")
    regions.sync()
    assert regions.everywhere("HGET", "h", "n") == b"11"


def test_d_05_an_increment_beyond_59_bits_is_refused() -> None:
    regions = Regions()
    most = (1 << 59) - 1
    assert regions.run(1, "HINCRBY", "h", "n", most) == most
    overflow = Refusal(b"ERR increment or decrement would overflow")
    assert regions.run(1, "HINCRBY", "h", "n", 1) == overflow
    assert regions.run(1, "HGET", "h", "n") == b"%d" % most


def test_a_float_increment_never_becomes_infinite() -> None:
    regions = Regions()
    assert regions.run(1, "HINCRBYFLOAT", "h", "n", "1e4932").startswith(b"1")
    refused = Refusal(b"ERR increment would produce NaN or Infinity")
    assert regions.run(1, "HINCRBYFLOAT", "h", "n", "1e4932") == refused


def test_d_05_what_one_region_has_added_is_not_bounded() -> None:
    regions = Regions()
    most = (1 << 59) - 1
    for _ in range(40):
        assert regions.run(1, "HINCRBY", "h", "n", most) == most
        regions.sync()
        assert regions.run(2, "HINCRBY", "h", "n", -most) == 0
        regions.sync()
    assert regions.run(1, "HINCRBY", "h", "n", 16) == 16


def test_an_hset_is_one_operation_and_one_effect() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "a", "1", "b", "2", "c", "3")
    (op,) = regions.replicas[1].since({})
    assert len(op.effects) == 1


def test_str_5_hsetnx_succeeds_in_two_regions_and_the_later_is_shown() -> None:
    regions = Regions()
    assert regions.run(1, "HSETNX", "h", "f", "one") == 1
    regions.now += 1
    assert regions.run(2, "HSETNX", "h", "f", "two") == 1
    regions.sync()
    assert regions.everywhere("HGET", "h", "f") == b"two"
    assert regions.run(1, "HSETNX", "h", "f", "three") == 0


def test_fraction_added_to_infinity_is_refused(peer: Peer) -> None:
    peer.same("HSET", "infinite", "f", "inf")
    peer.same("HINCRBYFLOAT", "infinite", "f", "1")
