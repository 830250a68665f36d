"""Driver: when what clients have written goes to the peers.

It gathers in the replica's outbox. It is sealed into one operation and given to the links at the
end of a turn, but not more often than every `PACE_SECONDS`, and a quarter as often while much is
written: each time costs about as much as ten commands, here and in each other region. What is left
goes before the listener rests, or soon after by a timer. So a busy region makes some hundred
operations a second, however many turns its listener takes, and no task is switched to for any of
them.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from crdb.instance import Instance
from crdt.replica import RUN_BYTES_MAX, RUN_MAX
from replication.line import EARLY_SECONDS, Bell
from replication.link import Driver

PACE_SECONDS: Final = 0.001  # of the 2 ms that a write may take besides the way
BUSY: Final = 30_000  # effects a second, since what went last
BUSY_PACE_SECONDS: Final = 0.004


class Sending:
    """Sends what clients of one instance write, over the links of one driver."""

    def __init__(self, instance: Instance, driver: Driver) -> None:
        self.instance = instance
        self.replica = instance.replica
        self.keyspace = instance.keyspace
        self.driver = driver
        self.due = 0.0
        """When what is written may go at the end of a turn."""
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
        left = self.due - trio.current_time()
        if left > 0 and waiting < RUN_MAX and self.keyspace.outbox_bytes < RUN_BYTES_MAX:
            return left
        self.let_go()
        return math.inf

    def before_rest(self) -> None:
        """Nobody asks for anything: let go what was written, or see to it that it goes."""
        if self.keyspace.outbox:
            if trio.current_time() >= self.due - EARLY_SECONDS:
                self.let_go()
            else:
                self.left.ring()

    def let_go(self) -> None:
        """Seal what was written, and send it."""
        now = trio.current_time()
        is_busy = len(self.keyspace.outbox) > BUSY * (now - self.sent_at)
        self.due = now + (BUSY_PACE_SECONDS if is_busy else PACE_SECONDS)
        self.sent_at = now
        try:
            self.replica.seal()
            self.driver.push()
        except MemoryError:  # what could not be encoded is still in the outbox
            self.instance.memory_exhausted("sending to other regions")

    async def run(self) -> None:
        """Let go what was left, until cancelled."""
        while True:
            await self.left.wait()
            await trio.sleep_until(self.due)
            self.after_turn()
