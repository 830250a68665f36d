"""Compare the replies of SHUTDOWN and commands that save with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize("words", ["wrong", "ABORT", "ABORT NOW", "SAVE NOSAVE", "NOW wrong"])
def test_wrong_words_are_refused_as_by_redis(peer: Peer, words: str) -> None:
    peer.same("SHUTDOWN", *words.split())
