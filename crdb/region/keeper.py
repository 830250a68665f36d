"""Driver: write a region's incarnation, and the vector of what it held, to disk.

`crdb.region.core.lifecycle` decides what is written, and what follows if that fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import trio

from crdb.region.core.incarnations import RegionStart
from crdb.region.core.lifecycle import RegionLifecycle
from crdb.region.state_directory import (
    StateError,
    read_held_vector,
    write_held_vector,
    write_incarnation,
)
from crdt.causality.dots import Vector
from replication.protocol.events import Event

STATE_SECONDS: Final = 1.0


class Keeper:
    """The state directory of one region, which survives restarts. `state` is None without one."""

    def __init__(self, state: Path | None, lifecycle: RegionLifecycle) -> None:
        self.state = state
        self.lifecycle = lifecycle

    def begin(self, start: RegionStart, *, start_empty: bool) -> None:
        """Begin the incarnation of a start."""
        held = {} if start.is_first else read_held_vector(self.state)
        self.write_vector(self.lifecycle.begin(start, held, start_empty=start_empty))

    def handle_event(self, event: Event) -> None:
        """Act on an event of the links."""
        self.lifecycle.handle_event(event)
        self.write_incarnation()

    def write_incarnation(self) -> None:
        """Write our incarnation to disk if that is due."""
        number = self.lifecycle.incarnation_to_write()
        if number is not None:
            try:
                write_incarnation(self.state, number)
            except StateError as fault:
                self.lifecycle.record_not_written(str(fault))
            else:
                self.lifecycle.record_written()

    def do_due_work(self) -> None:
        """Do what is due about once a second."""
        self.lifecycle.recovery.report_waiting(self.lifecycle.clock())
        self.write_incarnation()
        self.write_held()

    def write_held(self) -> None:
        """Write our vector to disk if it has changed."""
        self.write_vector(self.lifecycle.vector_to_write())

    def write_vector(self, vector: Vector | None) -> None:
        """Write a vector to disk, unless it is None."""
        if vector is not None:
            try:
                write_held_vector(self.state, vector)
            except StateError as fault:
                self.lifecycle.record_vector_not_written(str(fault))

    async def run(self) -> None:
        """Do what is due once a second, until cancelled."""
        while True:
            await trio.sleep(STATE_SECONDS)
            self.do_due_work()
