"""Everything that can go wrong, by name: how often, for how long, and what it does.

A fault's occurrences are drawn ahead, from a stream of its own, as steps of a schedule. Between the
end of one and the next of its kind there is always a *rest*, and it lasts at least its `shortest`:
without such stable times nothing ever falls behind or catches up. Doing a step returns what undoes
it. A step that makes no sense now (a crash of what is down) does nothing and does not count.

The numbers F1 to F37 are those of the catalogue in the design notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs

from sim.engine.events import MS, SECOND
from sim.engine.rng import Dice
from sim.faults import connections as conn
from sim.faults import network as net
from sim.faults import processes as proc
from sim.faults import resync
from sim.schedule.step import FOREVER, Done, Step, Words
from sim.world.world import World

Do: TypeAlias = Callable[[World, Step], Done]


@attrs.frozen
class Cast:
    """Whom faults may befall: regions, pairs of them that are linked, and followers."""

    regions: Words
    links: tuple[tuple[str, str], ...]
    followers: Words = ()


Choose: TypeAlias = Callable[[Dice, Cast], Words]


@attrs.frozen
class Fault:
    """A kind of fault. Times in ns; `values` bounds the strength, whatever that is."""

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
    """So many regions must there be."""

    def fits(self, cast: Cast) -> bool:
        """Whether it can happen among these."""
        return len(cast.regions) >= self.least and (
            self.choose is not follower or cast.followers != ()
        )

    def steps(self, dice: Dice, cast: Cast, *, mean: int, end: int) -> Iterator[Step]:
        """Its occurrences until `end`, `mean` ns apart on average; one at least if it can be."""
        at = self.rest + dice.exponential(mean)
        if at >= end > self.rest:
            at = self.rest + dice.below(end - self.rest)
        while at < end:
            lasts = dice.between(self.shortest, self.longest)
            if lasts and dice.chance(1, 2):
                lasts = self.shortest + (lasts - self.shortest) // 8
            value = dice.between(*self.values)
            yield Step(at, self.name, self.choose(dice, cast), lasts, value)
            at += lasts + self.rest + dice.exponential(mean)


# -- whom it befalls ---------------------------------------------------------------------------


def one(dice: Dice, cast: Cast) -> Words:
    return (dice.pick(cast.regions),)


def pair(dice: Dice, cast: Cast) -> Words:
    return tuple(dice.some(cast.regions, 2))


def linked(dice: Dice, cast: Cast) -> Words:
    return dice.pick(cast.links)


def order(dice: Dice, cast: Cast) -> Words:
    return tuple(dice.shuffled(cast.regions))


def part(dice: Dice, cast: Cast) -> Words:
    """One side of a partition."""
    return tuple(dice.some(cast.regions, dice.between(1, len(cast.regions) - 1)))


def follower(dice: Dice, cast: Cast) -> Words:
    return (dice.pick(cast.followers),)


KINDS: Final = (
    Fault(
        "cut", "F3", "separates two regions, which notice", pair, net.cut,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "split", "F1", "separates two groups of regions", part, net.split,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "isolate", "F2", "separates a region from all others", one, net.isolate,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "ring", "F5", "everybody loses another peer", order, net.ring,
        shortest=SECOND, longest=15 * SECOND, rest=5 * SECOND, least=4,
    ),
    Fault(
        "black-hole", "F8", "nothing passes between two regions, and nobody is told", pair,
        net.black_hole, shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "one-way", "F4", "nothing passes in one direction, and nobody is told", pair, net.one_way,
        shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "flap", "F6", "a link goes up and down", pair, net.flap,
        shortest=500 * MS, longest=5 * SECOND, values=(5, 600),
    ),
    Fault(
        "swizzle", "F7", "half of the regions fall silent one by one, and return in another order",
        order, net.swizzle, shortest=2 * SECOND, longest=12 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "reset", "F9 F15", "breaks connections at any byte", linked, net.reset, values=(0, 400),
        rest=300 * MS,
    ),
    Fault(
        "half-open", "F10 F14", "breaks a connection of which one end does not learn", linked,
        net.half_open, values=(0, 400), rest=SECOND,
    ),
    Fault(
        "link-cut", "", "cuts a link by command, in one direction", linked, net.cut_link,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "slow", "F12", "makes a way slower", pair, net.slow,
        shortest=SECOND, longest=10 * SECOND, values=(2, 20),
    ),
    Fault(
        "squeeze", "F11", "leaves a way little bandwidth", pair, net.squeeze,
        shortest=SECOND, longest=40 * SECOND, values=(1_000, 50_000),
    ),
    Fault(
        "noise", "F18", "flips bits on a way", pair, net.noise,
        shortest=SECOND, longest=8 * SECOND, values=(5_000, 200_000),
    ),
    Fault(
        "chop", "F17", "cuts data to pieces, down to single bytes", pair, net.chop,
        shortest=SECOND, longest=20 * SECOND, values=(10, 60),
    ),
    Fault(
        "crash", "F23", "a region loses its memory and comes back empty, as another origin", one,
        proc.crash, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "crash-silent", "F23", "the same, and its peers are not told", one, proc.crash_silent,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "restart", "F20", "a region restarts from a snapshot, as another origin", one, proc.restart,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "pause", "F24", "a region does nothing for a while", one, proc.pause,
        shortest=50 * MS, longest=9 * SECOND,
    ),
    Fault(
        "clock-step", "F27", "a region's wall clock jumps", one, proc.clock_step,
        values=(-20_000, 20_000),
    ),
    Fault(
        "clock-jump", "F27", "a region's wall clock is far ahead for a moment",
        one, proc.clock_jump, shortest=100 * MS, longest=5 * SECOND, values=(30_000, 7_200_000),
    ),
    Fault(
        "clock-drift", "F27", "a region's wall clock runs fast or slow", one, proc.clock_drift,
        shortest=2 * SECOND, longest=30 * SECOND, values=(-300_000, 300_000),
    ),
    Fault(
        "clock-stuck", "F27", "a region's wall clock stands still", one, proc.clock_stuck,
        shortest=SECOND, longest=10 * SECOND,
    ),
    Fault(
        "reuse", "F22", "a region loses its memory and comes back empty, as the same origin", one,
        proc.reuse, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "claim", "F22", "each region is told, in a peer's name, of own writes that it never made",
        order, proc.claim, values=(0, 60), rest=8 * SECOND,
    ),
    Fault(
        "unaware", "F22", "a region loses its memory, and takes itself for a new one", one,
        proc.unaware, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "follower-cut", "", "separates a follower from all that it follows", follower,
        net.follower_cut, shortest=200 * MS, longest=15 * SECOND, values=(0, 1),
    ),
    Fault(
        "follower-restart", "", "a follower loses all that it has and begins anew", follower,
        proc.follower_restart, shortest=50 * MS, longest=5 * SECOND, rest=3 * SECOND,
    ),
    Fault(
        "promote", "", "a follower becomes a database of its own, and then follows again", follower,
        proc.promote, shortest=50 * MS, longest=5 * SECOND, rest=3 * SECOND,
    ),
    Fault(
        "bereave", "F23", "a region dies, and who alone has its last writes is away for a while",
        order, proc.bereave, shortest=8 * SECOND, longest=24 * SECOND, rest=8 * SECOND, least=3,
    ),
    Fault(
        "loss", "F13", "loses data on a way, which is sent again after a timeout that doubles",
        pair, net.loss, shortest=SECOND, longest=15 * SECOND, values=(10, 200),
    ),
    Fault(
        "burst-loss", "F13", "loses nearly all data on a way for moments", pair, net.burst_loss,
        shortest=SECOND, longest=15 * SECOND, values=(5, 60),
    ),
    Fault(
        "slow-consumer", "F33", "a region reads nothing from a link for a while", linked,
        conn.slow_consumer, shortest=100 * MS, longest=12 * SECOND,
    ),
    Fault(
        "bad-frame", "F19", "one end of a link sends a malformed, oversized, unknown or forged"
        " frame", linked, conn.bad_frame, values=(0, 2 * len(conn.BAD_FRAMES) - 1),
        rest=500 * MS,
    ),
    Fault(
        "other-version", "F32", "a peer of another version of the protocol introduces itself",
        pair, conn.other_version, values=(0, 1), rest=SECOND,
    ),
    Fault(
        "retry", "F34", "a client loses its connection before the reply, and repeats the command",
        pair, conn.retry, longest=5 * SECOND, values=(0, 3), rest=300 * MS,
    ),
    Fault(
        "torn-resync", "F28 F29", "the donor or the receiver of a full resync dies in the middle",
        one, resync.torn_resync, shortest=6 * SECOND, longest=15 * SECOND, values=(0, 1),
        rest=5 * SECOND,
    ),
)  # fmt: skip
FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in KINDS}


class Injector:
    """Does the steps of a schedule that are faults, ends them in time, and counts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fired: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.open: dict[int, Callable[[], None]] = {}
        self.lasting: set[int] = set()
        """Those of them that last to the end."""
        self.number = 0

    def do(self, step: Step) -> None:
        """Let one fault happen."""
        fault = FAULTS[step.kind]
        world = self.world
        places = world.copies if fault.choose is follower else world.sites
        if not all(name in places for name in step.regions):
            return
        world.trace.note(world.now, "fault", str(step))
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
                world.engine.after(step.lasts, lambda: self.end(number))

    def end(self, number: int) -> None:
        """A fault is over, unless it was ended before."""
        undo = self.open.pop(number, None)
        if undo is not None:
            undo()

    def end_all(self) -> None:
        """End every fault that is going on."""
        self.end_passing()
        for number in sorted(self.lasting):
            self.end(number)
        self.lasting.clear()

    def end_passing(self) -> None:
        """End every fault that is going on, except those that last to the end."""
        for number in sorted(self.open):
            if number not in self.lasting:
                self.end(number)
