"""Driver: when what clients have written goes to the peers.

It gathers in the replica's outbox. It is sealed into one operation and given to the links at the
end of a turn, but not more often than every `PACE_SECONDS`, and a quarter as often while much is
written: each time costs about as much as ten commands, here and in each other region. What is left
goes before the listener rests, or soon after by a timer. So a busy region makes some hundred
operations a second, however many turns its listener takes, and no task is switched to for any of
them.

A large string that is written again and again is sent as a whole each time. Alone in the outbox it
waits for about as long as the previous one took to be sent; what is written to it meanwhile takes
its place. Anything else that is written ends the wait.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from crdb.engine.instance import Instance
from crdt.embed.replica import RUN_BYTES_MAX, RUN_MAX
from replication.drivers.delayed_writer import EARLY_SECONDS, Bell
from replication.drivers.stream import Driver

PACE_SECONDS: Final = 0.001  # of the 2 ms that a write may take besides the way
BUSY: Final = 30_000  # effects a second, since what went last
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
        """When what is written may go at the end of a turn."""
        self.large_due = 0.0
        """When a large string may go if it is all there is."""
        self.wakes_at = math.inf
        """When the timer ends; infinity if it is not set."""
        self.sent_at = -math.inf
        self.left = Bell()
        """Rung when something stays behind although there may be no further turn."""
        instance.on_full_outbox = self.let_go
        instance.turn_hooks.append(self.after_turn)
        instance.rest_hooks.append(self.before_rest)

    def after_turn(self) -> float:
        """Something may have been written: let it go if that is due, or too much to keep. In how
        many seconds it will be due."""
        waiting = len(self.keyspace.outbox)
        if not waiting:
            return math.inf
        left = self.due_at() - trio.current_time()
        if left > 0 and waiting < RUN_MAX and self.keyspace.waiting_bytes() < RUN_BYTES_MAX:
            return left
        self.let_go()
        return math.inf

    def due_at(self) -> float:
        """Return when what is in the outbox may go."""
        keyspace = self.keyspace
        if len(keyspace.outbox) == 1 and keyspace.outbox_bytes and keyspace.is_rewritable():
            return max(self.due, self.large_due)
        return self.due

    def before_rest(self) -> None:
        """Nobody asks for anything: let go what was written, or see to it that it goes."""
        if self.keyspace.outbox:
            if trio.current_time() >= self.due_at() - EARLY_SECONDS:
                self.let_go()
            elif self.due_at() < self.wakes_at:
                self.left.ring()

    def let_go(self) -> None:
        """Seal what was written, and send it."""
        now = trio.current_time()
        is_busy = len(self.keyspace.outbox) > BUSY * (now - self.sent_at)
        self.due = now + (BUSY_PACE_SECONDS if is_busy else PACE_SECONDS)
        self.sent_at = now
        self.large_due = now + self.keyspace.outbox_bytes / LARGE_BYTES_PER_SECOND
        try:
            self.replica.seal()
            self.driver.push()
        except MemoryError:  # what could not be encoded is still in the outbox
            self.instance.memory_exhausted("sending to other regions")

    async def run(self) -> None:
        """Let go what was left, until cancelled."""
        while True:
            await self.left.wait()
            is_done = False
            while not is_done:
                self.wakes_at = self.due_at()
                with trio.move_on_at(self.wakes_at) as scope:
                    await self.left.wait()  # what was written since is due sooner
                is_done = scope.cancelled_caught and self.after_turn() == math.inf
            self.wakes_at = math.inf
