"""Measure how long other clients wait while a server does something large.

The figure of a case is the longest wait of a client that sends PING again and again: at the region
that executes the command, at its peer, and at a redis-server that does the same. The CPU time that
the server used during one wait is printed too. It does not contain what other processes take of a
busy machine. The last column is the time from the start until the peer has everything.

    python bench/stalls.py --case flushall del-zset --keys 3000000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import attrs

from machine import DRIVER_CORE, console, pinned_to
from pings import Waits, pinged
from places import QUICK, Place, Sizes, redis_alone, region_and_peer
from results import guarded, parsed, parser_for, write_figures
from stall_cases import Case
from stall_commands import CASES

KEYS, ELEMENTS, BATCH, VALUE_BYTES = 1_000_000, 1_000_000, 100_000, 64 << 20
QUIET_SECONDS = 0.3  # after a case, in which its last waits are still seen
COLUMNS = ("here", "(CPU)", "peer", "(CPU)", "redis", "settled s", "bar")


@attrs.frozen
class Outcome:
    """The waits at each server of a place, and the seconds until all of them had everything."""

    waits: Sequence[Waits]
    settled: float


def measure(case: Case, place: Place) -> Outcome:
    """Prepare a case, and run it while PINGs are sent to all servers."""
    steps = case.run(place)
    next(steps)
    place.settle()
    with pinged(place.servers) as waits:
        start = time.monotonic()
        next(steps, None)
        place.settle()
        settled = time.monotonic() - start
        time.sleep(QUIET_SECONDS)
    return Outcome(waits, settled)


def run_cases(
    where: Callable[[Sizes], AbstractContextManager[Place]], cases: Sequence[Case], sizes: Sizes
) -> dict[str, Outcome]:
    """Run the cases at one place, and show the progress."""
    outcomes: dict[str, Outcome] = {}
    with where(sizes) as place:
        for number, case in enumerate(cases, 1):
            console.print(f"[dim]{place.here.name}: {case.name} ({number} of {len(cases)})")
            outcomes[case.name] = measure(case, place)
    return outcomes


def figures_of(ours: dict[str, Outcome], redis: dict[str, Outcome]) -> dict[str, float]:
    """Return all waits in ms by name."""
    figures: dict[str, float] = {}
    for name, outcome in ours.items():
        for where, wait in zip(("here", "peer"), outcome.waits, strict=True):
            figures[f"{name}/{where}"] = wait.wall_ms
            figures[f"{name}/{where}/cpu"] = wait.cpu_ms
        figures[f"{name}/settled"] = outcome.settled * 1_000
    for name, outcome in redis.items():
        figures[f"{name}/redis"] = outcome.waits[0].wall_ms
    return figures


def report(cases: Sequence[Case], figures: dict[str, float]) -> None:
    """Print a line for each case."""
    console.print("Longest wait of another client, ms", style="bold")
    console.print(f"{'':18}" + "".join(f"{column:>11}" for column in COLUMNS))
    for case in cases:
        names = ("here", "here/cpu", "peer", "peer/cpu", "redis")
        cells = [figures.get(f"{case.name}/{name}") for name in names]
        line = "".join(f"{'-' if cell is None else f'{cell:,.1f}':>11}" for cell in cells)
        settled = figures[f"{case.name}/settled"] / 1_000
        console.print(f"{case.name:18}{line}{settled:11.2f}{case.bar_ms:11.0f}")


def sizes_of(arguments: argparse.Namespace) -> Sizes:
    """Return the sizes that the options choose."""
    if arguments.quick:
        return QUICK
    return Sizes(arguments.keys, arguments.elements, BATCH, VALUE_BYTES)


def main() -> None:
    parser = parser_for(__doc__, CASES)
    parser.add_argument("--keys", type=int, default=KEYS, help="of the database")
    parser.add_argument("--elements", type=int, default=ELEMENTS, help="of one collection")
    arguments = parsed(parser)
    sizes = sizes_of(arguments)
    cases = [case for name, case in CASES.items() if name in arguments.case]
    with pinned_to(DRIVER_CORE):
        ours = run_cases(region_and_peer, cases, sizes)
        redis = run_cases(redis_alone, [case for case in cases if case.is_for_redis], sizes)
    figures = figures_of(ours, redis)
    report(cases, figures)
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
