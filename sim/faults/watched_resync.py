"""A full resync of a region whose clients watch keys.

The fault cuts a region off. Clients of the region watch some keys, and a peer changes most of these
keys. Then the fault empties the backlogs of the peers and heals the cuts. So a snapshot brings the
changes, and merges them into the data that the region has. The watching clients execute their
transactions afterwards.
"""

from __future__ import annotations

from typing import Final

import attrs

from sim.engine.events import MS
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep, Words
from sim.world.world import SimWorld

FIRST_SESSION: Final = 4000
CHECK_NS: Final = 20 * MS
HISTORY_SMALL: Final = 1
BEFORE: Final[tuple[Words, ...]] = (
    *(("SET", "0", "v"), ("SET", "1", "v"), ("SADD", "2", "a", "b"), ("SET", "3", "v")),
    *(("RPUSH", "5", "a"), ("HSET", "6", "f", "v"), ("SET", "7", "v")),
)
"""The commands that write the watched keys before the cut. They lack the first part of the key."""
MEANWHILE: Final[tuple[Words, ...]] = (
    *(("SET", "0", "w"), ("DEL", "1"), ("SREM", "2", "a"), ("PEXPIRE", "3", "600000")),
    *(("SET", "4", "w"), ("DEL", "5"), ("HSET", "6", "f", "w")),
)
"""The commands of a peer during the cut. The last key stays as it is."""
KEYS: Final = 8


@attrs.define
class WatchedResync:
    """A resync of `region`. `prefix` is the first part of the watched keys."""

    world: SimWorld
    region: str
    prefix: str
    is_cut: bool = False
    is_over: bool = False
    merges: int = 0

    @property
    def peers(self) -> list[SimRegion]:
        """The other regions that are up and accept writes."""
        live = self.world.live_regions()
        return [each for each in live if each.name != self.region and each.has_caught_up]

    def run_all(self, name: str, commands: tuple[Words, ...]) -> None:
        """Run commands, each in a turn of its own, if the region is up and not paused."""
        site = self.world.sites[name]
        for command, key, *rest in commands:
            if site.is_responding:
                self.world.run(name, command, f"{self.prefix}.{key}", *rest)

    def separate_region(self) -> None:
        """Cut the region off, let its clients watch keys, and change these keys elsewhere."""
        world, site = self.world, self.world.sites[self.region]
        if self.is_over or not site.is_up or not self.peers:
            return
        self.is_cut = True
        for name in world.sites:
            if name != self.region:
                world.cut(self.region, name)
        self.merges = site.replica.merges
        for number in range(KEYS):
            self.run_session(number, ("WATCH", f"{self.prefix}.{number}"))
        self.run_all(self.peers[0].name, MEANWHILE)

    def heal_region(self) -> None:
        """Empty the backlogs of the peers, and reconnect the region."""
        if not self.is_cut:
            return
        self.is_cut = False
        for site in self.world.live_regions():
            if site.name != self.region:
                history = site.replica.history
                history.resize(HISTORY_SMALL)
                while history.stop - history.start > 1:
                    history.drop_oldest()
        for name in self.world.sites:
            if name != self.region:
                self.world.heal(self.region, name)
        self.poll_merge()

    def poll_merge(self) -> None:
        """Execute the transactions as soon as a snapshot has been merged."""
        if self.is_over:
            return
        if self.world.sites[self.region].replica.merges > self.merges:
            self.end_fault()
        else:
            self.world.engine.schedule_after(CHECK_NS, self.poll_merge)

    def end_fault(self) -> None:
        """Reconnect the region, restore the backlogs, and execute the transactions."""
        if self.is_over:
            return
        self.heal_region()
        self.is_over = True
        for site in self.world.sites.values():
            site.replica.history.resize(site.tuning.history_bytes)
        for number in range(KEYS):
            ask = ("EXISTS", f"{self.prefix}.{number}")
            self.run_session(number, ("MULTI",), ask, ("EXEC",))
            self.world.sessions.close_session(self.session_number(number))

    def run_session(self, number: int, *commands: Words) -> None:
        """Let one of the sessions send commands, if the region is up and not paused."""
        site = self.world.sites[self.region]
        if site.is_responding:
            self.world.run_session(self.region, self.session_number(number), *commands)

    def session_number(self, number: int) -> int:
        """Return the number of a session in the world."""
        return FIRST_SESSION + KEYS * self.world.sites[self.region].number + number


def watch_during_resync(world: SimWorld, step: ScheduleStep) -> Done:
    """Let clients of a region watch keys while a snapshot is merged into its data."""
    site = world.sites[step.regions[0]]
    if not site.can_write:
        return False, None
    story = WatchedResync(world, site.name, f"watched:{step.at // MS}")
    story.run_all(site.name, BEFORE)
    world.engine.schedule_after(step.lasts // 8, story.separate_region)
    world.engine.schedule_after(step.lasts // 4, story.heal_region)
    return True, story.end_fault
