"""Faults of the network: cuts that both ends notice, silent losses, and degraded ways.

Each function applies one step. It returns whether the step was applicable, and a function that
undoes it, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sim.engine.events import MS
from sim.network.ways import Way
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld


def run_all(acts: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """Return a function that calls all of `acts`."""

    def run_each() -> None:
        for act in acts:
            act()

    return run_each


def cut_pairs(world: SimWorld, pairs: Sequence[tuple[str, str]]) -> Done:
    """Cut several pairs of regions."""
    for here, there in pairs:
        world.cut(here, there)
    healing = [lambda a=here, b=there: world.heal(a, b) for here, there in pairs]
    return bool(pairs), run_all(healing)


def cut_pair(world: SimWorld, step: ScheduleStep) -> Done:
    return cut_pairs(world, [(step.regions[0], step.regions[1])])


def split_regions(world: SimWorld, step: ScheduleStep) -> Done:
    others = [name for name in world.sites if name not in step.regions]
    return cut_pairs(world, [(here, there) for here in step.regions for there in others])


def isolate_region(world: SimWorld, step: ScheduleStep) -> Done:
    lone = step.regions[0]
    return cut_pairs(world, [(lone, name) for name in world.sites if name != lone])


def cut_opposites(world: SimWorld, step: ScheduleStep) -> Done:
    """Cut each region from its opposite in a ring, so that each region misses another peer."""
    names = step.regions
    if len(names) < 4:
        return False, None
    half = len(names) // 2
    pairs = {tuple(sorted((a, names[(i + half) % len(names)]))) for i, a in enumerate(names)}
    return cut_pairs(world, [(a, b) for a, b in sorted(pairs)])


def close_ways(world: SimWorld, ways: Sequence[tuple[str, str]]) -> Done:
    """Drop everything sent over these ways. Neither end is notified."""
    for here, there in ways:
        world.close_way(here, there)
    opening = [lambda a=here, b=there: world.open_way(a, b) for here, there in ways]
    return True, run_all(opening)


def drop_both_directions(world: SimWorld, step: ScheduleStep) -> Done:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there), (there, here)])


def drop_one_direction(world: SimWorld, step: ScheduleStep) -> Done:
    here, there = step.regions[:2]
    return close_ways(world, [(here, there)])


def flap_link(world: SimWorld, step: ScheduleStep) -> Done:
    """Cut and heal a link repeatedly, faster than peers retry to dial."""
    here, there = step.regions[:2]
    period = max(5 * MS, step.value * MS)
    state = {"down": False, "over": False}

    def toggle_link() -> None:
        if not state["over"]:
            (world.heal if state["down"] else world.cut)(here, there)
            state["down"] = not state["down"]
            world.engine.schedule_after(period, toggle_link)

    def end_flapping() -> None:
        if state["down"]:
            world.heal(here, there)
        state["over"] = True

    toggle_link()
    return True, end_flapping


def silence_in_turn(world: SimWorld, step: ScheduleStep) -> Done:
    """Silence half of the regions one after another, and restore them in another order."""
    chosen = step.regions[: max(1, len(step.regions) // 2)]
    gap = step.lasts // (2 * len(chosen) + 1)
    opening: dict[str, Callable[[], None] | None] = {}

    def silence_region(name: str) -> None:
        ways = [(name, other) for other in world.sites if other != name]
        if name not in opening:
            opening[name] = close_ways(world, [*ways, *((b, a) for a, b in ways)])[1]

    def restore_region(name: str) -> None:
        act = opening.get(name)
        opening[name] = None
        if act is not None:
            act()

    for i, name in enumerate(chosen):
        world.engine.schedule_after(i * gap, partial(silence_region, name))
        world.engine.schedule_after(
            step.lasts // 2 + sorted(chosen).index(name) * gap, partial(restore_region, name)
        )
    return True, run_all([partial(restore_region, name) for name in chosen])


def deafen_region(world: SimWorld, step: ScheduleStep) -> Done:
    """Drop what is sent to the first region, on one way after another. The last way stays open.

    So peers that were asked to help fall silent, and others must be asked.
    """
    deaf, *others = step.regions
    senders = others[:-1]
    closed: list[str] = []
    is_over = False

    def close_next() -> None:
        if not is_over:
            name = senders[len(closed)]
            world.close_way(name, deaf)
            closed.append(name)

    def open_all() -> None:
        nonlocal is_over
        is_over = True
        for name in closed:
            world.open_way(name, deaf)

    for number in range(len(senders)):
        world.engine.schedule_after(number * step.lasts // (len(senders) + 1), close_next)
    return bool(senders), open_all


def reset_connections(world: SimWorld, step: ScheduleStep) -> Done:
    return world.reset_connections(step.regions[0], step.regions[1], step.value) > 0, None


def break_one_end(world: SimWorld, step: ScheduleStep) -> Done:
    wires = world.wires_between(step.regions[0], step.regions[1])
    for wire in wires:
        world.break_wire(wire, keep=step.value, is_half=True)
    return bool(wires), None


def cut_link_by_command(world: SimWorld, step: ScheduleStep) -> Done:
    """Cut one direction of a link at both ends, as an administrator does."""
    source, sink = step.regions[:2]
    if source not in world.sites[sink].links.peers:
        return False, None
    world.cut_link(source, sink)
    return True, lambda: world.heal_link(source, sink)


def slow_down(world: SimWorld, step: ScheduleStep) -> Done:
    way = world.network.way(*step.regions[:2])
    way.slowness *= step.value

    def restore_speed() -> None:
        way.slowness //= step.value

    return True, restore_speed


def limit_bandwidth(world: SimWorld, step: ScheduleStep) -> Done:
    return limit_ways(step.value, [world.network.way(*step.regions[:2])])


def limit_follower(world: SimWorld, step: ScheduleStep) -> Done:
    """Leave the ways from its sources to a follower little bandwidth."""
    copy = world.copies[step.regions[0]]
    return limit_ways(step.value, [world.network.way(source, copy.name) for source in copy.sources])


def limit_ways(bandwidth: int, ways: list[Way]) -> Done:
    """Limit the bandwidth of ways, unless one of them is limited already."""
    if any(way.bandwidth for way in ways):
        return False, None
    for way in ways:
        way.bandwidth = bandwidth

    def restore_bandwidth() -> None:
        for way in ways:
            way.bandwidth = 0

    return True, restore_bandwidth


def flip_bits(world: SimWorld, step: ScheduleStep) -> Done:
    way = world.network.way(*step.regions[:2])
    way.flips += step.value

    def stop_flipping() -> None:
        way.flips -= step.value

    return True, stop_flipping


def cut_to_pieces(world: SimWorld, step: ScheduleStep) -> Done:
    way = world.network.way(*step.regions[:2])
    way.chops += step.value

    def stop_cutting() -> None:
        way.chops -= step.value

    return True, stop_cutting


def lose_chunks(world: SimWorld, step: ScheduleStep) -> Done:
    """Lose single chunks. Each is sent again after a timeout."""
    way = world.network.way(*step.regions[:2])
    way.losses += step.value

    def stop_losing() -> None:
        way.losses -= step.value

    return True, stop_losing


def lose_in_bursts(world: SimWorld, step: ScheduleStep) -> Done:
    """Lose nearly all data in short random bursts."""
    way = world.network.way(*step.regions[:2])
    way.bursts += step.value

    def stop_bursts() -> None:
        way.bursts -= step.value
        way.lossy_until = 0

    return True, stop_bursts


def cut_follower(world: SimWorld, step: ScheduleStep) -> Done:
    """Separate a follower from all its sources. If `value` is 0, no end is notified."""
    copy = world.copies[step.regions[0]]
    pairs = [(copy.name, source) for source in copy.sources]
    if step.value:
        return cut_pairs(world, pairs)
    return close_ways(world, [*pairs, *((there, here) for here, there in pairs)])
