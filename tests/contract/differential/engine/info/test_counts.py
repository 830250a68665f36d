"""Compare the numbers of commands in INFO with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer, decode


@pytest.mark.parametrize(
    "requests",
    [
        "PING|SET k v|GET k",
        "FOO|SET k|PING",
        "MULTI|SET k v|GET k|EXEC",
        "MULTI|SET k|EXEC",
        "MULTI|SET k v|DISCARD",
        "SET k v|LPUSH k x|INCR k",
        "AUTH x|HELLO 9|CLIENT NOSUCH",
    ],
)
def test_only_commands_that_ran_are_counted(peer: Peer, requests: str) -> None:
    peer.same("CONFIG", "RESETSTAT")
    for words in requests.split("|"):
        peer.same(*words.split())
    request = [b"INFO", b"stats"]
    counts: list[str] = []
    for raw in (peer.server.run(request), peer.ours.run(request)):
        lines: bytes = decode(raw)
        found = [line for line in lines.splitlines() if line.startswith(b"total_commands_")]
        counts += [line.decode() for line in found]
    assert counts[0] == counts[1]
