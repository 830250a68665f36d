"""Outgoing snapshots: they wait for a slot, are sent in parts, and free the slot."""

from __future__ import annotations

from replication.machines.sending.log_reader import LogReader
from replication.machines.sending.outgoing import Outgoing
from replication.protocol.frames import SnapshotPiece
from replication.protocol.limits import Limits
from tests.replication.ends import member, replica, write


def test_parts_make_up_snapshot() -> None:
    here = replica(1)
    write(here, 3, 100)
    log_reader = LogReader(here, member(1), Limits())
    outgoing = Outgoing(log_reader, lambda: None)
    assert outgoing.begin() is not None
    parts: list[SnapshotPiece] = []
    while (part := outgoing.next_part(50)) is not None:
        parts.append(part)
    assert all(len(part.data) <= 50 for part in parts)
    assert b"".join(part.data for part in parts) == b"".join(here.snapshot())
    assert sum(part.last for part in parts) == len(list(here.snapshot()))


def test_turn_is_waited_for_and_given_back() -> None:
    log_reader = LogReader(replica(1), member(1), Limits(snapshots_max=1))
    calls: list[str] = []
    first, second = (Outgoing(log_reader, lambda n=name: calls.append(n)) for name in "ab")
    assert first.begin() is not None
    assert second.can_go_on, "it has to get into the queue"
    assert second.begin() is None
    assert not second.can_go_on
    assert calls == []
    first.drop()
    assert calls == ["b"]
    assert second.can_go_on
    first.drop()
    assert second.begin() is not None
    second.drop()
    assert log_reader.sending == 0
