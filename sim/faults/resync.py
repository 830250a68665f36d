"""A full resync that does not come to its end: one of the two dies in the middle.

Backlogs are emptied first, so that a region which has lost its memory needs a snapshot. The ways
to it have little bandwidth, so that the snapshot takes a while.
"""

from __future__ import annotations

from typing import Final

import attrs

from sim.engine.events import MS
from sim.faults.processes import can_lose_memory
from sim.network.ways import Way
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld

LOOK_NS: Final = 5 * MS  # between two looks at whether the resync goes on
DOWN_NS: Final = 300 * MS
HISTORY_SMALL: Final = 1


@attrs.define
class TornResync:
    """A full resync that `receiver` needs. `bandwidth` of the ways to it is in bytes a second."""

    world: SimWorld
    receiver: str
    bandwidth: int
    is_donor: bool
    """True if it is the donor that dies."""
    fallen: list[str] = attrs.field(factory=list[str])
    narrowed: list[Way] = attrs.field(factory=list[Way])
    is_over: bool = False

    def start_resync(self) -> None:
        """Let the receiver lose its memory, and have nobody keep a backlog."""
        world = self.world
        for site in world.live_regions():
            history = site.replica.history
            history.resize(HISTORY_SMALL)
            while history.stop - history.start > 1:
                history.drop_oldest()
        self.crash_region(self.receiver)
        for name in world.sites:
            if name != self.receiver:
                way = world.network.way(name, self.receiver)
                if not way.bandwidth:
                    way.bandwidth = self.bandwidth
                    self.narrowed.append(way)
        world.engine.schedule_after(DOWN_NS, self.poll_resync)

    def poll_resync(self) -> None:
        """Bring one of the two down once a snapshot is on its way."""
        if self.is_over:
            return
        self.restart_crashed()
        donors = self.world.sites[self.receiver].snapshot_peers
        sites = self.world.sites
        victim = self.receiver
        if donors and self.is_donor and can_lose_memory(self.world, sites[donors[0]]):
            victim = donors[0]
        if donors and can_lose_memory(self.world, sites[victim]):
            self.crash_region(victim)
            self.restore_bandwidth()
            self.world.engine.schedule_after(DOWN_NS, self.end_fault)
        else:
            self.world.engine.schedule_after(LOOK_NS, self.poll_resync)

    def crash_region(self, name: str) -> None:
        self.world.crash_process(name)
        self.fallen.append(name)

    def restart_crashed(self) -> None:
        """Restart the crashed regions."""
        fallen, self.fallen = self.fallen, []
        for name in fallen:
            if not self.world.sites[name].is_up:
                self.world.restart_process(name)

    def restore_bandwidth(self) -> None:
        """Give the ways back what they had."""
        narrowed, self.narrowed = self.narrowed, []
        for way in narrowed:
            way.bandwidth = 0

    def end_fault(self) -> None:
        """All is as before."""
        if not self.is_over:
            self.is_over = True
            self.restart_crashed()
            self.restore_bandwidth()
            for site in self.world.sites.values():
                site.replica.history.resize(site.tuning.history_bytes)


def tear_resync(world: SimWorld, step: ScheduleStep) -> Done:
    """An odd `value`: the donor dies, otherwise the receiver."""
    site = world.sites[step.regions[0]]
    if not can_lose_memory(world, site):
        return False, None
    story = TornResync(world, site.name, 2_000 + step.value, bool(step.value & 1))
    story.start_resync()
    return True, story.end_fault
