"""Compare the replies of commands on sets with those of a real redis-server."""

from __future__ import annotations

from random import Random

import pytest

from tests.crdb.redis_peer import Peer, Word

READS: list[tuple[Word, ...]] = [
    ("SISMEMBER", "{k}", "a"),
    ("SMISMEMBER", "{k}", "a", "b", "a"),
    ("SCARD", "{k}"),
    ("SMEMBERS", "{k}"),
    ("SRANDMEMBER", "{k}"),
    ("SRANDMEMBER", "{k}", "0"),
    ("SRANDMEMBER", "{k}", "5"),
    ("SRANDMEMBER", "{k}", "-3"),
    ("SSCAN", "{k}", "0"),
    ("SINTER", "{k}"),
    ("SUNION", "{k}"),
    ("SDIFF", "{k}"),
    ("SINTERCARD", "1", "{k}"),
    ("SREM", "{k}", "a"),
    ("SPOP", "{k}"),
    ("SPOP", "{k}", "0"),
    ("SPOP", "{k}", "2"),
    ("SMOVE", "{k}", "other", "a"),
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", ["missing", "string", "one"])
def test_replies_of_nothing_of_one_and_of_another_type(peer: Peer, protocol: int, key: str) -> None:
    filled = [("SET", "string", "x"), ("SADD", "one", "a")]
    for command in READS:
        peer.play([*filled, [str(word).format(k=key) for word in command]], protocol)


@pytest.mark.parametrize(
    "command",
    [
        "SADD s",
        "SPOP s -1",
        "SPOP s x",
        "SPOP s 1 2",
        "SPOP s 9223372036854775808",
        "SRANDMEMBER s x",
        "SRANDMEMBER s 1 2",
        "SRANDMEMBER s -9223372036854775808",
        "SINTERCARD 0 s",
        "SINTERCARD x s",
        "SINTERCARD 2 s",
        "SINTERCARD 1 s LIMIT",
        "SINTERCARD 1 s LIMIT -1",
        "SINTERCARD 1 s LIMIT x",
        "SINTERCARD 1 s LIMIT 1 LIMIT 0",
        "SINTERCARD 1 s t",
        "SSCAN s x",
        "SSCAN s 0 COUNT 0",
        "SSCAN s 0 TYPE set",
        "SSCAN missing 0 NONSENSE",
        "SMISMEMBER s",
        "SINTER",
        "SUNIONSTORE t",
        "SINTER missing string",
        "SINTERSTORE t missing string",
        "SDIFF missing string",
        "SUNION missing string",
        "SMOVE missing string m",
        "SMOVE s string m",
        "SMOVE s string a",
        "SMOVE s s a",
        "SMOVE s s m",
        "SADD string a",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str) -> None:
    peer.same("SET", "string", "x")
    peer.same("SADD", "s", "a")
    peer.same(*command.split())
    peer.same_content()


def test_store_replaces_key_of_any_type(peer: Peer) -> None:
    peer.same("SADD", "a", "1", "2", "3")
    peer.same("SADD", "b", "2", "3", "4")
    for command in ("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"):
        peer.same("SET", "into", "x", "EX", "100")
        assert peer.same(command, "into", "a", "b") > 0
        assert peer.same("SCARD", "into") > 0
        peer.same_content()
        assert peer.same(command, "a", "missing") == 0
        peer.same_content()
        peer.same("SADD", "a", "1", "2", "3")


def test_random_histories_are_as_in_redis(peer: Peer) -> None:
    rng = Random(4)
    keys, members = ["s", "t", "u", "v"], [str(n) for n in range(9)]

    def some(words: list[str]) -> list[str]:
        return [rng.choice(words) for _ in range(rng.randint(1, 4))]

    def command() -> list[str]:
        name = rng.choice(
            [
                "SADD",
                "SADD",
                "SADD",
                "SREM",
                "SISMEMBER",
                "SMISMEMBER",
                "SCARD",
                "SMEMBERS",
                "SMOVE",
                "SINTER",
                "SINTERSTORE",
                "SUNION",
                "SUNIONSTORE",
                "SDIFF",
                "SDIFFSTORE",
                "SINTERCARD",
                "SSCAN",
                "SET",
                "DEL",
            ]
        )
        key = rng.choice(keys)
        match name:
            case "SADD" | "SREM" | "SMISMEMBER":
                return [name, key, *some(members)]
            case "SISMEMBER" | "SET":
                return [name, key, rng.choice(members)]
            case "SCARD" | "SMEMBERS" | "DEL":
                return [name, key]
            case "SMOVE":
                return [name, key, rng.choice(keys), rng.choice(members)]
            case "SINTERCARD":
                return [name, "2", key, rng.choice(keys), "LIMIT", str(rng.randint(0, 3))]
            case "SSCAN":
                return [name, key, "0", "COUNT", "100", "MATCH", rng.choice(["*", "[3-5]", "7"])]
            case _:
                return [name, key, *some(keys)]

    peer.play(command() for _ in range(3000))
