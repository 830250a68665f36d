"""Notice a frame whose announced length cannot be right. Pure.

The length of a frame is not protected before the whole frame has come. If it was damaged on its
way, the receiver takes the frames that follow for a part of this one. On a link that sends little
more than heartbeats it could wait for long, while each heartbeat is a sign of life.

A source divides what it sends by the speed of the link, so a whole frame takes about a quarter of a
second to arrive, and a few seconds if the link has become slower. A frame that would take half a
minute at its speed so far is either damaged, or too large for what the link has become. Both are
mended by a new connection, which begins with small frames.
"""

from __future__ import annotations

from typing import Final

from replication.protocol.errors import RemoteProtocolError
from replication.protocol.limits import SECOND

MEASURED_NS: Final = 5 * SECOND
"""The time after which the speed of a frame counts."""
FRAME_NS_MAX: Final = 30 * SECOND
"""The time that a frame may take to arrive, by its speed so far."""
PAUSE_NS_MAX: Final = 2 * SECOND
"""The longest pause that counts. After a longer one this process may have been stopped."""


class FrameSpeed:
    """The speed at which the frame that has begun arrives."""

    def __init__(self) -> None:
        self.lasted_ns = 0
        self.received = 0
        self.at = 0
        """The time at which the latest part came."""

    def record_end(self, now: int) -> None:
        """Record that a frame is complete. What came after it belongs to the next one."""
        self.lasted_ns = self.received = 0
        self.at = now

    def record_part(self, size: int, missing: int, now: int) -> None:
        """Record that `size` bytes have come and `missing` are still missing, 0 if that is not
        known. Raises RemoteProtocolError if the frame would take too long."""
        if self.received:
            self.lasted_ns += min(max(0, now - self.at), PAUSE_NS_MAX)
        self.at = now
        self.received += size
        if self.lasted_ns >= MEASURED_NS:
            left_ns = missing * self.lasted_ns // self.received
            if left_ns > FRAME_NS_MAX:
                raise RemoteProtocolError(
                    f"{missing} more bytes of one frame would take {left_ns // SECOND} s at the "
                    "present speed, so its length was damaged or the link has become too slow"
                )
