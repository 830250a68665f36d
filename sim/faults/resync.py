"""Faults during full resyncs: an interrupted one, many from one snapshot peer, and a lost peer.

The snapshot peer or the receiver of the interrupted one crashes in the middle. That fault first
empties all backlogs, so that a region which has lost its memory needs a snapshot. It limits the
bandwidth of the ways to that region, so that the transfer takes long enough.

A region that has been cut off needs a snapshot of each of its peers, as all of them have dropped
what it lacks. It loads one of them while its other links wait. Then that peer goes away.
"""

from __future__ import annotations

from typing import Final

import attrs

from replication.machines.receiving.sink_states import SinkState
from sim.engine.events import MS
from sim.faults.processes import can_lose_memory
from sim.network.ways import Way
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep
from sim.schedule.writes import key_name
from sim.world.world import SimWorld

CHECK_NS: Final = 5 * MS  # between two polls of the resync
DOWN_NS: Final = 300 * MS
HISTORY_SMALL: Final = 1
BANDWIDTH: Final = 3_000
"""The limit (bytes per second) of the ways to a region that loses its snapshot peer."""


def empty_backlog(site: SimRegion) -> None:
    """Drop all operations of a region's backlog but the last, and make the backlog small."""
    history = site.replica.history
    history.resize(HISTORY_SMALL)
    while history.stop - history.start > 1:
        history.drop_oldest()


def narrow_ways(world: SimWorld, sink: str, bandwidth: int) -> list[Way]:
    """Limit the bandwidth of the ways from the other regions to `sink`. Return those that had no
    limit."""
    ways = [world.network.way(name, sink) for name in world.sites if name != sink]
    narrowed = [way for way in ways if not way.bandwidth]
    for way in narrowed:
        way.bandwidth = bandwidth
    return narrowed


def widen_ways(ways: list[Way]) -> None:
    """Remove the bandwidth limits of ways."""
    for way in ways:
        way.bandwidth = 0


@attrs.define
class TornResync:
    """An interrupted full resync of `receiver`.

    `bandwidth` is the limit of the ways to the receiver, in bytes per second.
    """

    world: SimWorld
    receiver: str
    bandwidth: int
    hits_snapshot_peer: bool
    """True if the snapshot peer crashes; False if the receiver crashes."""
    fallen: list[str] = attrs.field(factory=list[str])
    narrowed: list[Way] = attrs.field(factory=list[Way])
    is_over: bool = False

    def start_resync(self) -> None:
        """Empty the backlogs of all regions, and crash the receiver."""
        world = self.world
        for site in world.live_regions():
            empty_backlog(site)
        self.crash_region(self.receiver)
        self.narrowed = narrow_ways(world, self.receiver, self.bandwidth)
        world.engine.schedule_after(DOWN_NS, self.poll_resync)

    def poll_resync(self) -> None:
        """Crash the snapshot peer or the receiver once a snapshot is being transferred."""
        if self.is_over:
            return
        self.restart_crashed()
        peers = self.world.sites[self.receiver].snapshot_peers
        sites = self.world.sites
        victim = self.receiver
        if peers and self.hits_snapshot_peer and can_lose_memory(self.world, sites[peers[0]]):
            victim = peers[0]
        if peers and can_lose_memory(self.world, sites[victim]):
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
        widen_ways(narrowed)

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

    def drop_and_heal() -> None:
        site = world.sites[name]
        empty_backlog(site)
        site.replica.history.resize(site.tuning.history_bytes)
        for other in others:
            world.heal(name, other)

    return world.sites[name].is_up, drop_and_heal


def tear_resync(world: SimWorld, step: ScheduleStep) -> Done:
    """Interrupt a full resync. If `value` is odd the snapshot peer crashes, else the receiver."""
    site = world.sites[step.regions[0]]
    if not can_lose_memory(world, site):
        return False, None
    story = TornResync(world, site.name, 2_000 + step.value, bool(step.value & 1))
    story.start_resync()
    return True, story.end_fault


@attrs.define
class LostSnapshotPeer:
    """A full resync of `receiver` whose peer goes away while other links wait for its end.

    The snapshot peer crashes if `crashes`. Otherwise a cut separates it from the receiver.
    """

    world: SimWorld
    receiver: str
    crashes: bool
    snapshot_peer: str = ""
    is_cut: bool = False
    is_over: bool = False
    narrowed: list[Way] = attrs.field(factory=list[Way])

    def separate_receiver(self) -> None:
        """Cut the receiver off, and let its peers write."""
        self.is_cut = True
        for name in self.peers():
            self.world.cut(self.receiver, name)
        for name in self.peers():
            site = self.world.sites[name]
            if site.is_responding:
                key = key_name("all", self.world.now, 0)
                self.world.run(name, "SADD", key, f"value{self.world.now // MS}.{name}")

    def peers(self) -> list[str]:
        """Return the names of the other regions."""
        return [name for name in self.world.sites if name != self.receiver]

    def heal_receiver(self) -> None:
        """Reconnect the receiver, when no peer has what it lacks in its backlog any more."""
        if not self.is_cut:
            return
        self.is_cut = False
        for site in self.world.live_regions():
            if site.name != self.receiver:
                empty_backlog(site)
        self.narrowed = narrow_ways(self.world, self.receiver, BANDWIDTH)
        for name in self.peers():
            self.world.heal(self.receiver, name)
        self.poll_waiting()

    def poll_waiting(self) -> None:
        """Let the snapshot peer go away as soon as another link waits for its snapshot to end."""
        world, site = self.world, self.world.sites[self.receiver]
        if self.is_over:
            return
        peers = site.snapshot_peers
        sinks = site.links.sinks.values() if site.is_up else ()
        if peers and any(sink.state is SinkState.WAITING for sink in sinks):
            peer = peers[0]
            if not self.crashes:
                self.snapshot_peer = peer
                world.cut(self.receiver, peer)
            elif can_lose_memory(world, world.sites[peer]):
                self.snapshot_peer = peer
                world.crash_process(peer)
        else:
            world.engine.schedule_after(CHECK_NS, self.poll_waiting)

    def end_fault(self) -> None:
        """Reconnect or restart the snapshot peer, and restore bandwidths and backlogs."""
        self.heal_receiver()
        self.is_over = True
        widen_ways(self.narrowed)
        for site in self.world.sites.values():
            site.replica.history.resize(site.tuning.history_bytes)
        if self.snapshot_peer and not self.crashes:
            self.world.heal(self.receiver, self.snapshot_peer)
        elif self.snapshot_peer and not self.world.sites[self.snapshot_peer].is_up:
            self.world.restart_process(self.snapshot_peer)


def lose_snapshot_peer(world: SimWorld, step: ScheduleStep) -> Done:
    """Let a snapshot peer go away during its snapshot. It crashes if `value` is odd."""
    site = world.sites[step.regions[0]]
    if not site.can_write:
        return False, None
    story = LostSnapshotPeer(world, site.name, bool(step.value & 1))
    story.separate_receiver()
    world.engine.schedule_after(step.lasts // 8, story.heal_receiver)
    return True, story.end_fault
