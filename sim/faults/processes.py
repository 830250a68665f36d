"""What can go wrong with one process: lost memory, pauses, wrong clocks, followers promoted.

Each is told a step and does it: whether it could, and what undoes it.
"""

from __future__ import annotations

from functools import partial

import attrs

from replication.protocol.limits import MS
from sim.nodes.site import Site, Start
from sim.schedule.step import Done, Step, Words
from sim.world.world import World


def crash(world: World, step: Step) -> Done:
    """Lose the memory, come back empty. Never the last one that is up: then all would be lost."""
    return bring_down(world, step, is_kept=False, is_silent=False)


def crash_silent(world: World, step: Step) -> Done:
    return bring_down(world, step, is_kept=False, is_silent=True)


def restart(world: World, step: Step) -> Done:
    return bring_down(world, step, is_kept=True, is_silent=False)


def reuse(world: World, step: Step) -> Done:
    return bring_down(world, step, is_kept=False, is_silent=False, start=Start.REUSED)


def unaware(world: World, step: Step) -> Done:
    return bring_down(world, step, is_kept=False, is_silent=False, start=Start.UNAWARE)


def claim(world: World, step: Step) -> Done:
    """Tell each region, `value` ms apart, in the name of one of the others, that more of its writes
    are known than it has made."""
    for place, name in enumerate(step.regions):
        forge = partial(world.forge, name, step.regions[place - 1])
        world.engine.after(place * step.value * MS, forge)
    return True, None


def bring_down(
    world: World, step: Step, *, is_kept: bool, is_silent: bool, start: Start = Start.COUNTED
) -> Done:
    """Stop a region and start it again, empty or from a snapshot that it made as it stopped."""
    site = world.sites[step.regions[0]]
    if not may_fall(world, site):
        return False, None
    kept = site.snapshot() if is_kept else ()
    world.crash(site.name, is_silent)
    return True, lambda: world.restart(site.name, kept, start)


def may_fall(world: World, site: Site) -> bool:
    """Whether a region can lose its memory, and somebody is left who may write."""
    others = [other for other in world.live() if other is not site]
    return site.is_up and any(other.has_caught_up for other in others)


@attrs.define
class Bereavement:
    """What `lone` has written last only `heir` holds, and `heir` is away: nobody else has heard of
    it when `lone` begins its next life. What is over is still to come."""

    world: World
    lone: str
    heir: str
    others: Words
    cuts: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    has_fallen: bool = False
    is_over: bool = False

    def part(self) -> None:
        """Let only the heir hear of the lone one."""
        self.cut([(self.lone, other) for other in self.others])

    def fall(self) -> None:
        """The lone one dies, and the heir goes away with what it alone has."""
        if not self.is_over and may_fall(self.world, self.world.sites[self.lone]):
            self.heal()
            self.cut([(self.heir, other) for other in (self.lone, *self.others)])
            self.world.crash(self.lone)
            self.has_fallen = True

    def rise(self) -> None:
        """The lone one begins anew among the others."""
        if self.has_fallen and not self.world.sites[self.lone].is_up:
            self.world.restart(self.lone)
        self.has_fallen = False

    def end(self) -> None:
        """The heir is back."""
        self.is_over = True
        self.rise()
        self.heal()

    def cut(self, pairs: list[tuple[str, str]]) -> None:
        for pair in pairs:
            self.world.cut(*pair)
        self.cuts += pairs

    def heal(self) -> None:
        pairs, self.cuts = self.cuts, []
        for pair in pairs:
            self.world.heal(*pair)


def bereave(world: World, step: Step) -> Done:
    lone, heir, *others = step.regions
    if not others or not may_fall(world, world.sites[lone]):
        return False, None
    story = Bereavement(world, lone, heir, tuple(others))
    story.part()
    world.engine.after(step.lasts // 8, story.fall)
    world.engine.after(step.lasts // 4, story.rise)
    return True, story.end


def pause(world: World, step: Step) -> Done:
    site = world.sites[step.regions[0]]
    if not site.is_up or site.is_paused:
        return False, None
    site.pause(world.now + step.lasts)
    return True, None


def clock_step(world: World, step: Step) -> Done:
    world.sites[step.regions[0]].clock.step(step.value)
    return True, None


def clock_jump(world: World, step: Step) -> Done:
    clock = world.sites[step.regions[0]].clock
    clock.step(step.value)
    return True, lambda: clock.step(-step.value)


def clock_drift(world: World, step: Step) -> Done:
    clock = world.sites[step.regions[0]].clock
    clock.drift(step.value, world.now)
    return True, lambda: clock.drift(0, world.now)


def clock_stuck(world: World, step: Step) -> Done:
    clock = world.sites[step.regions[0]].clock
    if clock.stopped is not None:
        return False, None
    clock.set(clock.read(world.now))
    return True, lambda: clock.set(None)


def follower_restart(world: World, step: Step) -> Done:
    copy = world.copies[step.regions[0]]
    if not copy.is_up:
        return False, None
    world.crash(copy.name)
    return True, lambda: world.restart(copy.name)


def promote(world: World, step: Step) -> Done:
    """Make a database of a follower, write to it, and make it a follower again."""
    copy = world.copies[step.regions[0]]
    if not copy.is_following:
        return False, None
    copy.promote()
    world.run(copy.name, "RPUSH", "own", "1")

    def follow() -> None:
        if copy.is_up and not copy.is_following:
            copy.follow()

    return True, follow
