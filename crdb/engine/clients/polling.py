"""Polling for blocked clients that wait for no key: those of CRDB.SETTLE, CRDB.AWAIT and WAIT.

They wait for a state of other regions or of the links, which changes without an event here. So they
are tried every few milliseconds. A client that waits for this region alone is also tried whenever
ops from elsewhere have been applied. A client whose attempt sends convergence queries is not, since
each reply would then cause the next query.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.clients.blocking import Blocked, Waiter

POLL_MS: Final = 2
FAST_POLLS: Final = 50
SLOW_POLL_MS: Final = 20
"""The pause after FAST_POLLS polls. A poll may send a query to every peer."""


class Polling:
    """Tries those of `blocked` that wait for no key."""

    __slots__ = ("blocked", "polled_at", "polls")

    def __init__(self, blocked: Blocked) -> None:
        self.blocked = blocked
        self.polled_at = 0
        self.polls = 0

    def add(self, waiter: Waiter, now: int) -> None:
        """Begin to poll for a client at `now` (ms)."""
        assert not waiter.keys
        self.blocked.add(waiter)
        self.polled_at = now
        self.polls = 0

    def poll(self, now: int) -> None:
        """Serve the clients that can be served."""
        self.polled_at = now
        self.polls += 1
        for waiter in list(self.blocked.keyless.values()):
            self.blocked.attempt(waiter)

    def poll_local(self) -> None:
        """Serve the clients that wait for this region alone, after ops were applied."""
        for waiter in list(self.blocked.keyless.values()):
            if not waiter.asks_peers:
                self.blocked.attempt(waiter)

    @property
    def deadline(self) -> int | None:
        """The time (ms) of the next poll; None while no client waits."""
        pause = POLL_MS if self.polls < FAST_POLLS else SLOW_POLL_MS
        return self.polled_at + pause if self.blocked.keyless else None
