"""The invariant `settings`: CONFIG SET changes all parameters that it names, or none.

In some runs an operator of a quiet region sets several parameters at a time, at times with one that
is refused. CONFIG GET must then show exactly what the accepted commands have set, in the form of
Redis (`sim.redis.settings`), and INFO the limits that are in force. At the end the operator sets
the first values again.
"""

from __future__ import annotations

from typing import Final, cast

from sim.engine.checker import Violation
from sim.engine.rng import SeededRandom
from sim.nodes.client import Refusal
from sim.nodes.region import SimRegion
from sim.redis.settings import ACCEPTED, REFUSED, SHOWN_BY_INFO
from sim.schedule.step import Words
from sim.world.figures import read_info
from sim.world.world import SimWorld

PROMISE: Final = "settings"
RUNS: Final = 2  # in one of so many runs parameters are set
COMMANDS: Final = 6
PAIRS_MAX: Final = 4

Pair = tuple[str, str]


def check_settings(world: SimWorld) -> None:
    """Let an operator of a region set parameters, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "settings")
    if rng.happens_in(1, RUNS):
        world.count_probe(PROMISE)
        set_parameters(world.sites[rng.choose_one(tuple(world.sites))], rng)


def set_parameters(site: SimRegion, rng: SeededRandom) -> None:
    """Set parameters of a region in several commands. Raises Violation."""
    first = read_parameters(site)
    expected = dict(first)
    for _ in range(COMMANDS):
        pairs = [
            (name, *rng.choose_one(ACCEPTED[name]))
            for name in draw_names(rng, rng.integer_between(1, PAIRS_MAX))
        ]
        given = [(name, value) for name, value, _ in pairs]
        is_refused = rng.happens_in(1, 2)
        if is_refused:
            spoil_pairs(rng, given)
        else:
            expected |= {name: shown for name, _, shown in pairs}
        check_set(site, given, is_refused=is_refused)
        compare_parameters(site, expected, given)
    changed = [(name, first[name]) for name in ACCEPTED]
    check_set(site, changed, is_refused=False)
    compare_parameters(site, first, changed)


def draw_names(rng: SeededRandom, count: int) -> list[str]:
    """Draw different parameters."""
    return list(dict.fromkeys(rng.choose_one(tuple(ACCEPTED)) for _ in range(count)))


def spoil_pairs(rng: SeededRandom, given: list[Pair]) -> None:
    """Put a parameter that is refused among others."""
    refused = rng.choose_one(REFUSED)
    given[:] = [pair for pair in given if pair[0] != refused[0]]
    given.insert(rng.integer_between(0, len(given)), refused)


def check_set(site: SimRegion, given: list[Pair], *, is_refused: bool) -> None:
    """Set parameters. Raises Violation if the reply is not the right one."""
    words: Words = ("CONFIG", "SET", *(word for pair in given for word in pair))
    (reply,) = site.run_commands(words)
    if isinstance(reply, Refusal) is not is_refused:
        raise violation(site, f"answers {' '.join(words)} with {reply!r}")


def compare_parameters(site: SimRegion, expected: dict[str, str], given: list[Pair]) -> None:
    """Compare all parameters with the expected ones. Raises Violation."""
    found = read_parameters(site)
    for name, value in expected.items():
        if found.get(name) != value:
            raise violation(
                site, f"shows {name} {found.get(name)!r}, not {value!r}, after CONFIG SET {given}"
            )
    for name, section in SHOWN_BY_INFO.items():
        in_force = read_info(site, section)[name]
        if in_force != expected[name]:
            raise violation(
                site, f"has {name} {in_force} in force, not {expected[name]}, after {given}"
            )


def read_parameters(site: SimRegion) -> dict[str, str]:
    """Return the parameters that may be set, with their values."""
    (reply,) = site.run_commands(("CONFIG", "GET", *ACCEPTED))
    words = [word.decode() for word in cast("list[bytes]", reply)]
    return dict(zip(words[::2], words[1::2], strict=True))


def violation(site: SimRegion, text: str) -> Violation:
    """Return a violation in a region."""
    return Violation(PROMISE, f"{site.name} {text}")
