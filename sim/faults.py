"""Everything that can go wrong, by name: how often, for how long, and what it does.

A fault's occurrences are drawn ahead, from a stream of its own, as steps of a schedule. Between the
end of one and the next of its kind there is always a *rest*, and it lasts at least its `shortest`:
without such stable times nothing ever falls behind or catches up. Doing a step returns what undoes
it. A step that makes no sense now (a crash of what is down) does nothing and does not count.

The numbers F1 to F37 are those of the catalogue in the design notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeAlias

import attrs

from sim.dice import Dice
from sim.engine import MS, SECOND
from sim.step import Step, Words
from sim.world import World

Undo: TypeAlias = Callable[[], None] | None
"""What ends a fault; None if it is over at once, or did not happen."""
Do: TypeAlias = Callable[[World, Step], tuple[bool, Undo]]
Choose: TypeAlias = Callable[[Dice, Sequence[str]], Words]


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

    def steps(self, dice: Dice, names: Sequence[str], *, mean: int, end: int) -> Iterator[Step]:
        """Its occurrences until `end`, `mean` ns apart on average."""
        at = self.rest + dice.exponential(mean)
        while at < end:
            lasts = dice.between(self.shortest, self.longest)
            if lasts and dice.chance(1, 2):
                lasts = self.shortest + (lasts - self.shortest) // 8
            value = dice.between(*self.values)
            yield Step(at, self.name, self.choose(dice, names), lasts, value)
            at += lasts + self.rest + dice.exponential(mean)


# -- whom it befalls ---------------------------------------------------------------------------


def one(dice: Dice, names: Sequence[str]) -> Words:
    return (dice.pick(names),)


def pair(dice: Dice, names: Sequence[str]) -> Words:
    return tuple(dice.some(names, 2))


def order(dice: Dice, names: Sequence[str]) -> Words:
    return tuple(dice.shuffled(names))


def part(dice: Dice, names: Sequence[str]) -> Words:
    """One side of a partition."""
    return tuple(dice.some(names, dice.between(1, len(names) - 1)))


# -- the network -------------------------------------------------------------------------------


def together(acts: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """Do all of them."""

    def every() -> None:
        for act in acts:
            act()

    return every


def cut_pairs(world: World, pairs: Sequence[tuple[str, str]]) -> tuple[bool, Undo]:
    """Cut several pairs of regions at once."""
    for here, there in pairs:
        world.cut(here, there)
    healing = [lambda a=here, b=there: world.heal(a, b) for here, there in pairs]
    return bool(pairs), together(healing)


def cut(world: World, step: Step) -> tuple[bool, Undo]:
    return cut_pairs(world, [(step.regions[0], step.regions[1])])


def split(world: World, step: Step) -> tuple[bool, Undo]:
    others = [name for name in world.sites if name not in step.regions]
    return cut_pairs(world, [(here, there) for here in step.regions for there in others])


def isolate(world: World, step: Step) -> tuple[bool, Undo]:
    lone = step.regions[0]
    return cut_pairs(world, [(lone, name) for name in world.sites if name != lone])


def ring(world: World, step: Step) -> tuple[bool, Undo]:
    """Everybody loses the one opposite: no two see the same regions."""
    names = step.regions
    if len(names) < 4:
        return False, None
    half = len(names) // 2
    pairs = {tuple(sorted((a, names[(i + half) % len(names)]))) for i, a in enumerate(names)}
    return cut_pairs(world, [(a, b) for a, b in sorted(pairs)])


def close_ways(world: World, ways: Sequence[tuple[str, str]]) -> tuple[bool, Undo]:
    """Let nothing pass, and tell nobody."""
    for here, there in ways:
        world.close(here, there)
    opening = [lambda a=here, b=there: world.open(a, b) for here, there in ways]
    return True, together(opening)


def black_hole(world: World, step: Step) -> tuple[bool, Undo]:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there), (there, here)])


def one_way(world: World, step: Step) -> tuple[bool, Undo]:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there)])


def flap(world: World, step: Step) -> tuple[bool, Undo]:
    """Up and down, faster than anybody waits before dialling again."""
    here, there = step.regions[:2]
    period = max(5 * MS, step.value * MS)
    state = {"down": False, "over": False}

    def turn() -> None:
        if not state["over"]:
            (world.heal if state["down"] else world.cut)(here, there)
            state["down"] = not state["down"]
            world.engine.after(period, turn)

    def end() -> None:
        if state["down"]:
            world.heal(here, there)
        state["over"] = True

    turn()
    return True, end


def swizzle(world: World, step: Step) -> tuple[bool, Undo]:
    """Half of the regions fall silent one after another, and come back in another order."""
    chosen = step.regions[: max(1, len(step.regions) // 2)]
    gap = step.lasts // (2 * len(chosen) + 1)
    opening: dict[str, Callable[[], None] | None] = {}

    def clog(name: str) -> None:
        ways = [(name, other) for other in world.sites if other != name]
        if name not in opening:
            opening[name] = close_ways(world, [*ways, *((b, a) for a, b in ways)])[1]

    def free(name: str) -> None:
        act = opening.get(name)
        opening[name] = None
        if act is not None:
            act()

    for i, name in enumerate(chosen):
        world.engine.after(i * gap, partial(clog, name))
        world.engine.after(step.lasts // 2 + sorted(chosen).index(name) * gap, partial(free, name))
    return True, together([partial(free, name) for name in chosen])


def reset(world: World, step: Step) -> tuple[bool, Undo]:
    return world.reset(step.regions[0], step.regions[1], step.value) > 0, None


def half_open(world: World, step: Step) -> tuple[bool, Undo]:
    wires = world.wires(step.regions[0], step.regions[1])
    for wire in wires:
        world.break_wire(wire, keep=step.value, is_half=True)
    return bool(wires), None


def cut_link(world: World, step: Step) -> tuple[bool, Undo]:
    """What an administrator does: one direction, at both ends."""
    source, sink = step.regions[:2]
    if source not in world.sites[sink].links.peers:
        return False, None
    world.cut_link(source, sink)
    return True, lambda: world.heal_link(source, sink)


def slow(world: World, step: Step) -> tuple[bool, Undo]:
    way = world.network.way(*step.regions[:2])
    way.slowness *= step.value

    def end() -> None:
        way.slowness //= step.value

    return True, end


def squeeze(world: World, step: Step) -> tuple[bool, Undo]:
    way = world.network.way(*step.regions[:2])
    if way.bandwidth:
        return False, None
    way.bandwidth = step.value

    def end() -> None:
        way.bandwidth = 0

    return True, end


def noise(world: World, step: Step) -> tuple[bool, Undo]:
    way = world.network.way(*step.regions[:2])
    way.flips += step.value

    def end() -> None:
        way.flips -= step.value

    return True, end


def chop(world: World, step: Step) -> tuple[bool, Undo]:
    way = world.network.way(*step.regions[:2])
    way.chops += step.value

    def end() -> None:
        way.chops -= step.value

    return True, end


# -- regions -----------------------------------------------------------------------------------


def crash(world: World, step: Step) -> tuple[bool, Undo]:
    """Lose the memory, come back empty. Never the last one that is up: then all would be lost."""
    return bring_down(world, step, is_kept=False, is_silent=False)


def crash_silent(world: World, step: Step) -> tuple[bool, Undo]:
    return bring_down(world, step, is_kept=False, is_silent=True)


def restart(world: World, step: Step) -> tuple[bool, Undo]:
    return bring_down(world, step, is_kept=True, is_silent=False)


def bring_down(world: World, step: Step, *, is_kept: bool, is_silent: bool) -> tuple[bool, Undo]:
    """Stop a region and start it again, empty or from a snapshot that it made as it stopped."""
    site = world.sites[step.regions[0]]
    others = [other for other in world.live() if other is not site]
    if not site.is_up or not any(other.has_caught_up for other in others):
        return False, None
    kept = site.snapshot() if is_kept else ()
    world.crash(site.name, is_silent)
    return True, lambda: world.restart(site.name, kept)


def pause(world: World, step: Step) -> tuple[bool, Undo]:
    site = world.sites[step.regions[0]]
    if not site.is_up or site.is_paused:
        return False, None
    site.pause(world.now + step.lasts)
    return True, None


def clock_step(world: World, step: Step) -> tuple[bool, Undo]:
    world.sites[step.regions[0]].clock.step(step.value)
    return True, None


def clock_drift(world: World, step: Step) -> tuple[bool, Undo]:
    clock = world.sites[step.regions[0]].clock
    clock.drift(step.value, world.now)
    return True, lambda: clock.drift(0, world.now)


def clock_stuck(world: World, step: Step) -> tuple[bool, Undo]:
    clock = world.sites[step.regions[0]].clock
    if clock.stopped is not None:
        return False, None
    clock.set(clock.read(world.now))
    return True, lambda: clock.set(None)


KINDS: Final = (
    Fault(
        "cut", "F3", "separates two regions, which notice", pair, cut,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "split", "F1", "separates two groups of regions", part, split,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "isolate", "F2", "separates a region from all others", one, isolate,
        shortest=500 * MS, longest=20 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "ring", "F5", "everybody loses another peer", order, ring,
        shortest=SECOND, longest=15 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "black-hole", "F8", "nothing passes between two regions, and nobody is told", pair,
        black_hole, shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "one-way", "F4", "nothing passes in one direction, and nobody is told", pair, one_way,
        shortest=100 * MS, longest=15 * SECOND,
    ),
    Fault(
        "flap", "F6", "a link goes up and down", pair, flap,
        shortest=500 * MS, longest=5 * SECOND, values=(5, 600),
    ),
    Fault(
        "swizzle", "F7", "half of the regions fall silent one by one, and return in another order",
        order, swizzle, shortest=2 * SECOND, longest=12 * SECOND, rest=5 * SECOND,
    ),
    Fault(
        "reset", "F9 F15", "breaks connections at any byte", pair, reset, values=(0, 400),
        rest=300 * MS,
    ),
    Fault(
        "half-open", "F10 F14", "breaks a connection of which one end does not learn", pair,
        half_open, values=(0, 400), rest=SECOND,
    ),
    Fault(
        "link-cut", "", "cuts a link by command, in one direction", pair, cut_link,
        shortest=200 * MS, longest=20 * SECOND,
    ),
    Fault(
        "slow", "F12", "makes a way slower", pair, slow,
        shortest=SECOND, longest=10 * SECOND, values=(2, 20),
    ),
    Fault(
        "squeeze", "F11", "leaves a way little bandwidth", pair, squeeze,
        shortest=SECOND, longest=10 * SECOND, values=(500, 20_000),
    ),
    Fault(
        "noise", "F18", "flips bits on a way", pair, noise,
        shortest=SECOND, longest=8 * SECOND, values=(5_000, 200_000),
    ),
    Fault(
        "chop", "F17", "cuts data to pieces, down to single bytes", pair, chop,
        shortest=SECOND, longest=20 * SECOND, values=(10, 60),
    ),
    Fault(
        "crash", "F23", "a region loses its memory and comes back empty, as another origin", one,
        crash, shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "crash-silent", "F23", "the same, and its peers are not told", one, crash_silent,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "restart", "F20", "a region restarts from a snapshot, as another origin", one, restart,
        shortest=50 * MS, longest=10 * SECOND, rest=8 * SECOND,
    ),
    Fault(
        "pause", "F24", "a region does nothing for a while", one, pause,
        shortest=50 * MS, longest=9 * SECOND,
    ),
    Fault(
        "clock-step", "F27", "a region's wall clock jumps", one, clock_step,
        values=(-20_000, 20_000),
    ),
    Fault(
        "clock-drift", "F27", "a region's wall clock runs fast or slow", one, clock_drift,
        shortest=2 * SECOND, longest=30 * SECOND, values=(-300_000, 300_000),
    ),
    Fault(
        "clock-stuck", "F27", "a region's wall clock stands still", one, clock_stuck,
        shortest=SECOND, longest=10 * SECOND,
    ),
)  # fmt: skip
FAULTS: Final[dict[str, Fault]] = {fault.name: fault for fault in KINDS}


class Injector:
    """Does the steps of a schedule that are faults, ends them in time, and counts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fired: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.open: dict[int, Callable[[], None]] = {}
        self.number = 0

    def do(self, step: Step) -> None:
        """Let one fault happen."""
        fault = FAULTS[step.kind]
        world = self.world
        if not all(name in world.sites for name in step.regions):
            return
        world.trace.note(world.now, "fault", str(step))
        happened, undo = fault.do(world, step)
        if happened:
            self.fired[step.kind] += 1
        if undo is not None:
            self.number += 1
            number = self.number
            self.open[number] = undo
            world.engine.after(step.lasts, lambda: self.end(number))

    def end(self, number: int) -> None:
        """A fault is over, unless it was ended before."""
        undo = self.open.pop(number, None)
        if undo is not None:
            undo()

    def end_all(self) -> None:
        """End every fault that is going on."""
        for number in sorted(self.open):
            self.end(number)
