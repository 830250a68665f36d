"""Faults of one process: lost memory, pauses, wrong clocks, and the promotion of followers.

Each function applies one step. It returns whether the step was applicable, and a function that
undoes it, or None.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import attrs

from replication.protocol.limits import MS
from sim.nodes.follower import SimFollower
from sim.nodes.region import SimRegion, Start
from sim.schedule.step import Done, ScheduleStep, Words
from sim.schedule.writes import key_name
from sim.world.world import SimWorld

FIRST_SESSION: Final = 3000
"""The number of the first session of the first follower that is promoted."""
WATCHER, WAITER, QUEUER, OWNER = range(4)
OWN_KEY: Final = "own"
"""The key that a promoted follower writes."""
FOR_GOOD: Final = 1
"""The value of a step after which a promoted follower stays one."""
DELETED_MAX: Final = 3
"""The number of copied keys that a promoted follower deletes."""
CHECK_NS: Final = 100 * MS
LOOKS_MAX: Final = 100


def crash_region(world: SimWorld, step: ScheduleStep) -> Done:
    """Crash a region, which restarts empty. The last region with all data never crashes."""
    return restart_region(world, step, is_kept=False, is_silent=False)


def crash_silently(world: SimWorld, step: ScheduleStep) -> Done:
    return restart_region(world, step, is_kept=False, is_silent=True)


def restart_from_snapshot(world: SimWorld, step: ScheduleStep) -> Done:
    return restart_region(world, step, is_kept=True, is_silent=False)


def restart_with_same_origin(world: SimWorld, step: ScheduleStep) -> Done:
    return restart_region(world, step, is_kept=False, is_silent=False, start=Start.REUSED)


def restart_unaware(world: SimWorld, step: ScheduleStep) -> Done:
    return restart_region(world, step, is_kept=False, is_silent=False, start=Start.UNAWARE)


def claim_unknown_writes(world: SimWorld, step: ScheduleStep) -> Done:
    """Send each region a forged Hello in the name of another region, `value` ms apart.

    The Hello claims to hold more of the region's own writes than the region has made.
    """
    for place, name in enumerate(step.regions):
        forge = partial(world.forge_hello, name, step.regions[place - 1])
        world.engine.schedule_after(place * step.value * MS, forge)
    return True, None


def restart_region(
    world: SimWorld,
    step: ScheduleStep,
    *,
    is_kept: bool,
    is_silent: bool,
    start: Start = Start.COUNTED,
) -> Done:
    """Stop a region and restart it later, empty or, if `is_kept`, from a snapshot taken now."""
    site = world.sites[step.regions[0]]
    if not can_lose_memory(world, site):
        return False, None
    kept = site.take_snapshot() if is_kept else ()
    world.crash_process(site.name, is_silent)
    return True, lambda: world.restart_process(site.name, kept, start)


def restart_alone(world: SimWorld, step: ScheduleStep) -> Done:
    """Restart a region from a snapshot while it reaches nobody, until the step ends.

    If `value` is odd, its links are cut by command, otherwise by the network.
    """
    site = world.sites[step.regions[0]]
    if not can_lose_memory(world, site):
        return False, None
    kept = site.take_snapshot()
    is_command = step.value & 1
    others = list(site.connectors)
    for other in others:
        if is_command:
            world.cut_link(other, site.name)
        else:
            world.cut(site.name, other)
    world.crash_process(site.name)
    world.restart_process(site.name, kept)

    def reconnect() -> None:
        for other in others:
            if is_command:
                world.heal_link(other, site.name)
            else:
                world.heal(site.name, other)

    return True, reconnect


def can_lose_memory(world: SimWorld, site: SimRegion) -> bool:
    """Return whether `site` is up and another live region has caught up and holds the data."""
    others = [other for other in world.live_regions() if other is not site]
    return site.is_up and any(other.has_caught_up for other in others)


@attrs.define
class LostWriterFault:
    """A crash of `lone` when only `heir` has its last writes, and `heir` is cut off.

    When `lone` begins its next incarnation, no reachable region has these writes.
    """

    world: SimWorld
    lone: str
    heir: str
    others: Words
    cuts: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    has_fallen: bool = False
    is_over: bool = False

    def separate_others(self) -> None:
        """Cut `lone` from the others, so that only `heir` receives its writes."""
        self.cut_pairs([(self.lone, other) for other in self.others])

    def crash_writer(self) -> None:
        """Crash `lone`, and cut off `heir`, which alone has the last writes."""
        if not self.is_over and can_lose_memory(self.world, self.world.sites[self.lone]):
            self.heal_pairs()
            self.cut_pairs([(self.heir, other) for other in (self.lone, *self.others)])
            self.world.crash_process(self.lone)
            self.has_fallen = True

    def restart_writer(self) -> None:
        """Restart `lone`. It is connected to the others, but not to `heir`."""
        if self.has_fallen and not self.world.sites[self.lone].is_up:
            self.world.restart_process(self.lone)
        self.has_fallen = False

    def end_fault(self) -> None:
        """End the fault: restart `lone` if it is down, and reconnect `heir`."""
        self.is_over = True
        self.restart_writer()
        self.heal_pairs()

    def cut_pairs(self, pairs: list[tuple[str, str]]) -> None:
        for pair in pairs:
            self.world.cut(*pair)
        self.cuts += pairs

    def heal_pairs(self) -> None:
        pairs, self.cuts = self.cuts, []
        for pair in pairs:
            self.world.heal(*pair)


def lose_last_writer(world: SimWorld, step: ScheduleStep) -> Done:
    lone, heir, *others = step.regions
    if not others or not can_lose_memory(world, world.sites[lone]):
        return False, None
    story = LostWriterFault(world, lone, heir, tuple(others))
    story.separate_others()
    world.engine.schedule_after(step.lasts // 8, story.crash_writer)
    world.engine.schedule_after(step.lasts // 4, story.restart_writer)
    return True, story.end_fault


def pause_region(world: SimWorld, step: ScheduleStep) -> Done:
    site = world.sites[step.regions[0]]
    if not site.is_responding:
        return False, None
    site.pause_until(world.now + step.lasts)
    return True, None


def step_clock(world: SimWorld, step: ScheduleStep) -> Done:
    world.sites[step.regions[0]].clock.step_by(step.value)
    return True, None


def move_clock(world: SimWorld, step: ScheduleStep) -> Done:
    clock = world.sites[step.regions[0]].clock
    clock.step_by(step.value)
    return True, lambda: clock.step_by(-step.value)


def drift_clock(world: SimWorld, step: ScheduleStep) -> Done:
    clock = world.sites[step.regions[0]].clock
    clock.set_drift(step.value, world.now)
    return True, lambda: clock.set_drift(0, world.now)


def stop_clock(world: SimWorld, step: ScheduleStep) -> Done:
    """Stop a region's wall clock `value` ms before its present time.

    Its expiry clock does not go back so little, so the two clocks then differ for a while.
    """
    clock = world.sites[step.regions[0]].clock
    if clock.stopped is not None:
        return False, None
    clock.stop_at(clock.read_ms(world.now) - step.value)
    return True, lambda: clock.stop_at(None)


def restart_follower(world: SimWorld, step: ScheduleStep) -> Done:
    copy = world.copies[step.regions[0]]
    if not copy.is_up:
        return False, None
    world.crash_process(copy.name)
    return True, lambda: world.restart_process(copy.name)


def promote_follower(world: SimWorld, step: ScheduleStep) -> Done:
    """Promote a follower and write to it. When the step ends, it becomes a follower again, unless
    `value` is FOR_GOOD.

    Its clients have begun to watch, to wait and to queue commands by then.
    """
    copy = world.copies[step.regions[0]]
    if not copy.is_following:
        return False, None
    copy.stop_following()
    clients = PromotedClients(world, copy)
    clients.begin_commands()
    if step.value == FOR_GOOD:
        return True, None

    def follow_again() -> None:
        if copy.is_up and not copy.is_following:
            copy.start_following()
            clients.execute_queue()
            clients.execute_watching()

    return True, follow_again


@attrs.define
class PromotedClients:
    """Four sessions of a promoted follower, which may follow again before they have finished."""

    world: SimWorld
    copy: SimFollower
    watched: str = OWN_KEY
    looks: int = 0

    def begin_commands(self) -> None:
        """Write, and let two sessions watch a key, one block, and one queue a write.

        One watched key is deleted first, if the sources have it, like some of the other keys. It
        comes back with a snapshot. The other watched key is lost with a snapshot.
        """
        held = self.copy.replica.keyspace.held_keys()
        copied = sorted(key.decode() for key in held if key != OWN_KEY.encode())
        self.run_session(OWNER, ("RPUSH", OWN_KEY, "1"))
        if copied:
            self.watched = copied[0]
            self.run_session(OWNER, ("DEL", *copied[:DELETED_MAX]))
        self.run_session(WATCHER, ("WATCH", self.watched))
        self.run_session(OWNER, ("WATCH", OWN_KEY))
        self.run_session(WAITER, ("BLPOP", "nothing", "0"))
        self.run_session(QUEUER, ("MULTI",), ("SADD", "queued", "x"), ("EXISTS", OWN_KEY))

    def execute_queue(self) -> None:
        """Execute the queued write, which must be refused."""
        self.run_session(QUEUER, ("EXEC",))

    def execute_watching(self) -> None:
        """Run the transactions that depend on watched keys, as soon as the data is replaced."""
        self.looks += 1
        if self.looks < LOOKS_MAX and self.copy.is_up and self.copy.holds_old:
            self.world.engine.schedule_after(CHECK_NS, self.execute_watching)
        elif self.copy.is_up:
            self.run_session(WATCHER, ("MULTI",), ("EXISTS", self.watched), ("EXEC",))
            self.run_session(OWNER, ("MULTI",), ("EXISTS", OWN_KEY), ("EXEC",))

    def run_session(self, slot: int, *commands: Words) -> None:
        """Let one of the sessions send commands."""
        place = list(self.world.copies).index(self.copy.name)
        self.world.run_session(self.copy.name, FIRST_SESSION + 10 * place + slot, *commands)


def empty_source(world: SimWorld, step: ScheduleStep) -> Done:
    """Let the first source of a follower restart without data, and reach no other region until the
    step ends. If `value` is odd, its clients write meanwhile."""
    copy = world.copies[step.regions[0]]
    site = world.sites[copy.sources[0]]
    if not copy.is_following or not can_lose_memory(world, site):
        return False, None
    others = list(site.connectors)
    for other in others:
        world.cut(site.name, other)
    world.crash_process(site.name)
    world.restart_process(site.name, start=Start.UNAWARE)
    is_over = False

    def write() -> None:
        if not is_over and site.is_responding:
            world.run(site.name, "SADD", key_name("all", step.at, 0), f"emptied{step.at}")

    def reconnect() -> None:
        nonlocal is_over
        is_over = True
        for other in others:
            world.heal(site.name, other)

    if step.value & 1:
        world.engine.schedule_after(step.lasts // 2, write)
    return True, reconnect
