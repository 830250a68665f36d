"""Compare the replies of commands on hashes with those of a real redis-server."""

from __future__ import annotations

from random import Random

import pytest

from tests.crdb.redis_peer import Peer, Word

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


def test_fields_are_set_and_incremented_in_turn(peer: Peer) -> None:
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


def test_fraction_added_to_infinity_is_refused(peer: Peer) -> None:
    peer.same("HSET", "infinite", "f", "inf")
    peer.same("HINCRBYFLOAT", "infinite", "f", "1")
