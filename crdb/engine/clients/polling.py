"""When to look again for blocked clients that wait for no key: those of CRDB.SETTLE, CRDB.AWAIT.

What they wait for is held by other regions, or between regions, and changes without a sign here. So
they are tried every few milliseconds. One that is about this region alone is also tried whenever
operations from elsewhere have been applied; one that asks others is not, or questions and answers
would chase each other over the links.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.clients.blocking import Blocked, Waiter

LOOK_MS: Final = 2
LOOKS_SOON: Final = 50
LATER_MS: Final = 20
"""Who has waited for LOOKS_SOON looks is not in a hurry; looking asks every peer."""


class Polling:
    """Looks after those of `blocked` who wait for no key."""

    __slots__ = ("blocked", "looked_at", "looks")

    def __init__(self, blocked: Blocked) -> None:
        self.blocked = blocked
        self.looked_at = 0
        self.looks = 0

    def add(self, waiter: Waiter, now: int) -> None:
        """A client begins to wait, `now` in ms."""
        assert not waiter.keys
        self.blocked.add(waiter)
        self.looked_at = now
        self.looks = 0

    def look(self, now: int) -> None:
        """Serve those who can be served."""
        self.looked_at = now
        self.looks += 1
        for waiter in list(self.blocked.keyless.values()):
            self.blocked.attempt(waiter)

    def look_again(self) -> None:
        """Something has come from elsewhere: serve those who wait for that."""
        for waiter in list(self.blocked.keyless.values()):
            if not waiter.asks:
                self.blocked.attempt(waiter)

    @property
    def deadline(self) -> int | None:
        """When to look next, in ms; None while nobody waits."""
        pause = LOOK_MS if self.looks < LOOKS_SOON else LATER_MS
        return self.looked_at + pause if self.blocked.keyless else None
