"""What can go wrong between processes: cuts that are noticed, silence that is not, and bad ways.

Each is told a step and does it: whether it could, and what undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sim.engine.events import MS
from sim.schedule.step import Done, Step
from sim.world.world import World


def together(acts: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """Do all of them."""

    def every() -> None:
        for act in acts:
            act()

    return every


def cut_pairs(world: World, pairs: Sequence[tuple[str, str]]) -> Done:
    """Cut several pairs of regions at once."""
    for here, there in pairs:
        world.cut(here, there)
    healing = [lambda a=here, b=there: world.heal(a, b) for here, there in pairs]
    return bool(pairs), together(healing)


def cut(world: World, step: Step) -> Done:
    return cut_pairs(world, [(step.regions[0], step.regions[1])])


def split(world: World, step: Step) -> Done:
    others = [name for name in world.sites if name not in step.regions]
    return cut_pairs(world, [(here, there) for here in step.regions for there in others])


def isolate(world: World, step: Step) -> Done:
    lone = step.regions[0]
    return cut_pairs(world, [(lone, name) for name in world.sites if name != lone])


def ring(world: World, step: Step) -> Done:
    """Everybody loses the one opposite: no two see the same regions."""
    names = step.regions
    if len(names) < 4:
        return False, None
    half = len(names) // 2
    pairs = {tuple(sorted((a, names[(i + half) % len(names)]))) for i, a in enumerate(names)}
    return cut_pairs(world, [(a, b) for a, b in sorted(pairs)])


def close_ways(world: World, ways: Sequence[tuple[str, str]]) -> Done:
    """Let nothing pass, and tell nobody."""
    for here, there in ways:
        world.close(here, there)
    opening = [lambda a=here, b=there: world.open(a, b) for here, there in ways]
    return True, together(opening)


def black_hole(world: World, step: Step) -> Done:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there), (there, here)])


def one_way(world: World, step: Step) -> Done:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there)])


def flap(world: World, step: Step) -> Done:
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


def swizzle(world: World, step: Step) -> Done:
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


def reset(world: World, step: Step) -> Done:
    return world.reset(step.regions[0], step.regions[1], step.value) > 0, None


def half_open(world: World, step: Step) -> Done:
    wires = world.wires(step.regions[0], step.regions[1])
    for wire in wires:
        world.break_wire(wire, keep=step.value, is_half=True)
    return bool(wires), None


def cut_link(world: World, step: Step) -> Done:
    """What an administrator does: one direction, at both ends."""
    source, sink = step.regions[:2]
    if source not in world.sites[sink].links.peers:
        return False, None
    world.cut_link(source, sink)
    return True, lambda: world.heal_link(source, sink)


def slow(world: World, step: Step) -> Done:
    way = world.network.way(*step.regions[:2])
    way.slowness *= step.value

    def end() -> None:
        way.slowness //= step.value

    return True, end


def squeeze(world: World, step: Step) -> Done:
    way = world.network.way(*step.regions[:2])
    if way.bandwidth:
        return False, None
    way.bandwidth = step.value

    def end() -> None:
        way.bandwidth = 0

    return True, end


def noise(world: World, step: Step) -> Done:
    way = world.network.way(*step.regions[:2])
    way.flips += step.value

    def end() -> None:
        way.flips -= step.value

    return True, end


def chop(world: World, step: Step) -> Done:
    way = world.network.way(*step.regions[:2])
    way.chops += step.value

    def end() -> None:
        way.chops -= step.value

    return True, end


def loss(world: World, step: Step) -> Done:
    """Lose single chunks, which are sent again when a timer has run out."""
    way = world.network.way(*step.regions[:2])
    way.losses += step.value

    def end() -> None:
        way.losses -= step.value

    return True, end


def burst_loss(world: World, step: Step) -> Done:
    """Lose nearly everything for a moment, now and then."""
    way = world.network.way(*step.regions[:2])
    way.bursts += step.value

    def end() -> None:
        way.bursts -= step.value
        way.lossy_until = 0

    return True, end


def follower_cut(world: World, step: Step) -> Done:
    """Separate a follower from all that it follows; every other time nobody is told."""
    copy = world.copies[step.regions[0]]
    pairs = [(copy.name, source) for source in copy.sources]
    if step.value:
        return cut_pairs(world, pairs)
    return close_ways(world, [*pairs, *((there, here) for here, there in pairs)])
