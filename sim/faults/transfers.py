"""Large transfers: a value that takes long on a slow way, and the snapshot of a follower.

The follower gets the snapshot after a region has observed the writes of another one. That region
then removes what was written, and does not observe anything new of the other one meanwhile. So its
operations do not repeat what they have observed, and the follower knows it from the snapshot alone.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import attrs

from sim.engine.events import MS, SECOND
from sim.faults.resync import empty_backlog
from sim.schedule.step import Done, ScheduleStep, Words
from sim.world.world import SimWorld

FILLING_BYTES: Final = 30_000
"""The size of a value that fills the first window of a connection."""
ROUNDS_MAX: Final = 40
"""The largest number of windows that a value may need."""
CHECK_NS: Final = 20 * MS
WRITTEN: Final[tuple[Words, ...]] = (
    *(("SADD", "0", "a", "b"), ("HSET", "1", "f", "v", "g", "v"), ("ZADD", "2", "1", "m")),
    *(("RPUSH", "3", "x"), ("SET", "4", "v"), ("INCRBY", "5", "3")),
)
"""The commands that write the keys. They lack the first part of the key."""
REMOVED: Final[tuple[Words, ...]] = (
    *(("SREM", "0", "a"), ("HDEL", "1", "f"), ("ZREM", "2", "m")),
    *(("DEL", "3"), ("DEL", "4"), ("DEL", "5")),
)


def transfer_bulk(world: SimWorld, step: ScheduleStep) -> Done:
    """Let a region write a large value while its way to another region has little bandwidth.

    The transfer takes as long as the step lasts. Then the region writes a value that fills the
    windows of all its links.
    """
    name, other = step.regions[:2]
    way = world.network.way(name, other)
    if way.bandwidth or not world.sites[name].can_write:
        return False, None
    way.bandwidth = step.value
    write_bulk(world, name, step.value * step.lasts // SECOND)

    def widen_way() -> None:
        way.bandwidth = 0
        write_bulk(world, name, FILLING_BYTES)

    return True, widen_way


def write_bulk(world: SimWorld, name: str, size: int) -> None:
    """Write a value of `size` bytes, or a smaller one if it would need too many windows."""
    site = world.sites[name]
    limits = site.tuning.limits
    room = ROUNDS_MAX * min(limits.window_bytes_max, limits.batch_bytes_max)
    if site.can_write:
        world.run(name, "SET", f"bulk:{name}", "x" * min(size, room))


@attrs.define
class FollowerResync:
    """A full resync of the follower `copy`. Its source `remover` has observed what `writer` wrote,
    and removes it afterwards. `prefix` is the first part of the keys."""

    world: SimWorld
    copy: str
    remover: str
    writer: str
    prefix: str
    cuts: list[str] = attrs.field(factory=list[str])
    snapshots: int = 0
    is_over: bool = False

    def run_all(self, name: str, commands: tuple[Words, ...]) -> None:
        """Run commands, each in a turn of its own, if the region accepts writes."""
        for command, key, *rest in commands:
            if self.world.sites[name].can_write:
                self.world.run(name, command, f"{self.prefix}.{key}", *rest)

    def separate_writer(self) -> None:
        """Cut the writer off, so that nothing else of it is observed."""
        if not self.is_over:
            self.cuts = [name for name in self.world.places if name != self.writer]
            for name in self.cuts:
                self.world.cut(self.writer, name)

    def restart_follower(self) -> None:
        """Let the remover observe, and the follower begin again without a backlog to read."""
        world, copy = self.world, self.world.copies[self.copy]
        source = world.sites[self.remover]
        if self.is_over or not copy.is_following or not source.can_write:
            return
        self.run_all(self.remover, (("SADD", "0", "c"),))
        empty_backlog(source)
        source.replica.history.resize(source.tuning.history_bytes)
        world.crash_process(self.copy)
        world.restart_process(self.copy)
        self.snapshots = world.copies[self.copy].snapshots
        self.poll_snapshot()

    def poll_snapshot(self) -> None:
        """Remove what was written as soon as the follower has the snapshot."""
        if self.is_over:
            return
        if self.world.copies[self.copy].snapshots > self.snapshots:
            self.run_all(self.remover, REMOVED)
        else:
            self.world.engine.schedule_after(CHECK_NS, self.poll_snapshot)

    def end_fault(self) -> None:
        """Reconnect the writer."""
        self.is_over = True
        cuts, self.cuts = self.cuts, []
        for name in cuts:
            self.world.heal(self.writer, name)


def resync_follower(world: SimWorld, step: ScheduleStep) -> Done:
    """Let a follower get a snapshot between what a region writes and what another removes of it."""
    copy = world.copies[step.regions[0]]
    remover = world.sites[copy.sources[0]]
    writers = [each for each in world.sites.values() if each is not remover and each.can_write]
    if not copy.is_following or not remover.can_write or not writers:
        return False, None
    writer = writers[-1].name  # a follower gives its origin a name that no region has
    prefix = f"resync:{step.at // MS}"
    story = FollowerResync(world, copy.name, remover.name, writer, prefix)
    story.run_all(writer, WRITTEN)
    for part, act in ((1, story.separate_writer), (2, story.restart_follower)):
        world.engine.schedule_after(part * step.lasts // 4, partial(act))
    return True, story.end_fault
