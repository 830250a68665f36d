"""A real redis-server to compare with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crdb.redis_peer import Ours, Peer, Server, started


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a redis-server for the whole session."""
    with started(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def peer(redis_server: Server) -> Iterator[Peer]:
    """Return a redis-server and an instance of ours, both empty."""
    both = Peer(redis_server, Ours())
    both.clear()
    yield both
    both.ours.check_mirror()
