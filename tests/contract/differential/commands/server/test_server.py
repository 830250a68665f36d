"""Compare the replies of INFO, CONFIG and TIME with those of a real redis-server."""

from __future__ import annotations

from tests.crdb.redis_peer import Peer


def test_refusals(peer: Peer) -> None:
    rewrite = [b"CONFIG", b"REWRITE"]
    theirs, ours = peer.server.run(rewrite), peer.ours.run(rewrite)
    assert ours.startswith(theirs.rstrip())
    peer.same("CONFIG", "SET", "timeout")
    peer.same("CONFIG", "SET", "timeout", "1", "hz")
    peer.same("CONFIG", "GET")
    peer.same("CONFIG", "RESETSTAT", "x")
