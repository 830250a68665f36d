"""Compare the replies of FUNCTION and SCRIPT without scripts with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize(
    "command",
    [
        "FUNCTION FLUSH",
        "FUNCTION FLUSH sync",
        "FUNCTION FLUSH ASYNC",
        "FUNCTION FLUSH wrong",
        "FUNCTION FLUSH SYNC ASYNC",
        "FUNCTION LIST",
        "FUNCTION LIST LIBRARYNAME x WITHCODE",
        "FUNCTION LIST LIBRARYNAME",
        "FUNCTION LIST wrong",
        "FUNCTION DELETE x",
        "FUNCTION KILL",
        "SCRIPT EXISTS a b",
        "SCRIPT FLUSH",
        "SCRIPT FLUSH ASYNC",
        "SCRIPT FLUSH wrong",
        "SCRIPT FLUSH SYNC ASYNC",
        "SCRIPT KILL",
    ],
)
def test_empty_library_is_that_of_redis(peer: Peer, command: str) -> None:
    peer.same(*command.split())
