"""Deadlines that are left over while one region is away.

Two regions change a key at the same time, so that a superfluous deadline is left: of a key that is
gone, or one that never comes. A third region has seen a part of that when it loses its links. The
others must keep the deadline until it has seen the rest: a client there may set another deadline,
or still see the key.
"""

from __future__ import annotations

from typing import Final

import attrs

from sim.engine.events import MS
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep, Words
from sim.world.world import SimWorld

CHECK_NS: Final = 5 * MS
PAUSE_NS: Final = 300 * MS
NO_EXPIRY: Final = 1
"""The value of a step that leaves a deadline which never comes, of a key that stays."""
LONG_MS: Final = "3600000"


@attrs.define
class LeftDeadline:
    """A key that `first` and `second` change at the same time. `away` is linked with `first` until
    `first` knows that it has the change."""

    world: SimWorld
    first: SimRegion
    second: SimRegion
    away: SimRegion
    key: str
    changes: tuple[Words, Words]
    """The commands of `first` and of `second`, without the key."""
    cuts: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    is_over: bool = False

    def change_key(self) -> None:
        """Change the key in both regions, when the second one is separated from the others."""
        if self.is_over or not all(site.can_write for site in (self.first, self.second, self.away)):
            return
        self.cut(self.second, self.away)
        self.cut(self.second, self.first)
        for site, (name, *rest) in zip((self.first, self.second), self.changes, strict=True):
            self.world.run(site.name, name, self.key, *rest)
        self.poll_away(self.first.replica.origin, self.first.replica.keyspace.seq)

    def poll_away(self, origin: int, seq: int) -> None:
        """Separate the third region as soon as it has acknowledged the change, and reconnect the
        other two."""
        if self.is_over:
            return
        source = self.first.links.sources.get(self.away.name) if self.first.is_up else None
        if source is None or source.progress.acknowledged.get(origin, 0) < seq:
            self.world.engine.schedule_after(CHECK_NS, lambda: self.poll_away(origin, seq))
            return
        for name in self.world.sites:
            site = self.world.sites[name]
            if site is not self.away and site is not self.second:
                self.cut(site, self.away)
        self.heal(self.second, self.first)

    def cut(self, here: SimRegion, there: SimRegion) -> None:
        """Separate two regions."""
        self.world.cut(here.name, there.name)
        self.cuts.append((here.name, there.name))

    def heal(self, here: SimRegion, there: SimRegion) -> None:
        """Reconnect two regions that were separated."""
        self.cuts.remove((here.name, there.name))
        self.world.heal(here.name, there.name)

    def end_fault(self) -> None:
        """Reconnect all regions."""
        self.is_over = True
        cuts, self.cuts = self.cuts, []
        for pair in cuts:
            self.world.heal(*pair)


def leave_deadline(world: SimWorld, step: ScheduleStep) -> Done:
    """Leave a superfluous deadline while a region is away that has seen a part of its history."""
    chosen = sorted((world.sites[name] for name in step.regions[:3]), key=lambda site: site.number)
    if len(chosen) < 3 or not all(site.can_write for site in chosen):
        return False, None
    first, second, away = chosen
    key = f"left:{step.at // MS}"
    changes: tuple[Words, Words] = (("PEXPIRE", LONG_MS), ("DEL",))
    if step.value == NO_EXPIRY:
        changes = (("PEXPIRE", LONG_MS), ("PERSIST",))
    world.run(first.name, "SADD", key, "member")
    world.run(first.name, "PEXPIRE", key, LONG_MS)
    story = LeftDeadline(world, first, second, away, key, changes)
    world.engine.schedule_after(PAUSE_NS, story.change_key)
    return True, story.end_fault
