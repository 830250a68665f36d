"""`python -m sim SEED` runs one simulation, `python -m sim --seeds 1-200` many.

    python -m sim 7                         prints what the seed stands for, and how it went
    python -m sim 7 --minutes 60 --regions 5 --writes 10
    python -m sim 7 --shrink [--save FILE]  a failing seed: the smallest run that still fails, as a
                                            text that --scenario plays again
    python -m sim 7 --trace                 every record, for comparing two runs
    python -m sim 7 --svg run.svg           a picture of the run (the last part, if it is long)
    python -m sim --seeds 1-200 --minutes 0.5 --jobs 2
    python -m sim --scenario tests/scenarios/*.txt [--write]
    python -m sim --scenario FILE --svg FILE.svg    a picture of one scenario

A scenario is a story: what regions do, and what everybody reads then (`sim/scenarios/scenario.py`).
A file that begins with `run SEED` is a run of the campaign instead: its options, and a step a line
(`sim/scenarios/script.py`). What happens otherwise than the file says is shown, or written into it
with
--write.

The same command does the same again, whatever the machine. The exit status is 0 if every promise
was kept, 1 if one was broken or a scenario goes otherwise, 2 if a run has proved nothing or the
command was wrong, 3 if many runs have looked at some promise, fault or rare event too seldom, 130
if interrupted, 141 if whoever reads has gone.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import unified_diff
from functools import partial
from typing import Any, Final

from sim.campaign.command import parser
from sim.campaign.options import Options
from sim.campaign.processes import CpuExceeded, ProcessLost, cpu_limit, spread
from sim.campaign.run import Result, Run, Verdict, place
from sim.campaign.shrink import shrink
from sim.campaign.summary import TOO_LITTLE, one_line, shortfalls, status, summarise, tell, verdict
from sim.engine.events import MINUTE, SECOND
from sim.report.report import Recorder
from sim.scenarios.scenario import ScenarioError, perform, render_run
from sim.schedule.step import Step
from sim.world.world import World

CALLED: Final = {"seed": "one seed", "seeds": "--seeds", "scenario": "--scenario"}
ONLY: Final = {
    **dict.fromkeys(("trace", "shrink", "save"), ("seed",)),
    "svg": ("seed", "scenario"),
    "cpu": ("seed", "seeds", "scenario"),
    "jobs": ("seeds",),
    "write": ("scenario",),
}
"""What is asked for with which options; the others are for one seed or many."""
CPU_SECONDS: Final = 120
CPU_SECONDS_PER_MINUTE: Final = 120  # of virtual time: some twenty times what it takes
GARBAGE: Final = 50_000  # objects made between two looks for cycles: only connections leave any


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    made = parser(__doc__)
    asked = made.parse_args(argv)
    reason = misplaced(asked)
    if reason:
        made.error(reason)
    if asked.scenario is not None:
        return run_scenarios(asked)
    gc.freeze()
    gc.set_threshold(GARBAGE)
    try:
        if asked.svg is not None:
            asked.svg.open("a").close()  # what cannot be written to is not found out at the end
        return run_many(asked) if asked.seed is None else run_one(asked)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except ProcessLost as lost:
        print(f"sim: seed {lost}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
        return 141
    except OSError as error:
        made.error(f"{error.filename}: {error.strerror}")


def misplaced(asked: argparse.Namespace) -> str:
    """Why what was asked for does not go together; empty if it does."""
    options: dict[str, object] = vars(asked)
    given = {name for name, value in options.items() if value is not None and value is not False}
    kinds = given & {"seed", "seeds", "scenario"}
    if len(kinds) != 1:
        return "give one seed, --seeds A-B, or --scenario FILE"
    (kind,) = kinds
    for name in sorted(given - kinds):
        fitting = ONLY.get(name, ("seed", "seeds"))
        if kind not in fitting:
            return f"--{name} is for {' or '.join(CALLED[each] for each in fitting)}"
    if asked.svg is not None and len(asked.scenario or ()) > 1:
        return "--svg draws one scenario: give one file"
    if asked.save is not None and not asked.shrink:
        return "--save is for what --shrink has made small"
    return ""


def draw(asked: argparse.Namespace, number: int) -> Options:
    """The options of a seed, as far as the command does not fix them."""
    fixed: dict[str, Any] = {
        "regions": asked.regions,
        "followers": asked.followers,
        "topology": asked.topology,
        "writes_per_second": asked.writes,
        "faults": asked.faults,
        "length": None if asked.minutes is None else int(asked.minutes * MINUTE),
    }
    return Options.draw(number, **fixed)


def run_one(asked: argparse.Namespace) -> int:
    """One seed, told at length."""
    options = draw(asked, asked.seed)
    print(*options.lines(), sep="\n", flush=True)
    begun = time.process_time()
    recorder = Recorder() if asked.svg else None
    run = Run(
        options,
        on_line=print if asked.trace else None,
        on_pulse=pulse(options),
        recorder=recorder,
    )
    result = play(asked.cpu, run)
    clear()
    print(*tell(result, time.process_time() - begun), sep="\n")
    if recorder is not None:
        picture = recorder.picture((*options.names, *options.followers))
        asked.svg.write_text(picture.svg(), encoding="utf-8")
    if asked.shrink and result.verdict is Verdict.INVALID:
        show_small(options, result, asked)
    return status([result])


def show_small(options: Options, failed: Result, asked: argparse.Namespace) -> None:
    """Make a failing run small, print it as a scenario, and save that."""
    within = partial(play, asked.cpu)
    small = shrink(options, failed, within)
    text = render_run(small, within(Run(small.options), small.steps))
    clear()
    print(f"\n{len(small.steps)} steps are enough:\n\n{text}", end="")
    if asked.save is not None:
        asked.save.write_text(text, encoding="utf-8")


def play(seconds: float | None, run: Run, steps: Sequence[Step] | None = None) -> Result:
    """Play a run for so many seconds of CPU time at most. A run may loop inside one event."""
    limit = seconds or CPU_SECONDS + CPU_SECONDS_PER_MINUTE * run.options.length / MINUTE
    try:
        with cpu_limit(limit):
            return run.play(steps)
    except CpuExceeded as error:
        return run.result("CPU time", f"no end after {limit:.0f} s of CPU time, {place(error, -2)}")


def run_many(asked: argparse.Namespace) -> int:
    """Many seeds, a line for each that is not valid, and a summary."""
    results: list[Result] = []
    cpu_seconds = 0.0
    try:
        for result, seconds in each_of(asked):
            results.append(result)
            cpu_seconds += seconds
            if result.verdict is not Verdict.VALID:
                clear()
                print(one_line(result), flush=True)
            say(f"{len(results)} of {len(asked.seeds)} runs")
    finally:
        clear()
        print(*summarise(results, cpu_seconds), sep="\n")
    lacking = [] if restricts(asked) else list(shortfalls(results))
    for line in lacking:
        print(f"too little    {line}")
    return status(results) or (TOO_LITTLE if lacking else 0)


def restricts(asked: argparse.Namespace) -> bool:
    """Return whether the command leaves out some of what runs usually are."""
    fixed = (asked.faults, asked.followers, asked.regions, asked.topology)
    return any(each is not None for each in fixed)


def each_of(asked: argparse.Namespace) -> Iterator[tuple[Result, float]]:
    """The results of many seeds, in their order, each with the seconds of CPU that it took."""
    one = partial(play_one, asked)
    jobs = min(asked.jobs or 1, len(asked.seeds))
    return map(one, asked.seeds) if jobs == 1 else spread(one, asked.seeds, jobs)


def play_one(asked: argparse.Namespace, number: int) -> tuple[Result, float]:
    """One seed of many, and the seconds of CPU that it took."""
    begun = time.process_time()
    result = play(asked.cpu, Run(draw(asked, number)))
    return result, time.process_time() - begun


def run_scenarios(asked: argparse.Namespace) -> int:
    """Replay scenarios and show, or write down, what happens otherwise than they say. Draw one if
    that is asked for."""
    worst = 0
    for path in asked.scenario:
        try:
            expected = path.read_text(encoding="utf-8")
            done = perform(expected, partial(play, asked.cpu), is_drawn=asked.svg is not None)
            if asked.svg is not None:
                asked.svg.write_text(done.picture, encoding="utf-8")
        except (OSError, UnicodeDecodeError, ScenarioError) as error:
            where, reason = path, f"{error}"
            if isinstance(error, OSError):
                where, reason = error.filename, error.strerror or reason
            print(f"sim: {where}: {reason}", file=sys.stderr)
            return 2
        if done.result is not None:
            print(f"{path}: {verdict(done.result)}")
            worst |= done.result.verdict is Verdict.INVALID
        if done.text != expected:
            worst |= not asked.write
            old, new = expected.splitlines(), done.text.splitlines()
            print(*unified_diff(old, new, f"{path}", "what happens", lineterm=""), sep="\n")
            if asked.write:
                path.write_text(done.text, encoding="utf-8")
    return int(worst)


def pulse(options: Options) -> Callable[[World], None]:
    """What shows that a long run goes on."""
    total = options.length / SECOND

    def show(world: World) -> None:
        say(f"{world.now / SECOND:.0f} of {total:.0f} virtual s, {world.engine.events} events")

    return show


def say(text: str) -> None:
    """A line that the next one takes the place of; nothing where no person looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def clear() -> None:
    """Take that line away."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
