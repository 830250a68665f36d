"""The times at which the outbox is sealed into an op. Pure: the time comes in, in seconds.

Writes gather in the replica's outbox. At the end of a turn they are sealed into one op, but not
more often than every `PACE_SECONDS`. An op costs as much as ten or more commands, here and in every
other region. So the pace follows the rate of the effects, up to `BUSY_PACE_SECONDS`: a busy region
makes some hundred ops per second, however many turns it takes.

A large string is sent as a whole each time that it is written. Alone in the outbox, it waits for
about as long as the previous value took to be sent. A later value replaces it meanwhile. A write to
any other key ends the wait. So does an op that arrives, or a timer of a link.
"""

from __future__ import annotations

import math
from typing import Final

from crdt.embed.replica import RUN_BYTES_MAX
from crdt.store.keyspace import Keyspace

PACE_SECONDS: Final = 0.001
"""Part of the 2 ms that a write may take, in addition to the network delay."""
BUSY_PACE_SECONDS: Final = 0.004
"""The longest pace."""
BUSY_EFFECTS_PER_SECOND: Final = 30_000
"""The rate from which on it is used. At a lower rate the pace is shorter in proportion."""
OP_EFFECTS: Final = 1024
"""Effects that do not wait for more. Other regions apply so many at once, without slices."""
LARGE_BYTES_PER_SECOND: Final = 100 << 20
"""The rate at which a large string that is written again and again is sent."""


class SealPacing:
    """Decides when the outbox of one keyspace is due."""

    __slots__ = ("due", "early_seconds", "large_due", "sealed_at")

    def __init__(self, early_seconds: float = 0.0) -> None:
        """Before a driver sleeps, effects are sealed `early_seconds` before they are due, since its
        timer is no more exact than that."""
        self.early_seconds = early_seconds
        self.due: float = 0.0
        """The time from which effects may be sealed at the end of a turn."""
        self.large_due: float = 0.0
        """The time from which a large string may be sealed, if the outbox holds nothing else."""
        self.sealed_at: float = -math.inf

    def due_at(self, keyspace: Keyspace) -> float:
        """Return the time from which the outbox may be sealed."""
        if keyspace.pending_count() == 1 and keyspace.pending_bytes() and keyspace.is_rewritable():
            return max(self.due, self.large_due)
        return self.due

    def seconds_left(self, keyspace: Keyspace, now: float) -> float:
        """Return in how many seconds the outbox is due; 0 if it is due, or too large to wait."""
        left = self.due_at(keyspace) - now
        is_large = (
            keyspace.pending_count() >= OP_EFFECTS or keyspace.waiting_bytes() >= RUN_BYTES_MAX
        )
        return 0.0 if is_large else max(left, 0.0)

    def record_seal(self, keyspace: Keyspace, now: float) -> None:
        """Compute when the next op may be sealed, since the outbox is sealed now."""
        pending = keyspace.pending_count()
        elapsed = max(now - self.sealed_at, PACE_SECONDS)
        share = pending / (elapsed * BUSY_EFFECTS_PER_SECOND)
        self.due = now + max(PACE_SECONDS, BUSY_PACE_SECONDS * min(share, 1.0))
        self.sealed_at = now
        self.large_due = now + keyspace.pending_bytes() / LARGE_BYTES_PER_SECOND
