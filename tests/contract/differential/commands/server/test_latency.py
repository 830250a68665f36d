"""Compare the replies of LATENCY with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize(
    "request_text",
    ["LATEST", "HISTORY command", "RESET", "RESET a b", "GRAPH none", "HISTOGRAM nothing"],
)
def test_idle_monitor_is_that_of_redis(peer: Peer, request_text: str) -> None:
    peer.same("LATENCY", *request_text.split())
