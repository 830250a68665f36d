"""The proof of a shared secret: accepted and refused ends, and memory per unproved connection."""

from __future__ import annotations

import random

import pytest

from replication.protocol import handshake
from replication.protocol.errors import NotProven, RemoteProtocolError
from replication.protocol.frames import PROTOCOL
from replication.protocol.handshake import (
    CHALLENGE_BYTES,
    MAGIC,
    NONCE_BYTES,
    PROOF_BYTES,
    TRANSITIONS,
    UNREAD_BYTES_MAX,
    Handshake,
    HandshakeState,
    Role,
    challenge,
)
from replication.protocol.secret import NO_SECRET, LinkSecret
from tests.replication.secrets import OTHER, SECRET


def end(role: Role, secret: LinkSecret = SECRET, nonce: int = 1) -> Handshake:
    """Return an end whose nonce repeats one byte."""
    return Handshake(secret, role, bytes([nonce]) * NONCE_BYTES)


def take(here: Handshake) -> bytes:
    """Return its pending output."""
    data, here.outgoing = here.outgoing, b""
    return data


def proofs(dials: Handshake, serves: Handshake) -> bytes:
    """Exchange challenges. Return the proof of the dialling end."""
    assert dials.feed(take(serves)) == b""
    data = take(dials)
    assert serves.feed(data[:CHALLENGE_BYTES]) == b""
    return data[CHALLENGE_BYTES:]


def test_both_ends_prove_that_they_know_secret() -> None:
    dials, serves = end(Role.DIALS), end(Role.SERVES, nonce=2)
    proof = proofs(dials, serves)
    assert len(proof) == PROOF_BYTES
    assert take(serves) == b"", "the dialling end proves first"
    assert not serves.is_proven
    assert serves.feed(proof) == b""
    assert serves.is_proven
    assert not dials.is_proven
    assert dials.feed(take(serves) + b"frames") == b"frames"
    assert dials.is_proven
    for role in Role:
        assert dials.frame_key(role) == serves.frame_key(role)
    assert dials.frame_key(Role.DIALS) != dials.frame_key(Role.SERVES)
    assert dials.feed(b"more") == b"more"


def test_handshake_takes_one_round_trip() -> None:
    dials, serves = end(Role.DIALS), end(Role.SERVES, nonce=2)
    assert dials.feed(take(serves)) == b"", "sent before anything was asked"
    assert serves.feed(take(dials)) == b""
    assert dials.feed(take(serves)) == b""
    assert serves.is_proven
    assert dials.is_proven


@pytest.mark.parametrize("size", [1, 3, 41, 43])
def test_messages_may_come_in_pieces(size: int) -> None:
    dials, serves = end(Role.DIALS), end(Role.SERVES, nonce=2)
    for here, there in ((dials, serves), (serves, dials)) * 2:
        data = take(here)
        for start in range(0, len(data), size):
            assert there.feed(data[start : start + size]) == b""
    assert dials.is_proven
    assert serves.is_proven


@pytest.mark.parametrize("secret", [OTHER, NO_SECRET])
def test_wrong_or_missing_secret_gets_no_proof_in_return(secret: LinkSecret) -> None:
    dials, serves = end(Role.DIALS, secret), end(Role.SERVES, nonce=2)
    with pytest.raises(NotProven, match="does not know our secret"):
        serves.feed(proofs(dials, serves))
    assert serves.outgoing == b""
    assert serves.state is HandshakeState.FAILED
    with pytest.raises(NotProven, match="hung up on our proof"):
        dials.end()


def test_listening_impostor_is_refused() -> None:
    dials, serves = end(Role.DIALS), end(Role.SERVES, OTHER, nonce=2)
    proofs(dials, serves)
    with pytest.raises(NotProven):
        dials.feed(serves.proof(Role.SERVES))
    assert not dials.is_proven


def test_reflected_proof_is_refused() -> None:
    dials = end(Role.DIALS)
    assert dials.feed(take(dials)) == b""
    with pytest.raises(NotProven):
        dials.feed(take(dials))


def test_recorded_proof_is_refused_on_another_connection() -> None:
    recorded = proofs(end(Role.DIALS), end(Role.SERVES, nonce=2))
    fresh = end(Role.SERVES, nonce=3)
    fresh.feed(challenge(bytes([1]) * NONCE_BYTES))
    with pytest.raises(NotProven):
        fresh.feed(recorded)


def test_proof_depends_on_version_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    first = proofs(end(Role.DIALS), end(Role.SERVES, nonce=2))
    assert first != proofs(end(Role.DIALS, OTHER), end(Role.SERVES, nonce=2))
    monkeypatch.setattr(handshake, "PROTOCOL", PROTOCOL + 1)
    assert first != proofs(end(Role.DIALS), end(Role.SERVES, nonce=2))


@pytest.mark.parametrize("role", Role)
def test_another_version_is_refused_with_both_numbers(role: Role) -> None:
    here = end(role)
    theirs = MAGIC + (99).to_bytes(2, "big") + bytes(NONCE_BYTES)
    take(here)
    with pytest.raises(RemoteProtocolError, match=f"version 99 .* version {PROTOCOL};"):
        here.feed(theirs)
    assert here.outgoing == b"", "no proof; the challenge has named our number to the other end"


def test_frame_of_older_version_is_named() -> None:
    with pytest.raises(RemoteProtocolError, match=f"version 2 or older .* version {PROTOCOL};"):
        end(Role.SERVES).feed(b"\0\0\0\x30\x01")


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"*1\r\n", b"CRDBLINC", b"\xff"])
def test_another_program_is_recognised_by_its_first_bytes(data: bytes) -> None:
    here = end(Role.SERVES)
    take(here)
    with pytest.raises(RemoteProtocolError, match="another program"):
        here.feed(data)
    assert here.outgoing == b""


def test_bytes_before_proof_are_refused() -> None:
    dials, serves = end(Role.DIALS), end(Role.SERVES, nonce=2)
    with pytest.raises(RemoteProtocolError, match="before we have proved ourselves"):
        serves.feed(proofs(dials, serves) + b"x")
    assert serves.outgoing == b""


def test_unproved_end_may_store_less_than_two_messages() -> None:
    assert UNREAD_BYTES_MAX == CHALLENGE_BYTES + PROOF_BYTES == 74
    here = end(Role.SERVES)
    for byte in challenge(bytes(NONCE_BYTES)) + bytes(PROOF_BYTES - 1):
        here.feed(bytes([byte]))
        assert len(here.unread) < CHALLENGE_BYTES


def test_early_end_of_handshake_is_not_refusal() -> None:
    for role in Role:
        here = end(role)
        here.end()
        assert here.state is HandshakeState.AWAITING_CHALLENGE


def test_any_bytes_lead_to_error_or_to_waiting() -> None:
    rng = random.Random(20)
    for _ in range(2000):
        role = rng.choice(list(Role))
        here = end(role)
        data = bytearray(challenge(rng.randbytes(NONCE_BYTES)) + rng.randbytes(rng.randrange(64)))
        for _ in range(rng.choice((0, 0, 1, 3))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            here.feed(bytes(data))
        except RemoteProtocolError:
            assert here.state is HandshakeState.FAILED
        assert not here.is_proven
        assert len(here.unread) < UNREAD_BYTES_MAX


def test_every_state_that_reads_leads_on() -> None:
    assert set(TRANSITIONS) == {HandshakeState.AWAITING_CHALLENGE, HandshakeState.PROVING}
    assert [state for _, state in TRANSITIONS.values()][-1] is HandshakeState.PROVEN
