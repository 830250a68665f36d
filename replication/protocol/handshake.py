"""The handshake by which the two ends of a link prove that they know the same secret.

    dialling end                          serving end
                                   <-     Challenge(version, nonce)
      Challenge(version, nonce)    ->
      Proof                        ->
                                   <-     Proof

Each end sends its challenge as soon as there is a connection. The dialling end can prove itself as
soon as the challenge of the serving end has come, so the handshake costs one round trip.

Nothing else is read or written before both proofs have been checked. A proof is an HMAC-SHA256
under the secret, over the role of the end that proves, the protocol version and both nonces (a
challenge and response as in ISO/IEC 9798-4). The roles differ, so a proof that is sent back to its
sender is refused; the nonces are fresh, so a recorded proof is refused too.

The dialling end proves first. A stranger that connects to a link port therefore gets a version and
a nonce, but no proof from which it could guess a weak secret.

The machine is sans-IO: bytes and a nonce come in, bytes go out. Messages have a fixed length, so an
end that has proved nothing can make us keep 74 bytes at most.
"""

from __future__ import annotations

import enum
import hmac
from typing import Final

from replication.protocol.errors import NotProven, RemoteProtocolError
from replication.protocol.frames import PROTOCOL
from replication.protocol.secret import LinkSecret

MAGIC: Final = b"CRDBLINK"
VERSION_BYTES: Final = 2
NONCE_BYTES: Final = 32  # both are drawn at random, so none comes twice
CHALLENGE_BYTES: Final = len(MAGIC) + VERSION_BYTES + NONCE_BYTES
PROOF_BYTES: Final = 32
UNREAD_BYTES_MAX: Final = CHALLENGE_BYTES + PROOF_BYTES
DIFFERENT: Final = (
    "it does not know our secret; set the same `secret` (or `secret_file`, or CRDB_SECRET) at both"
)


class Role(enum.Enum):
    """The end of the connection that proves. The value is part of the proof."""

    DIALS = b"dials"
    SERVES = b"serves"


class HandshakeState(enum.Enum):
    """The progress of a handshake."""

    AWAITING_CHALLENGE = "awaiting challenge"
    """Waits for the challenge of the other end."""
    PROVING = "proving"
    """Waits for its proof."""
    PROVEN = "proven"
    """Both ends have proved that they know the secret."""
    FAILED = "failed"


S = HandshakeState

# What is read in each state, and the state that follows if it is in order.
TRANSITIONS: Final[dict[HandshakeState, tuple[int, HandshakeState]]] = {
    S.AWAITING_CHALLENGE: (CHALLENGE_BYTES, S.PROVING),
    S.PROVING: (PROOF_BYTES, S.PROVEN),
}


class Handshake:
    """An end of the handshake on one connection. `outgoing` is what has to be sent."""

    def __init__(self, secret: LinkSecret, role: Role, nonce: bytes) -> None:
        assert len(nonce) == NONCE_BYTES
        self.secret = secret
        self.role = role
        self.nonce = nonce
        self.transcript = b""
        """The version and both nonces, that of the dialling end first."""
        self.state = S.AWAITING_CHALLENGE
        self.unread = b""
        self.outgoing = challenge(nonce)

    @property
    def is_proven(self) -> bool:
        """Return whether both ends have proved that they know the secret."""
        return self.state is S.PROVEN

    def feed(self, data: bytes) -> bytes:
        """Process received bytes. Return those that follow the handshake. Raises
        RemoteProtocolError, NotProven if the other end does not know the secret; the connection
        must end then."""
        self.unread += data
        while self.state in TRANSITIONS:
            size, following = TRANSITIONS[self.state]
            if self.state is S.AWAITING_CHALLENGE and not is_challenge(self.unread):
                unread, self.unread, self.state = self.unread, b"", S.FAILED
                raise RemoteProtocolError(describe_stranger(unread))
            if len(self.unread) < size:
                return b""
            message, self.unread = self.unread[:size], self.unread[size:]
            before, self.state = self.state, S.FAILED
            if before is S.AWAITING_CHALLENGE:
                self.receive_challenge(message)
            else:
                self.receive_proof(message)
            self.state = following
        rest, self.unread = self.unread, b""
        return rest

    def receive_challenge(self, message: bytes) -> None:
        """Answer the challenge of the other end."""
        version = int.from_bytes(message[len(MAGIC) : len(MAGIC) + VERSION_BYTES], "big")
        theirs = message[len(MAGIC) + VERSION_BYTES :]
        if version != PROTOCOL:
            raise RemoteProtocolError(describe_version(str(version)))
        pair = (self.nonce, theirs) if self.role is Role.DIALS else (theirs, self.nonce)
        self.transcript = write_version() + b"".join(pair)
        if self.role is Role.DIALS:
            self.outgoing += self.proof(self.role)

    def receive_proof(self, message: bytes) -> None:
        """Check the proof of the other end, and prove ourselves in turn."""
        other = Role.SERVES if self.role is Role.DIALS else Role.DIALS
        if not hmac.compare_digest(message, self.proof(other)):
            raise NotProven(DIFFERENT)
        if self.unread and self.role is Role.SERVES:
            raise RemoteProtocolError("it goes on before we have proved ourselves")
        if self.role is Role.SERVES:
            self.outgoing += self.proof(self.role)

    def proof(self, role: Role) -> bytes:
        """Return what the end in that role has to send to prove that it knows the secret."""
        return self.derive(b"proof", role)

    def frame_key(self, role: Role) -> bytes:
        """Return the key that authenticates what the end in that role sends on this connection."""
        return self.derive(b"frames", role)

    def derive(self, purpose: bytes, role: Role) -> bytes:
        """Return 32 bytes, for one purpose, that can be computed only with the secret."""
        label = b"crdb link\0" + purpose + b"\0" + role.value + b"\0"
        return hmac.digest(self.secret.key, label + self.transcript, "sha256")

    def end(self) -> None:
        """Process the end of the stream. Raises NotProven if it was the answer to our proof, since
        an end that refuses a proof closes without a message."""
        if self.role is Role.DIALS and self.state is S.PROVING:
            raise NotProven(f"it hung up on our proof: it was stopping or too slow, or {DIFFERENT}")


def write_version() -> bytes:
    """Return the version of the protocol as it stands in a challenge."""
    return PROTOCOL.to_bytes(VERSION_BYTES, "big")


def challenge(nonce: bytes) -> bytes:
    """Return a challenge as bytes."""
    return MAGIC + write_version() + nonce


def is_challenge(data: bytes) -> bool:
    """Return whether `data` may be the beginning of a challenge."""
    return MAGIC.startswith(data[: len(MAGIC)])


def describe_stranger(data: bytes) -> str:
    """Return what is wrong with a connection that does not begin with a challenge. A frame of the
    versions before 3 begins with its length, of which the first byte is 0."""
    if data[:1] == b"\0":
        return describe_version("2 or older")
    return "it is no link of this database: another program may have connected to the link port"


def describe_version(theirs: str) -> str:
    """Return why two versions cannot be linked."""
    return (
        f"it speaks version {theirs} of the link protocol and this program version {PROTOCOL}; "
        "run the same release in all regions"
    )
