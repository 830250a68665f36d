"""Compare moves between lists and pops from several lists with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import LISTS, MOVES, history
from tests.crdb.redis_peer import Peer

COMMANDS = [
    "LMOVE l m LEFT RIGHT",
    "LMOVE l l left right",
    "LMOVE l l RIGHT LEFT",
    "LMOVE one one LEFT LEFT",
    "LMOVE l new RIGHT LEFT",
    "LMOVE l m UP RIGHT",
    "LMOVE l m LEFT DOWN",
    "LMOVE l string LEFT LEFT",
    "LMOVE string l LEFT LEFT",
    "LMOVE missing string LEFT LEFT",
    "RPOPLPUSH l m",
    "RPOPLPUSH one one",
    "RPOPLPUSH missing l",
    "RPOPLPUSH l string",
    "BLMOVE l m LEFT LEFT 0",
    "BLMOVE l m LEFT UP x",
    "BLMOVE l m LEFT LEFT x",
    "BLMOVE l string LEFT LEFT 1",
    "BRPOPLPUSH l m 0",
    "BRPOPLPUSH l m -1",
    "BRPOPLPUSH string m 1",
    "LMPOP 2 missing l LEFT",
    "LMPOP 1 l RIGHT COUNT 2",
    "LMPOP 1 l right COUNT 99",
    "LMPOP 1 missing LEFT",
    "LMPOP 0 l LEFT",
    "LMPOP x l LEFT",
    "LMPOP 1 l",
    "LMPOP 2 l LEFT",
    "LMPOP 1 l UP",
    "LMPOP 1 l LEFT COUNT 0",
    "LMPOP 1 l LEFT COUNT",
    "LMPOP 1 l LEFT COUNT 1 COUNT 1",
    "LMPOP 2 missing string LEFT",
    "BLMPOP 0 1 l LEFT COUNT 2",
    "BLMPOP x 1 l LEFT",
    "BLMPOP 0 0 l LEFT",
    "BLMPOP 0 1 string LEFT",
    "BLPOP missing l 0",
    "BRPOP l missing 0.5",
    "BLPOP l",
    "BLPOP l x",
    "BLPOP l -1",
    "BLPOP missing string l 1",
]


FILLED = [
    ("SET", "string", "x"),
    ("RPUSH", "l", "a", "b", "c"),
    ("RPUSH", "m", "d"),
    ("RPUSH", "one", "e"),
    ("EXPIRE", "one", "100"),
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_are_as_in_redis(peer: Peer, protocol: int) -> None:
    for command in COMMANDS:
        peer.play([*FILLED, command.split()], protocol)


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [LISTS, MOVES], 400))


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    "command",
    [
        "BLPOP none 0",
        "BRPOP none other 0",
        "BLMOVE none other LEFT LEFT 0",
        "BRPOPLPUSH none other 0",
        "BLMPOP 0 1 none LEFT",
        "BLPOP l 0",
        "BLMOVE l other LEFT LEFT 0",
    ],
)
def test_inside_transaction_nothing_waits(peer: Peer, protocol: int, command: str) -> None:
    peer.protocol(protocol)
    peer.same("RPUSH", "l", "a")
    peer.same("MULTI")
    peer.same(*command.split())
    peer.same("EXEC")
