"""Compare the replies of commands on lists with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import LISTS, history
from tests.crdb.redis_peer import Peer

COMMANDS = [
    "LPUSH {k} x y",
    "RPUSH {k} x y",
    "LPUSHX {k} x y",
    "RPUSHX {k} x y",
    "LINSERT {k} BEFORE a x",
    "LINSERT {k} after a x",
    "LINSERT {k} AFTER z x",
    "LINSERT {k} x a x",
    "LPOP {k}",
    "RPOP {k}",
    "LPOP {k} 0",
    "RPOP {k} 2",
    "LPOP {k} -1",
    "LPOP {k} x",
    "LPOP {k} 1 2",
    "RPOP {k} 1 2",
    "LLEN {k}",
    "LINDEX {k} 0",
    "LINDEX {k} -2",
    "LINDEX {k} -9",
    "LINDEX {k} x",
    "LRANGE {k} 0 -1",
    "LRANGE {k} -2 1",
    "LRANGE {k} 5 9",
    "LRANGE {k} 0 x",
    "LPOS {k} a",
    "LPOS {k} z",
    "LPOS {k} a COUNT 0",
    "LPOS {k} a COUNT 1 RANK -1",
    "LPOS {k} a RANK 2",
    "LPOS {k} a RANK -2 MAXLEN 1",
    "LPOS {k} b MAXLEN 1",
    "LPOS {k} a RANK 0",
    "LPOS {k} a RANK",
    "LPOS {k} a COUNT -1",
    "LPOS {k} a MAXLEN -1",
    "LPOS {k} a MAXLEN x",
    "LPOS {k} a FIRST 1",
    "LSET {k} 0 x",
    "LSET {k} -1 x",
    "LSET {k} 9 x",
    "LSET {k} x x",
    "LTRIM {k} 1 1",
    "LTRIM {k} 0 -1",
    "LTRIM {k} 5 9",
    "LTRIM {k} -1 -9",
    "LTRIM {k} x 1",
    "LREM {k} 0 a",
    "LREM {k} 1 a",
    "LREM {k} -1 a",
    "LREM {k} 0 z",
    "LREM {k} x a",
    "LREM {k} -9223372036854775808 a",
    "LREM {k} -9223372036854775809 a",
]


FILLED = [("SET", "string", "x"), ("RPUSH", "one", "a"), ("RPUSH", "three", "a", "b", "a")]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", ["missing", "string", "one", "three"])
def test_replies_are_as_in_redis(peer: Peer, protocol: int, key: str) -> None:
    for command in COMMANDS:
        peer.play([*FILLED, command.format(k=key).split()], protocol)


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [LISTS], 500))


def test_long_list_is_read_and_changed_anywhere(peer: Peer) -> None:
    commands = [["RPUSH", "l", *map(str, range(n, n + 100))] for n in range(0, 3000, 100)]
    commands += [["LPUSH", "l", *map(str, range(n, n + 100))] for n in range(0, 3000, 100)]
    for n in range(0, 5000, 331):
        commands += [["LINDEX", "l", str(n)], ["LINDEX", "l", str(-n)], ["LSET", "l", str(n), "x"]]
        commands += [["LRANGE", "l", str(n), str(n + 700)], ["LINSERT", "l", "BEFORE", "x", str(n)]]
        commands += [["LREM", "l", "3", "7"], ["LTRIM", "l", "20", "-20"], ["LPOP", "l", "7"]]
    peer.play(commands)
