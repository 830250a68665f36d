"""Compare the replies of WAIT with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize("words", ["0 0", "0 10", "-1 0", "x 0", "0 x", "0 -1"])
def test_replies_and_refusals_are_those_of_redis(peer: Peer, words: str) -> None:
    peer.same("WAIT", *words.split())
