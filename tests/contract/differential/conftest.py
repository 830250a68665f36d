"""A real redis-server to compare with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.crdb.redis_peer import Ours, Peer, Server
from tests.ports import free_ports


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a redis-server for the whole session. `CRDB_REDIS_SERVER` names another binary."""
    binary = shutil.which(os.environ.get("CRDB_REDIS_SERVER", "redis-server"))
    if binary is None:
        pytest.skip("needs redis-server, which the package of that name installs")
    server = Server(binary, free_ports(1)[0], tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def peer(redis_server: Server) -> Iterator[Peer]:
    """Return a redis-server and an instance of ours, both empty."""
    both = Peer(redis_server, Ours())
    both.clear()
    yield both
    both.ours.check_mirror()
