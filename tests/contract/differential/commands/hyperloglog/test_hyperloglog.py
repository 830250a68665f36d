"""Compare the replies of commands on HyperLogLogs with those of a real redis-server."""

from __future__ import annotations

from random import Random

import pytest

from tests.crdb.redis_peer import Peer, decode


@pytest.mark.parametrize(
    "command",
    [
        "PFADD h",
        "PFADD h a",
        "PFADD h a z z",
        "PFADD new",
        "PFADD string a",
        "PFADD list a",
        "PFCOUNT h",
        "PFCOUNT h h other",
        "PFCOUNT missing",
        "PFCOUNT missing h",
        "PFCOUNT h string",
        "PFCOUNT list",
        "PFCOUNT h list",
        "PFMERGE new h other",
        "PFMERGE new",
        "PFMERGE h",
        "PFMERGE h missing",
        "PFMERGE new string",
        "PFMERGE string h",
        "PFMERGE h h",
        "TYPE h",
        "OBJECT ENCODING h",
        "EXISTS h",
        "SCAN 0 TYPE string",
        "GET h",
        "SET h text",
        "SET h text GET",
        "SET new h NX GET",
        "COPY h new",
        "RENAME h new",
        "EXPIRE h 100",
        "PFDEBUG DECODE h",
        "PFDEBUG ENCODING h",
        "PFDEBUG nothing h",
        "PFDEBUG GETREG missing",
        "PFDEBUG GETREG h",
        "PFSELFTEST",
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_commands_are_answered_as_by_redis(peer: Peer, command: str, protocol: int) -> None:
    filled = [("SET", "string", "x"), ("RPUSH", "list", "x")]
    filled += [("PFADD", "h", "a", "b", "c"), ("PFADD", "other", "c", "d")]
    if command.startswith("PFSELFTEST"):
        peer.same(command)  # takes the server about a second
        return
    peer.play([*filled, tuple(command.split())], protocol)


@pytest.mark.parametrize("count", [1, 30, 400, 1500, 9000])
def test_estimates_and_strings_equal_those_of_redis(peer: Peer, count: int) -> None:
    rng = Random(count)
    elements = [rng.randbytes(rng.randrange(1, 30)) for _ in range(count)]
    for start in range(0, count, 250):
        peer.same("PFADD", "h", *elements[start : start + 250])
    peer.same("GET", "h")
    peer.same("PFADD", "other", *elements[: count // 2], "more", "of", "them")
    peer.same("PFCOUNT", "h", "other")
    peer.same("PFMERGE", "united", "h", "other")
    for key in ("h", "other", "united"):
        peer.same("PFCOUNT", key)
        peer.same("PFDEBUG", "GETREG", key)


@pytest.mark.parametrize("count", [3, 5000])
def test_strings_are_exchanged_with_redis(peer: Peer, count: int) -> None:
    elements = [f"element {number}" for number in range(count)]
    for start in range(0, count, 500):
        peer.same("PFADD", "h", *elements[start : start + 500])
    theirs = decode(peer.server.run([b"GET", b"h"]))
    ours = decode(peer.ours.run([b"GET", b"h"]))
    peer.same("SET", "theirs", theirs)
    peer.same("SET", "ours", ours, "EX", "100")
    for key in ("theirs", "ours"):
        peer.same("PFCOUNT", key)
        peer.same("PFADD", key, "one more")
    peer.same("SET", "ours", theirs, "KEEPTTL")
    peer.same("PFCOUNT", "ours")
    peer.same("TTL", "ours")


def test_random_histories_are_as_in_redis(peer: Peer) -> None:
    rng = Random(1)
    commands: list[list[str]] = []
    for _ in range(300):
        key, other = (rng.choice("xyz") for _ in range(2))
        elements = [str(rng.randrange(300)) for _ in range(rng.randrange(4))]
        commands.append(
            rng.choice(
                [
                    ["PFADD", key, *elements],
                    ["PFADD", key, *elements],
                    ["PFCOUNT", key],
                    ["PFCOUNT", key, other, "missing"],
                    ["PFMERGE", key, other],
                    ["COPY", key, other, "REPLACE"],
                    ["DEL", key],
                ]
            )
        )
    peer.play(commands)
