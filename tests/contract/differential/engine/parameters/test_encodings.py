"""Compare the replies of OBJECT ENCODING under its parameters with those of a real redis-server."""

from __future__ import annotations

import shlex

import pytest

from tests.crdb.redis_peer import Peer

WAYS = [
    "SET k 10 | INCRBYFLOAT k 5",
    "SET k 10 | INCRBYFLOAT k 0.5 | INCRBYFLOAT k 0.5 | INCR k",
    "APPEND k 10",
    "APPEND k abc",
    "SET k 1 | APPEND k ''",
    "SETRANGE k 0 ab",
    "SET k ab | SETRANGE k 0 ''",
    "SETBIT k 1 0",
    "SET k 5 | SETBIT k 2 1",
    "SET k 5 | SETBIT k 7 1 | INCR k",
    "BITFIELD k SET u8 0 49",
    "SET k a | BITFIELD k GET u8 0",
    "SET k 12 | BITFIELD k INCRBY u8 0 0",
    "SET k 5 | BITFIELD k OVERFLOW FAIL INCRBY u8 0 1000",
    "SET a x | BITOP NOT k a",
    "SET a 5 | BITOP AND k a a",
    "SET k 5 | APPEND k 6 | INCR k",
    "SET a 5 | APPEND a 6 | COPY a k",
    "SET a 5 | APPEND a 6 | RENAME a k",
    "SET a 10 | INCRBYFLOAT a 1 | COPY a k",
    "SET k 5 | APPEND k 6 | GETSET k 7",
    "SET k 5 | APPEND k 6 | SET k abc KEEPTTL",
    "SET k 5 | APPEND k 6 | GETEX k EX 100",
    "SET k 5 | APPEND k 6 | INCRBYFLOAT k 0",
    "SET k 5 | SETRANGE k 1 6 | DEL k | SET k 5",
    "SET a 5 | COPY a k",
]


@pytest.mark.parametrize("way", WAYS)
def test_string_is_encoded_by_how_it_came_about(peer: Peer, way: str) -> None:
    for command in [*way.split(" | "), "OBJECT ENCODING k"]:
        peer.same(*shlex.split(command))
