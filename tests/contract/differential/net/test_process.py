"""Compare the replies of INFO about the process with those of a real redis-server."""

from __future__ import annotations

import os

from crdb.engine.info.sections import information
from crdb.net import process
from tests.crdb.raw import instance
from tests.crdb.redis_peer import Peer, decode


def fields(text: str) -> dict[str, str]:
    """Return the fields of an INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_lines_are_added_and_named_as_in_redis(peer: Peer) -> None:
    database = instance()
    process.add_process_info(database)
    found = fields(information(database, ["server", "memory", "cpu"]))
    assert found["process_id"] == str(os.getpid())
    assert int(found["used_memory_peak"]) >= int(found["used_memory"]) > 1_000_000
    assert float(found["used_cpu_user"]) > 0
    theirs = fields(decode(peer.server.run([b"INFO", b"everything"])).decode())
    lines = [*process.server_lines(), *process.memory_lines(), *process.cpu_lines()]
    assert {name for name, _ in lines} <= theirs.keys()
