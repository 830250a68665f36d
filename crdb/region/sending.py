"""Driver: decide when the writes of clients are sent to peers.

Writes gather in the replica's outbox. At the end of a turn they are sealed into one operation and
given to the links, but not more often than every `PACE_SECONDS`, and a quarter as often under many
writes. Each time costs about as much as ten commands, here and in every other region. The rest is
sent before the listener sleeps, or soon after by a timer. So a busy region makes some hundred
operations per second, however many turns its listener takes, without a task switch for any.

A large string is sent as a whole each time that it is written. Alone in the outbox, it waits for
about as long as the previous value took to be sent. A later value replaces it meanwhile. A write to
any other key ends the wait.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from crdb.engine.instance import Instance
from crdt.embed.replica import RUN_BYTES_MAX, RUN_MAX
from replication.drivers.delayed_writer import EARLY_SECONDS, Bell
from replication.drivers.stream import Driver

PACE_SECONDS: Final = 0.001  # of the 2 ms that a write may take, besides the network delay
BUSY: Final = 30_000  # effects per second since the last operation
BUSY_PACE_SECONDS: Final = 0.004
LARGE_BYTES_PER_SECOND: Final = 100 << 20  # of a string that is written again and again


class Sending:
    """Sends what clients of one instance write, over the links of one driver."""

    def __init__(self, instance: Instance, driver: Driver) -> None:
        self.instance = instance
        self.replica = instance.replica
        self.keyspace = instance.keyspace
        self.driver = driver
        self.due = 0.0
        """The time from which writes may be sent at the end of a turn."""
        self.large_due = 0.0
        """The time from which a large string may be sent, if the outbox holds nothing else."""
        self.wakes_at = math.inf
        """The time when the timer ends; infinity if it is not set."""
        self.sent_at = -math.inf
        self.left = Bell()
        """Rung when writes stay in the outbox although there may be no further turn."""
        instance.on_full_outbox = self.flush_outbox
        instance.turn_hooks.append(self.after_turn)
        instance.rest_hooks.append(self.before_rest)

    def after_turn(self) -> float:
        """Send the outbox if it is due or too large. Return the seconds until it is due."""
        waiting = len(self.keyspace.outbox)
        if not waiting:
            return math.inf
        left = self.due_at() - trio.current_time()
        if left > 0 and waiting < RUN_MAX and self.keyspace.waiting_bytes() < RUN_BYTES_MAX:
            return left
        self.flush_outbox()
        return math.inf

    def due_at(self) -> float:
        """Return the time from which the outbox may be sent."""
        keyspace = self.keyspace
        if len(keyspace.outbox) == 1 and keyspace.outbox_bytes and keyspace.is_rewritable():
            return max(self.due, self.large_due)
        return self.due

    def before_rest(self) -> None:
        """Send the outbox before the listener sleeps, or let the timer send it."""
        if self.keyspace.outbox:
            if trio.current_time() >= self.due_at() - EARLY_SECONDS:
                self.flush_outbox()
            elif self.due_at() < self.wakes_at:
                self.left.ring()

    def flush_outbox(self) -> None:
        """Seal the outbox into an operation, and send it."""
        now = trio.current_time()
        is_busy = len(self.keyspace.outbox) > BUSY * (now - self.sent_at)
        self.due = now + (BUSY_PACE_SECONDS if is_busy else PACE_SECONDS)
        self.sent_at = now
        self.large_due = now + self.keyspace.outbox_bytes / LARGE_BYTES_PER_SECOND
        try:
            self.replica.seal()
            self.driver.push()
        except MemoryError:  # effects that could not be encoded are still in the outbox
            self.instance.memory_exhausted("sending to other regions")

    async def run(self) -> None:
        """Send what the turns have left, when it is due, until cancelled."""
        while True:
            await self.left.wait()
            is_done = False
            while not is_done:
                self.wakes_at = self.due_at()
                with trio.move_on_at(self.wakes_at) as scope:
                    await self.left.wait()  # a later write is due earlier
                is_done = scope.cancelled_caught and self.after_turn() == math.inf
            self.wakes_at = math.inf
