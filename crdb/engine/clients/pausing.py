"""CLIENT PAUSE: requests of all clients, or those that write, wait until it ends.

While a pause is in force every client carries the bit PAUSED, which sends its requests through
`dispatch`. A request that must wait is kept in its session, and the session is woken at the
end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crdb.engine.session import PAUSED, POSTPONED, Session

ALWAYS: Final = frozenset({b"client|pause", b"client|unpause", b"client|kill", b"shutdown"})
"""Commands that end a pause, change it or end those who wait in it."""


class Pause:
    """The pause of one instance, if there is one. Times are in ms of its monotonic clock."""

    def __init__(self, clients: Mapping[int, Session], wake: Callable[[Session], None]) -> None:
        self.clients = clients
        self.wake = wake
        self.ends_at: int | None = None
        self.holds_reads = False

    def begin(self, ends_at: int, *, holds_reads: bool) -> None:
        """Pause. A pause in force is never shortened or weakened."""
        if self.ends_at is not None:
            ends_at = max(ends_at, self.ends_at)
            holds_reads = holds_reads or self.holds_reads
        self.ends_at = ends_at
        self.holds_reads = holds_reads
        for session in self.clients.values():
            session.flags |= PAUSED

    def end(self) -> None:
        """End the pause, and wake the clients whose requests were postponed."""
        self.ends_at = None
        self.holds_reads = False
        for session in self.clients.values():
            session.flags &= ~PAUSED
            if session.flags & POSTPONED:
                session.flags &= ~POSTPONED
                self.wake(session)

    def expire(self, now: int) -> None:
        """End the pause if its time has come."""
        if self.ends_at is not None and now >= self.ends_at:
            self.end()

    def holds(self, full_name: bytes, *, writes: bool) -> bool:
        """Return whether a command must wait."""
        return full_name not in ALWAYS and (self.holds_reads or writes)
