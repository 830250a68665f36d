"""Driver: the timer and the links behind the turns of one instance.

At the end of a turn, effects that are not due may stay in the outbox (`crdb.engine.sealing`). The
next turn seals them, or the listener before it sleeps, or the task of this module when they are
due. So most ops need no task switch.
"""

from __future__ import annotations

import math

import trio

from crdb.engine.instance import Instance
from crdb.engine.sealing import SealPacing
from replication.drivers.delayed_writer import EARLY_SECONDS, WakeupEvent
from replication.drivers.links import Driver


class Sending:
    """Sends the writes of one instance's clients over the links of one driver."""

    def __init__(self, instance: Instance, driver: Driver) -> None:
        self.turn = instance.turn
        self.wakes_at = math.inf
        """The time when the timer ends; infinity if it is not set."""
        self.timer_set = WakeupEvent()
        self.turn.clock = trio.current_time
        self.turn.pacing = SealPacing(EARLY_SECONDS)
        self.turn.push = driver.push
        self.turn.set_timer = self.set_timer

    def set_timer(self, due: float) -> None:
        """Let `run` finish a turn at `due`, unless it does so earlier."""
        if due < self.wakes_at:
            self.wakes_at = due
            self.timer_set.set()

    async def run(self) -> None:
        """Finish a turn whenever the timer ends, until cancelled."""
        while True:
            with trio.move_on_at(self.wakes_at) as scope:
                await self.timer_set.wait()  # a later write is due earlier
            if scope.cancelled_caught:
                left = self.turn.finish()
                self.wakes_at = trio.current_time() + left
