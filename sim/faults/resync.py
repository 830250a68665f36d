"""Full resyncs: one that is interrupted, and several of one donor at the same moment.

The donor or the receiver of the interrupted one crashes in the middle. That fault first empties all
backlogs, so that a region which has lost its memory needs a snapshot. It limits the bandwidth of
the ways to that region, so that the transfer takes long enough.
"""

from __future__ import annotations

from typing import Final

import attrs

from sim.engine.events import MS
from sim.faults.processes import can_lose_memory
from sim.network.ways import Way
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld

CHECK_NS: Final = 5 * MS  # between two polls of the resync
DOWN_NS: Final = 300 * MS
HISTORY_SMALL: Final = 1


@attrs.define
class TornResync:
    """An interrupted full resync of `receiver`.

    `bandwidth` is the limit of the ways to the receiver, in bytes per second.
    """

    world: SimWorld
    receiver: str
    bandwidth: int
    is_donor: bool
    """True if the donor crashes; False if the receiver crashes."""
    fallen: list[str] = attrs.field(factory=list[str])
    narrowed: list[Way] = attrs.field(factory=list[Way])
    is_over: bool = False

    def start_resync(self) -> None:
        """Empty the backlogs of all regions, and crash the receiver."""
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
        """Crash the donor or the receiver once a snapshot is being transferred."""
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
            self.world.engine.schedule_after(CHECK_NS, self.poll_resync)

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
        """Remove the bandwidth limits."""
        narrowed, self.narrowed = self.narrowed, []
        for way in narrowed:
            way.bandwidth = 0

    def end_fault(self) -> None:
        """Restart crashed regions, and restore the bandwidths and the backlog sizes."""
        if not self.is_over:
            self.is_over = True
            self.restart_crashed()
            self.restore_bandwidth()
            for site in self.world.sites.values():
                site.replica.history.resize(site.tuning.history_bytes)


def starve_peers(world: SimWorld, step: ScheduleStep) -> Done:
    """Let all peers and followers of a region need its snapshot at the same moment.

    They are separated from it while it writes. Then its backlog is emptied.
    """
    name = step.regions[0]
    followers = [copy.name for copy in world.copies.values() if name in copy.sources]
    others = [*(other for other in world.sites if other != name), *followers]
    for other in others:
        world.cut(name, other)

    def empty_backlog() -> None:
        history = world.sites[name].replica.history
        history.resize(HISTORY_SMALL)
        while history.stop - history.start > 1:
            history.drop_oldest()
        history.resize(world.sites[name].tuning.history_bytes)
        for other in others:
            world.heal(name, other)

    return world.sites[name].is_up, empty_backlog


def tear_resync(world: SimWorld, step: ScheduleStep) -> Done:
    """Interrupt a full resync. If `value` is odd the donor crashes, otherwise the receiver."""
    site = world.sites[step.regions[0]]
    if not can_lose_memory(world, site):
        return False, None
    story = TornResync(world, site.name, 2_000 + step.value, bool(step.value & 1))
    story.start_resync()
    return True, story.end_fault
