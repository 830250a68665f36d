"""A region that restarts while one peer is down, and learns of the peer by its dialling alone.

The peer counts as out of reach until it dials. From then on it may answer, so the recovery of the
region must wait for it. The region's own dialling takes long then, since its way to the peer is
slow. The other regions answer meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from sim.engine.events import MS
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld

CHECK_NS: Final = 5 * MS
DOWN_NS: Final = 500 * MS
SLOWNESS: Final = 10


@attrs.define
class SlowReturn:
    """A restart of `region` while `peer` is down and `others` are cut off."""

    world: SimWorld
    region: SimRegion
    peer: SimRegion
    others: Sequence[SimRegion]
    is_cut: bool = True
    is_down: bool = True
    """True while the peer is down because of this fault."""
    is_slow: bool = False
    is_over: bool = False

    def restart_peer(self) -> None:
        """Restart the peer, which dials the region, over a way that is slow in one direction."""
        if self.is_over:
            return
        self.world.network.way(self.region.name, self.peer.name).slowness *= SLOWNESS
        self.is_slow = True
        self.restart_once()
        self.poll_dialled()

    def restart_once(self) -> None:
        """Restart the peer, unless that has been done."""
        if self.is_down and not self.peer.is_up:
            self.world.restart_process(self.peer.name)
        self.is_down = False

    def poll_dialled(self) -> None:
        """Reconnect the other regions as soon as the peer has introduced itself."""
        if self.is_over:
            return
        source = self.region.links.sources.get(self.peer.name) if self.region.is_up else None
        if source is None or source.hello is None:
            self.world.engine.schedule_after(CHECK_NS, self.poll_dialled)
        else:
            self.reconnect()

    def reconnect(self) -> None:
        """Reconnect the other regions, once."""
        if self.is_cut:
            self.is_cut = False
            for other in self.others:
                self.world.heal(self.region.name, other.name)

    def end_fault(self) -> None:
        """Restart the peer if it is still down, and restore the network."""
        self.is_over = True
        self.reconnect()
        if self.is_slow:
            self.world.network.way(self.region.name, self.peer.name).slowness //= SLOWNESS
        self.restart_once()


def return_slowly(world: SimWorld, step: ScheduleStep) -> Done:
    """Restart a region from a snapshot, and later a peer, which the region is slow to reach."""
    region, peer, *others = (world.sites[name] for name in step.regions)
    are_able = [site.is_up and site.has_caught_up for site in (region, peer, *others)]
    if not others or not all(are_able) or peer.name not in region.connectors:
        return False, None
    kept = region.take_snapshot()
    world.crash_process(region.name)
    world.crash_process(peer.name)
    for other in others:
        world.cut(region.name, other.name)
    world.restart_process(region.name, kept)
    story = SlowReturn(world, region, peer, others)
    world.engine.schedule_after(DOWN_NS, story.restart_peer)
    return True, story.end_fault
