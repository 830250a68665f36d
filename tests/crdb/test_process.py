"""What INFO tells of the process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crdb import process
from crdb.server.information import information
from tests.crdb.raw import instance
from tests.crdb.redis_peer import Peer, decode


def fields(text: str) -> dict[str, str]:
    """The fields of an INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_lines_are_added_and_named_as_in_redis(peer: Peer) -> None:
    database = instance()
    process.tell_of_process(database)
    found = fields(information(database, ["server", "memory", "cpu"]))
    assert found["process_id"] == str(os.getpid())
    assert int(found["used_memory_peak"]) >= int(found["used_memory"]) > 1_000_000
    assert float(found["used_cpu_user"]) > 0
    theirs = fields(decode(peer.server.run([b"INFO", b"everything"])).decode())
    lines = [*process.server_lines(), *process.memory_lines(), *process.cpu_lines()]
    assert {name for name, _ in lines} <= theirs.keys()


def test_without_proc_the_peak_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STATM", Path("/nothing/here"))
    assert process.resident_bytes() > 1_000_000


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (1023, "1023B"), (1536, "1.50K"), (1 << 30, "1.00G"), (1 << 60, "1048576.00T")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert process.human(size) == text
