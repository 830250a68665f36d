"""Driver: the timer, the links and the thread behind the turns of one instance.

At the end of a turn, effects that are not due may stay in the outbox (`crdb.engine.turns.sealing`).
The next turn seals them, or the listener before it sleeps, or the task of this module when they are
due. So most ops need no task switch.

A journal that is synced every second is synced in a thread, so that no client waits for the disk.
"""

from __future__ import annotations

import math

import trio

from crdb.engine.instance import Instance
from crdb.engine.turns.journal import Journal
from crdb.engine.turns.sealing import SealPacing
from replication.drivers.delayed_writer import EARLY_SECONDS, WakeupEvent
from replication.drivers.links import Driver
from replication.drivers.stream import clock
from replication.protocol.limits import MS


class Sending:
    """Sends the writes of one instance's clients over the links of one driver."""

    def __init__(self, instance: Instance, driver: Driver) -> None:
        self.instance = instance
        self.driver = driver
        self.turn = instance.turn
        self.wakes_at = math.inf
        """The time when the timer ends; infinity if it is not set."""
        self.timer_set = WakeupEvent()
        self.unsynced: Journal | None = None
        """The journal that has to be synced."""
        self.sync_due = WakeupEvent()
        self.turn.clock = trio.current_time
        self.turn.pacing = SealPacing(EARLY_SECONDS)
        self.turn.push = self.push
        self.turn.set_timer = self.set_timer
        self.turn.start_sync = self.start_sync

    def push(self) -> None:
        """Let the links send what was sealed. Clients' writes wait if peers are too far behind."""
        self.driver.push()
        pause_ms = self.driver.links.flow.pause_ns(clock()) // MS
        if pause_ms:
            self.instance.pause.begin(self.instance.now + pause_ms, holds_reads=False)

    def set_timer(self, due: float) -> None:
        """Let `keep_time` finish a turn at `due`, unless it does so earlier."""
        if due < self.wakes_at:
            self.wakes_at = due
            self.timer_set.set()

    def start_sync(self, journal: Journal) -> None:
        """Let `keep_synced` sync a journal."""
        self.unsynced = journal
        self.sync_due.set()

    async def run(self) -> None:
        """Finish turns and sync the journal when they are due, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.keep_time)
            nursery.start_soon(self.keep_synced)

    async def keep_time(self) -> None:
        """Finish a turn whenever the timer ends, until cancelled."""
        while True:
            with trio.move_on_at(self.wakes_at) as scope:
                await self.timer_set.wait()  # a later write is due earlier
            if scope.cancelled_caught:
                self.wakes_at = math.inf
                left = self.turn.finish()
                self.wakes_at = min(self.wakes_at, trio.current_time() + left)
                self.instance.serve_dirty_keys()

    async def keep_synced(self) -> None:
        """Sync the journal in a thread whenever it is due, until cancelled."""
        while True:
            await self.sync_due.wait()
            journal = self.unsynced
            assert journal is not None, "start_sync sets both"
            fault = await trio.to_thread.run_sync(sync_error, journal)
            self.turn.end_sync(journal, fault)
            self.instance.serve_dirty_keys()  # a failed journal has woken blocked clients


def sync_error(journal: Journal) -> OSError | None:
    """Sync a journal. Return the error if it fails."""
    try:
        journal.sync()
    except OSError as fault:
        return fault
    return None
