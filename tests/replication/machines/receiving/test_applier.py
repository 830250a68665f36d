"""The applier: a replica as a sink uses it."""

from __future__ import annotations

import pytest

from crdt.embed.replica import Outcome
from crdt.errors import DecodeError
from crdt.store.merge import Incoming
from replication.machines.receiving.applier import LocalApplier, read_piece, with_waiting
from tests.replication.ends import AP, EU, US, replica, write


def test_applier_reports_state_of_replica() -> None:
    us, eu = replica(1), replica(2)
    write(us, 2)
    applier = LocalApplier(eu)
    first, second = (op.to_bytes() for op in us.since({}))
    assert applier.accept(first) is Outcome.APPLIED
    assert applier.accept(first) is Outcome.DUPLICATE
    assert (applier.vector(), applier.applied(), applier.origin()) == ({US: 1}, 1, EU)
    assert applier.accept(second) is Outcome.APPLIED
    eu.advance(77)
    assert applier.clock() == 77


def test_effects_of_ours_that_we_have_not_made() -> None:
    applier = LocalApplier(replica(2))
    assert applier.lost({US: 5}) == 0
    assert applier.lost({EU: 1}) == EU
    write(applier.replica)
    assert applier.lost({EU: 1}) == 0


def test_snapshot_goes_through() -> None:
    us, eu = replica(1), replica(2)
    write(us)
    applier = LocalApplier(eu)
    incoming = applier.incoming()
    for piece in us.snapshot():
        incoming.feed(piece)
    applier.merge(incoming)
    assert applier.vector() == {US: 1}


def test_waiting_ops_are_not_requested_again() -> None:
    us, eu, ap = replica(1), replica(2), replica(3)
    write(ap)
    for op in ap.since({}):
        us.accept(op)
    write(us)
    eu.accept(us.since({AP: 1})[0])
    assert eu.vector == {}
    assert with_waiting(eu) == {US: 1} == LocalApplier(eu).held()
    eu.causal_buffer.queues[US].clear()
    assert with_waiting(eu) == {}


@pytest.mark.interpreted("gives a class another method")
def test_piece_for_which_there_is_no_memory_is_error_of_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhausted(_incoming: Incoming, _data: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(Incoming, "feed", exhausted)
    with pytest.raises(DecodeError, match="a snapshot needs more memory than there is"):
        read_piece(LocalApplier(replica(2)).incoming(), b"piece")
