"""Driver: keep a region's incarnation, and the vector of what it held, on disk.

If a file cannot be written, the process goes on. The region does not write under an incarnation
that is not on disk; it reports the error and tries again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import trio

from crdb.engine.event_names import Emit
from crdb.region.core.recovery import Comeback
from crdb.region.held import read_held_vector, write_held_vector
from crdb.region.incarnation import RegionStart, StateError, draw_incarnation, write_incarnation
from crdt.causality.dots import Vector, incarnation_of
from replication.drivers.stream import clock
from replication.mesh.links import Links
from replication.protocol.limits import SECOND

STATE_SECONDS: Final = 1.0
RETRY_NS: Final = 10 * SECOND
RESTARTED: Final = "it has restarted, and waits for what its peers have"
REUSED: Final = "a peer knows writes in its name that it never made"
NO_SPACE: Final = (
    "make room, create the directory if it is gone, or make it writable; this is tried again"
)
NEW_NUMBER: Final = "give the region another id, in all files"


class Keeper:
    """The state directory of one region, which survives restarts. None: there is no directory."""

    def __init__(self, state: Path | None, links: Links, comeback: Comeback, report: Emit) -> None:
        self.state = state
        self.links = links
        self.replica = links.replica
        self.comeback = comeback
        self.report = report
        self.is_noted = True
        """True if our incarnation is on disk."""
        self.retry_at = 0
        self.noted: Vector | None = None

    def begin(self, life: RegionStart, *, start_empty: bool) -> None:
        """Begin an incarnation: serve immediately if it is the first, else after the recovery."""
        held = {} if life.is_first else read_held_vector(self.state)
        if life.is_first:
            write_held_vector(self.state, {})
        elif start_empty:
            self.report("started empty", {"writes": sum((held or {}).values())})
            write_held_vector(self.state, {})
        elif self.links.recovery.peers:
            self.comeback.begin(RESTARTED, held)
        elif held != {}:
            self.report("data lost", {"everything": True, "peers": []})

    def take_new_incarnation(self) -> None:
        """Take an unused incarnation, and catch up with peers."""
        self.comeback.begin_again(REUSED)
        try:
            self.links.reincarnate(clock(), draw_incarnation())
        except ValueError as fault:
            self.comeback.block()
            self.report("no incarnation left", {"reason": str(fault), "remedy": NEW_NUMBER})
            return
        self.note_incarnation()
        if not self.links.recovery.peers and self.links.memory.aside is None:
            self.comeback.finish()  # only a guest has linked with us, and guests bring no data

    def note_incarnation(self) -> None:
        """Write our incarnation to disk. Until that has succeeded, clients may not write."""
        try:
            write_incarnation(self.state, incarnation_of(self.replica.origin))
        except StateError as fault:
            self.is_noted = False
            self.retry_at = clock() + RETRY_NS
            self.comeback.block()
            self.report("state not written", {"reason": str(fault), "remedy": NO_SPACE})
        else:
            self.is_noted = True
            self.comeback.unblock()

    def do_due_work(self, now: int) -> None:
        """Do what is due about once a second."""
        self.comeback.report_waiting(now)
        if not self.is_noted and now >= self.retry_at:
            self.note_incarnation()
        self.write_held()

    def write_held(self) -> None:
        """Write our vector to disk if it has changed."""
        if self.comeback.is_ready and self.replica.keyspace.vector != self.noted:
            self.noted = dict(self.replica.keyspace.vector)
            write_held_vector(self.state, self.noted)

    async def run(self) -> None:
        """Do what is due once a second, until cancelled."""
        while True:
            await trio.sleep(STATE_SECONDS)
            self.do_due_work(clock())
