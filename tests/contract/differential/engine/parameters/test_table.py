"""Compare the replies of values of parameters with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize(
    "patterns",
    [
        "timeout",
        "TimeOut",
        "slave-priority replica-priority",
        "nothing",
        "max*-policy",
        "hz hz",
        "h[yz]",
        "timeou?",
        "*SCORE*",
        "key-load-delay",
        "timeout time*",
        "timeout TIMEOUT",
        "TIMEOUT timeou?",
    ],
)
def test_patterns_find_what_they_find_in_redis(peer: Peer, patterns: str) -> None:
    theirs = peer.server.run([b"CONFIG", b"GET", *patterns.encode().split()])
    ours = peer.ours.run([b"CONFIG", b"GET", *patterns.encode().split()])
    assert sorted(ours.split(b"\r\n")) == sorted(theirs.split(b"\r\n"))
