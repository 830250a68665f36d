"""The kinds of faults: their names, durations, strengths and functions.

The occurrences of a fault are drawn in advance, from an independent random stream, as steps of a
schedule. An occurrence lasts at least `shortest`. After it, the kind pauses for at least `rest`.
These minimum times give regions enough time to fall behind and to catch up.

Applying a step returns a function that undoes it. A step that is not applicable when its time comes
(a crash of a region that is down) does nothing and is not counted.

The numbers F1 to F37 are those of the catalogue in the design notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs

from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.faults import connections as conn
from sim.faults import (
    contests,
    leftovers,
    relays,
    renewals,
    resync,
    returns,
    strangers,
    transfers,
    watched_resync,
)
from sim.faults import network as net
from sim.faults import processes as proc
from sim.schedule.step import FOREVER, Done, ScheduleStep, Words
from sim.world.world import SimWorld

Do: TypeAlias = Callable[[SimWorld, ScheduleStep], Done]


@attrs.frozen
class Cast:
    """The possible targets of faults: regions, pairs of linked regions, and followers."""

    regions: Words
    links: tuple[tuple[str, str], ...]
    followers: Words = ()


Choose: TypeAlias = Callable[[SeededRandom, Cast], Words]


@attrs.frozen
class Fault:
    """A kind of fault. Times are in ns.

    `values` are the bounds of a step's `value`. Each kind defines the meaning of that number.
    """

    name: str
    number: str
    does: str
    choose: Choose
    do: Do
    shortest: int = 0
    longest: int = 0
    rest: int = 2 * SECOND
    values: tuple[int, int] = (0, 0)
    least: int = 2
    """The smallest number of regions that the fault needs."""

    def can_happen(self, cast: Cast) -> bool:
        """Return whether the fault can happen among these regions and followers."""
        return len(cast.regions) >= self.least and (
            self.choose is not one_follower or cast.followers != ()
        )

    def steps(
        self, rng: SeededRandom, cast: Cast, *, mean: int, end: int
    ) -> Iterator[ScheduleStep]:
        """Yield occurrences until `end`, with pauses of `rest` plus `mean` ns on average.

        There is at least one occurrence, unless the run is shorter than `rest`.
        """
        at = self.rest + rng.exponential(mean)
        if at >= end > self.rest:
            at = self.rest + rng.integer_below(end - self.rest)
        while at < end:
            lasts = rng.integer_between(self.shortest, self.longest)
            if lasts and rng.happens_in(1, 2):
                lasts = self.shortest + (lasts - self.shortest) // 8
            value = rng.integer_between(*self.values)
            yield ScheduleStep(at, self.name, self.choose(rng, cast), lasts, value)
            at += lasts + self.rest + rng.exponential(mean)


# -- targets of a fault ------------------------------------------------------------------------


def one_region(rng: SeededRandom, cast: Cast) -> Words:
    return (rng.choose_one(cast.regions),)


def two_regions(rng: SeededRandom, cast: Cast) -> Words:
    return tuple(rng.choose_several(cast.regions, 2))


def linked_pair(rng: SeededRandom, cast: Cast) -> Words:
    return rng.choose_one(cast.links)


def all_regions(rng: SeededRandom, cast: Cast) -> Words:
    return tuple(rng.shuffled(cast.regions))


def one_side(rng: SeededRandom, cast: Cast) -> Words:
    """Choose the regions of one side of a partition."""
    return tuple(rng.choose_several(cast.regions, rng.integer_between(1, len(cast.regions) - 1)))


def one_follower(rng: SeededRandom, cast: Cast) -> Words:
    return (rng.choose_one(cast.followers),)


KINDS: Final = (
    Fault(
        "cut", "F3", "separates two regions, which notice", two_regions, net.cut_pair,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "split", "F1", "separates two groups of regions", one_side, net.split_regions,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "isolate", "F2", "separates a region from all others", one_region, net.isolate_region,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "ring", "F5", "everybody loses another peer", all_regions, net.cut_opposites,
        shortest=SECOND, longest=15 * SECOND, rest=5 * SECOND, least=4,
    ),
    Fault(
        "black-hole", "F8", "nothing passes between two regions, and nobody is told", two_regions,
        net.drop_both_directions, shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "one-way", "F4", "nothing passes in one direction, and nobody is told", two_regions,
        net.drop_one_direction,
        shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "flap", "F6", "a link goes up and down", two_regions, net.flap_link,
        shortest=500 * MS, longest=5 * SECOND, values=(5, 600),
    ),
    Fault(
        "swizzle", "F7", "half of the regions fall silent one by one, and return in another order",
        all_regions, net.silence_in_turn, shortest=2 * SECOND, longest=12 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "reset", "F9 F15", "breaks connections at any byte", linked_pair, net.reset_connections,
        values=(0, 400),
        rest=300 * MS,
    ),
    Fault(
        "half-open", "F10 F14", "breaks a connection of which one end does not learn", linked_pair,
        net.break_one_end, values=(0, 400), rest=SECOND,
    ),
    Fault(
        "link-cut", "", "cuts a link by command, in one direction", linked_pair,
        net.cut_link_by_command,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "slow", "F12", "makes a way slower", two_regions, net.slow_down,
        shortest=SECOND, longest=10 * SECOND, values=(2, 20),
    ),
    Fault(
        "squeeze", "F11", "leaves a way little bandwidth", two_regions, net.limit_bandwidth,
        shortest=SECOND, longest=40 * SECOND, values=(1_000, 50_000),
    ),
    Fault(
        "noise", "F18", "flips bits on a way", two_regions, net.flip_bits,
        shortest=SECOND, longest=8 * SECOND, values=(5_000, 200_000),
    ),
    Fault(
        "chop", "F17", "cuts data to pieces, down to single bytes", two_regions, net.cut_to_pieces,
        shortest=SECOND, longest=20 * SECOND, values=(10, 60),
    ),
    Fault(
        "crash", "F23", "a region loses its memory and comes back empty, as another origin",
        one_region,
        proc.crash_region, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "crash-silent", "F23", "the same, and its peers are not told", one_region,
        proc.crash_silently,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "restart", "F20", "a region restarts from a snapshot, as another origin", one_region,
        proc.restart_from_snapshot,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "pause", "F24", "a region does nothing for a while", one_region, proc.pause_region,
        shortest=50 * MS, longest=9 * SECOND,
    ),
    Fault(
        "clock-step", "F27", "a region's wall clock jumps", one_region, proc.step_clock,
        values=(-20_000, 20_000),
    ),
    Fault(
        "clock-jump", "F27", "a region's wall clock is far ahead for a moment",
        one_region, proc.move_clock, shortest=100 * MS, longest=5 * SECOND, values=(30_000,
        7_200_000),
    ),
    Fault(
        "clock-drift", "F27", "a region's wall clock runs fast or slow", one_region,
        proc.drift_clock,
        shortest=2 * SECOND, longest=30 * SECOND, values=(-300_000, 300_000),
    ),
    Fault(
        "clock-stuck", "F27", "a region's wall clock goes back a little, and stands still",
        one_region, proc.stop_clock, shortest=SECOND, longest=10 * SECOND, values=(0, 900),
    ),
    Fault(
        "reuse", "F22", "a region loses its memory and comes back empty, as the same origin",
        one_region,
        proc.restart_with_same_origin, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "claim", "F22", "each region is told, in a peer's name, of own writes that it never made",
        all_regions, proc.claim_unknown_writes, values=(0, 60), rest=8 * SECOND,
    ),
    Fault(
        "unaware", "F22", "a region loses its memory, and takes itself for a new one", one_region,
        proc.restart_unaware, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "follower-cut", "", "separates a follower from all that it follows", one_follower,
        net.cut_follower, shortest=200 * MS, longest=15 * SECOND, values=(0, 1),
    ),
    Fault(
        "follower-restart", "", "a follower loses all that it has and begins anew", one_follower,
        proc.restart_follower, shortest=50 * MS, longest=5 * SECOND, rest=3 * SECOND,
    ),
    Fault(
        "promote", "", "a follower becomes a database of its own, and mostly follows again",
        one_follower,
        proc.promote_follower, shortest=50 * MS, longest=5 * SECOND, rest=3 * SECOND,
        values=(0, 2),
    ),
    Fault(
        "bereave", "F23", "a region dies, and who alone has its last writes is away for a while",
        all_regions, proc.lose_last_writer, shortest=8 * SECOND, longest=24 * SECOND,
        rest=8 * SECOND, least=3,
    ),
    Fault(
        "loss", "F13", "loses data on a way, which is sent again after a timeout that doubles",
        two_regions, net.lose_chunks, shortest=SECOND, longest=15 * SECOND, values=(10, 200),
    ),
    Fault(
        "burst-loss", "F13", "loses nearly all data on a way for moments", two_regions,
        net.lose_in_bursts,
        shortest=SECOND, longest=15 * SECOND, values=(5, 60),
    ),
    Fault(
        "slow-consumer", "F33", "a region reads nothing from a link for a while", linked_pair,
        conn.stop_reading, shortest=100 * MS, longest=12 * SECOND,
    ),
    Fault(
        "bad-frame", "F19", "one end of a link sends a malformed, oversized, unknown or forged"
        " frame", linked_pair, conn.send_bad_frame, values=(0, 2 * len(conn.BAD_FRAMES) - 1),
        rest=500 * MS,
    ),
    Fault(
        "other-version", "F32", "a peer of another version of the protocol introduces itself",
        two_regions, conn.greet_with_other_version, values=(0, 1), rest=SECOND,
    ),
    Fault(
        "retry", "F34", "a client loses its connection before the reply, and repeats the command",
        two_regions, conn.retry_command, longest=5 * SECOND, values=(0, 3), rest=300 * MS,
    ),
    Fault(
        "torn-resync", "F28 F29", "the sender or the receiver of a full resync dies in the middle",
        one_region, resync.tear_resync, shortest=6 * SECOND, longest=15 * SECOND, values=(0, 1),
        rest=5 * SECOND,
    ),
    Fault(
        "alone", "F20", "a region restarts from a snapshot and reaches nobody for a while",
        one_region, proc.restart_alone, shortest=500 * MS, longest=15 * SECOND, values=(0, 1),
        rest=5 * SECOND,
    ),
    Fault(
        "watched-resync", "", "a snapshot changes keys that clients of a region watch", one_region,
        watched_resync.watch_during_resync,
        shortest=3 * SECOND, longest=8 * SECOND, rest=3 * SECOND,
    ),
    Fault(
        "crowd", "F28", "all peers of a region need its snapshot at the same moment", one_region,
        resync.starve_peers, shortest=SECOND, longest=6 * SECOND, rest=5 * SECOND, least=3,
    ),
    Fault(
        "early", "F16", "an operation arrives before the one that precedes it, while the link is"
        " down", two_regions, conn.deliver_early, shortest=100 * MS, longest=SECOND, rest=SECOND,
    ),
    Fault(
        "follower-squeeze", "F11", "leaves a follower little bandwidth", one_follower,
        net.limit_follower, shortest=SECOND, longest=8 * SECOND, values=(500, 10_000),
    ),
    Fault(
        "deaf", "F4", "a region receives nothing on one way after another, and nobody is told",
        all_regions, net.deafen_region, shortest=SECOND, longest=8 * SECOND, rest=3 * SECOND,
        least=3,
    ),
    Fault(
        "lost-donor", "F28", "several peers have snapshots for a region, and the first goes away",
        one_region, resync.lose_snapshot_peer, shortest=2 * SECOND, longest=6 * SECOND,
        rest=3 * SECOND, values=(0, 1), least=3,
    ),
    Fault(
        "emptied", "F22", "the source of a follower restarts without data and reaches nobody else",
        one_follower, proc.empty_source, shortest=SECOND, longest=8 * SECOND, rest=8 * SECOND,
        values=(0, 1),
    ),
    Fault(
        "bulk", "F11", "a large value is written while a way has little bandwidth", two_regions,
        transfers.transfer_bulk,
        shortest=4 * SECOND, longest=8 * SECOND, rest=3 * SECOND, values=(4_000, 12_000),
    ),
    Fault(
        "follower-resync", "", "a follower needs a snapshot before a region removes what another"
        " wrote", one_follower, transfers.resync_follower,
        shortest=4 * SECOND, longest=8 * SECOND, rest=3 * SECOND,
    ),
    Fault(
        "stranger", "F32", "a process that a region does not expect introduces itself, or answers"
        " in place of a peer", all_regions, strangers.introduce_stranger,
        values=(0, 2 * len(strangers.STRANGERS)), rest=SECOND,
    ),
    Fault(
        "follower-crowd", "", "more followers than there are places connect from several addresses",
        one_region, strangers.crowd_followers, values=(1, strangers.ADDRESSES), rest=8 * SECOND,
    ),
    Fault(
        "relay", "F3 F4", "a region gets what another writes from a third one alone, whose backlog"
        " is empty at first", all_regions, relays.relay_writes,
        shortest=3 * SECOND, longest=8 * SECOND, rest=3 * SECOND, values=(0, 3), least=3,
    ),
    Fault(
        "renewals", "", "a client sets the time to live of a key again and again", one_region,
        renewals.renew_deadline, rest=8 * SECOND,
    ),
    Fault(
        "left-deadline", "", "a region is away when two others leave a superfluous deadline of a"
        " key", all_regions, leftovers.leave_deadline,
        shortest=5 * SECOND, longest=8 * SECOND, rest=3 * SECOND, values=(0, 1), least=3,
    ),
    Fault(
        "slow-return", "F20 F23", "a region restarts while a peer is down, which dials it before it"
        " can be reached", all_regions, returns.return_slowly,
        shortest=5 * SECOND, longest=8 * SECOND, rest=5 * SECOND, least=3,
    ),
    Fault(
        "contest", "", "regions create a key with several types, and read it while the lowest of"
        " them is away", all_regions, contests.contest_key,
        shortest=SECOND, longest=4 * SECOND, rest=2 * SECOND, least=3,
    ),
)  # fmt: skip
FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in KINDS}


class Injector:
    """Applies the faults of a schedule, ends them in time, and counts them by kind."""

    def __init__(self, world: SimWorld) -> None:
        self.world = world
        self.fired: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.open: dict[int, Callable[[], None]] = {}
        self.lasting: set[int] = set()
        """The numbers in `open` of the faults that last to the end."""
        self.number = 0

    def apply_step(self, step: ScheduleStep) -> None:
        """Apply one fault, unless one of its regions does not exist."""
        fault = FAULTS[step.kind]
        world = self.world
        places = world.copies if fault.choose is one_follower else world.sites
        if not all(name in places for name in step.regions):
            return
        world.trace.add_record(world.now, "fault", str(step))
        happened, undo = fault.do(world, step)
        if happened:
            self.fired[step.kind] += 1
        if undo is not None:
            self.number += 1
            number = self.number
            self.open[number] = undo
            if step.lasts >= FOREVER:
                self.lasting.add(number)
            else:
                world.engine.schedule_after(step.lasts, lambda: self.end_fault(number))

    def end_fault(self, number: int) -> None:
        """End a fault, unless it has already ended."""
        undo = self.open.pop(number, None)
        if undo is not None:
            undo()

    def end_all_faults(self) -> None:
        """End every fault that is active."""
        self.end_passing_faults()
        for number in sorted(self.lasting):
            self.end_fault(number)
        self.lasting.clear()

    def end_passing_faults(self) -> None:
        """End every active fault, except those that last to the end."""
        for number in sorted(self.open):
            if number not in self.lasting:
                self.end_fault(number)
