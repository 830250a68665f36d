"""A region that gets what another one writes from third regions alone, twice.

The first time the third regions have the write no more in their backlogs, so a snapshot is needed.
The second time they have it. The region must then ask for the few operations, and not for a second
snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from sim.engine.events import MS
from sim.faults.resync import empty_backlog
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld

CHECK_NS: Final = 5 * MS
PAUSE_NS: Final = 300 * MS
SILENTLY: Final = 1
"""The bit of a step's value that separates the regions without a notification."""
ONE_ONLY: Final = 2
"""The bit of a step's value that empties the backlog of one third region alone."""


@attrs.define
class Relay:
    """A separation of `reader` and `writer`. `relays` are the regions whose backlogs are emptied,
    and `emptied` those for which that has happened."""

    world: SimWorld
    reader: SimRegion
    writer: SimRegion
    relays: list[SimRegion]
    prefix: str
    emptied: set[str] = attrs.field(factory=set[str])
    origin: int = 0
    seq: int = 0
    is_over: bool = False

    def write(self, number: int) -> None:
        """Let the writer write."""
        if not self.is_over and self.writer.can_write:
            self.world.run(self.writer.name, "SADD", self.prefix, f"relayed.{number}")
            self.origin = self.writer.replica.origin
            self.seq = self.writer.replica.keyspace.seq

    def begin(self) -> None:
        """Write for the first time."""
        self.write(1)
        self.poll_relays()

    def poll_relays(self) -> None:
        """Empty the backlog of each third region as soon as it has the write, and write again when
        the reader has it."""
        if self.is_over or not self.seq:
            return
        for site in self.relays:
            if site.name not in self.emptied and site.can_write and self.has_write(site):
                self.emptied.add(site.name)
                self.world.run(site.name, "SADD", self.prefix, f"by.{site.name}")
                empty_backlog(site)
        if self.has_write(self.reader):
            self.restore_backlogs()
            self.world.engine.schedule_after(PAUSE_NS, lambda: self.write(2))
        else:
            self.world.engine.schedule_after(CHECK_NS, self.poll_relays)

    def has_write(self, site: SimRegion) -> bool:
        """Return whether a region is up and has the first write."""
        return site.is_up and site.replica.keyspace.vector.get(self.origin, 0) >= self.seq

    def restore_backlogs(self) -> None:
        """Let the backlogs grow again."""
        for site in self.relays:
            if site.name in self.emptied:
                site.replica.history.resize(site.tuning.history_bytes)

    def end_fault(self, reconnect: Callable[[], None]) -> None:
        """End the separation."""
        self.is_over = True
        self.restore_backlogs()
        reconnect()


def relay_writes(world: SimWorld, step: ScheduleStep) -> Done:
    """Separate two regions, and let one write what the other gets from third regions."""
    reader, writer, *others = (world.sites[name] for name in step.regions)
    if not others or not all(site.can_write for site in (reader, writer, *others)):
        return False, None
    names = (reader.name, writer.name)
    if step.value & SILENTLY:
        for here, there in (names, names[::-1]):
            world.close_way(here, there)
    else:
        world.cut(*names)
    relays = others[:1] if step.value & ONE_ONLY else others
    story = Relay(world, reader, writer, relays, f"relay:{step.at // MS}")
    world.engine.schedule_after(PAUSE_NS, story.begin)

    def reconnect() -> None:
        if step.value & SILENTLY:
            for here, there in (names, names[::-1]):
                world.open_way(here, there)
        else:
            world.heal(*names)

    return True, lambda: story.end_fault(reconnect)
