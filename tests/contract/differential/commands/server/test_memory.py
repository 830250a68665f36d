"""Compare the replies of MEMORY with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize("words", ["none x", "none SAMPLES", "none SAMPLES -1", "none SAMPLES x"])
def test_wrong_options_are_refused_as_by_redis(peer: Peer, words: str) -> None:
    peer.same("MEMORY", "USAGE", *words.split())
