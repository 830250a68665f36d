"""The bytes of one connection, at one end: first the handshake, then frames with their tags.

Without a secret frames have no tags, since everybody could compute them. Such links stay within one
machine.

The drivers and the simulator use it alike. Nothing of what the machine behind it says goes out, and
nothing that comes in reaches the machine, before both ends have proved that they know the secret.
"""

from __future__ import annotations

from replication.protocol.codec import FrameDecoder, FrameTag, encode_all
from replication.protocol.frames import Eof, Frame
from replication.protocol.handshake import UNREAD_BYTES_MAX, Handshake, Role
from replication.protocol.secret import LinkSecret


class Channel:
    """An end of a connection. `nonce` is random and used for this connection only."""

    def __init__(self, secret: LinkSecret, role: Role, nonce: bytes) -> None:
        self.handshake = Handshake(secret, role, nonce)
        self.role = role
        self.decoder: FrameDecoder | None = None
        self.sent: FrameTag | None = None

    @property
    def is_proven(self) -> bool:
        """Return whether frames may be sent."""
        return self.decoder is not None

    @property
    def frames_received(self) -> int:
        """Return the number of frames that have come, also of one whose tag was wrong."""
        return 0 if self.decoder is None else self.decoder.count

    @property
    def missing_bytes(self) -> int:
        """Return how many bytes of the frame that has begun are missing, 0 if that is not known."""
        return 0 if self.decoder is None else self.decoder.missing_bytes

    @property
    def read_bytes_max(self) -> int | None:
        """Return how much to read from the stream in one go; None for what the driver likes."""
        return None if self.is_proven else UNREAD_BYTES_MAX

    def receive(self, data: bytes) -> list[Frame]:
        """Return the frames that end in `data`. Raises RemoteProtocolError; the connection must
        end then. There may be something to send afterwards, also if it raises."""
        if self.decoder is None:
            data = self.handshake.feed(data)
            if not self.handshake.is_proven:
                return []
            other = Role.SERVES if self.role is Role.DIALS else Role.DIALS
            if self.handshake.secret.is_set:
                self.sent = FrameTag(self.handshake.frame_key(self.role))
                self.decoder = FrameDecoder(FrameTag(self.handshake.frame_key(other)))
            else:
                self.decoder = FrameDecoder()
        return self.decoder.feed(data)

    @property
    def has_outgoing(self) -> bool:
        """Return whether the handshake has something to send."""
        return self.handshake.outgoing != b""

    def bytes_to_send(self) -> bytes:
        """Return what the handshake has to send. Each byte is returned once."""
        data, self.handshake.outgoing = self.handshake.outgoing, b""
        return data

    def wrap(self, frames: list[Frame]) -> bytes:
        """Return the bytes that carry `frames`; nothing before both ends have proved themselves."""
        return encode_all(frames, self.sent) if self.is_proven else b""

    def end(self, reason: str = "") -> list[Frame]:
        """Process the end of the stream. Return the frame that represents it. Raises NotProven if
        the other end has probably closed it because of our proof."""
        self.handshake.end()
        return [Eof(reason) if reason else Eof()]
