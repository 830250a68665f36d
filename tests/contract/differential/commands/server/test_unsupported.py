"""Compare the replies of commands of features that are absent with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize(
    "command",
    [
        "MODULE LIST",
        "CLUSTER INFO",
        "CLUSTER NODES",
        "CLUSTER MYID",
        "CLUSTER SLOTS",
        "ACL WHOAMI",
        "READONLY",
        "READWRITE",
        "ASKING",
    ],
)
def test_true_replies_equal_redis(peer: Peer, command: str) -> None:
    peer.same(*command.split())
