"""The contract of machines that a driver runs over a stream of bytes.

A machine is sans-IO: bytes and time come in, events and bytes go out. It reads no clock and starts
no task. `replication.drivers.stream` runs any machine that has these members over any trio stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

EventT = TypeVar("EventT")


class StreamMachine(Protocol[EventT]):
    """An end of a connection. Times are nanoseconds of a monotone clock."""

    @property
    def closed(self) -> bool:
        """True if the machine is over. The driver sends the last bytes and closes the stream."""
        ...

    @property
    def ready(self) -> bool:
        """True if `data_to_send` may have something."""
        ...

    @property
    def pending(self) -> bool:
        """True if `receive(b"", now)` has more events of bytes that have come already. So a driver
        can read its clock between messages that take long."""
        ...

    @property
    def read_bytes_max(self) -> int | None:
        """The bytes to read from the stream in one call; None for the driver's default."""
        ...

    @property
    def deadline(self) -> int:
        """The time at which `tick` has to be called, unless something comes before."""
        ...

    def start(self, notify: Callable[[], None]) -> None:
        """Call `notify` from now on when there may be something to send, or when the machine has
        closed."""
        ...

    def receive(self, data: bytes, now: int) -> list[EventT]:
        """Process bytes of the stream, cut anywhere. Bad bytes close the machine and raise
        nothing."""
        ...

    def end(self, reason: str, now: int) -> list[EventT]:
        """Process the end of the stream. `reason` is empty if the other end closed it in order."""
        ...

    def hang_up(self, reason: str, now: int) -> list[EventT]:
        """Close the machine, since the driver is stopping or cannot send."""
        ...

    def data_to_send(self) -> bytes:
        """Return what to send, about a batch at most. Each byte is returned once."""
        ...

    def tick(self, now: int) -> list[EventT]:
        """Do what is due at `now`."""
        ...
