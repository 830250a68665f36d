"""Compare MOVE and SWAPDB with those of a redis-server with one database."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer

COMMANDS = [
    *("MOVE k 0", "MOVE missing 0", "MOVE k 1", "MOVE k -1", "MOVE k x", "MOVE k 3000000000"),
    *("MOVE k", "MOVE k 0 1", "SWAPDB 0 0", "SWAPDB 0 1", "SWAPDB 1 0", "SWAPDB x 0", "SWAPDB 0 x"),
    *("SWAPDB x x", "SWAPDB 1 x", "SWAPDB -1 0", "SWAPDB 0", "SWAPDB 0 0 0"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_databases(peer: Peer, command: str) -> None:
    peer.play([("SET", "k", "v"), command.split(), ("GET", "k")])
