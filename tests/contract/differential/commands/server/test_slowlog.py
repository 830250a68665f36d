"""Compare the replies of SLOWLOG with those of a real redis-server."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.redis_peer import Peer


def test_slowlog_get_refuses_further_arguments(peer: Peer) -> None:
    peer.same("SLOWLOG", "GET", "10", "x")


@pytest.mark.parametrize("count", ["-2", "x", "1.5"])
def test_wrong_counts_are_refused_as_by_redis(peer: Peer, count: str) -> None:
    assert isinstance(peer.same("SLOWLOG", "GET", count), ErrorReply)


def test_empty_log_is_that_of_redis(peer: Peer) -> None:
    peer.same("SLOWLOG", "RESET")
    for request in ("LEN", "GET", "GET -1", "GET 0", "GET 5"):
        peer.same("SLOWLOG", *request.split())
