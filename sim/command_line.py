"""`python -m sim SEED` runs one simulation, `python -m sim --seeds 1-200` many.

    python -m sim 7                         prints the options of the seed, and the result
    python -m sim 7 --minutes 60 --regions 5 --writes 10
    python -m sim 7 --shrink [--save FILE]  a failing seed: the smallest run that still fails, as a
                                            text that --scenario plays again
    python -m sim 7 --trace                 every record, for comparing two runs
    python -m sim 7 --svg run.svg           a picture of the run (the last part, if it is long)
    python -m sim --seeds 1-200 --minutes 0.5 --jobs 2
    python -m sim --scenario tests/scenarios/*.txt [--write]
    python -m sim --scenario FILE --svg FILE.svg    a picture of one scenario

A scenario is a text of commands and expected results (`sim/scenarios/scenario.py`). A file that
begins with `scenario NAME` holds many short ones (`sim/scenarios/conflicts.py`). A file that begins
with `run SEED` is a run of the campaign instead: its options, and a step a line
(`sim/scenarios/script.py`). Differences from the expected results are shown, or written into the
file with --write.

The same command gives the same output on every machine. The exit status is 0 if every promise was
kept, 1 if a promise was broken or a scenario gave another result, 2 if a run checked nothing or the
command line was wrong, 3 if a campaign checked a promise, or saw a fault or a rare event, too few
times, 130 if interrupted, and 141 if the reader of the output has closed it.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Any, Final

from crdb.cli.standard_output import checked_output
from sim.campaign.command import parser
from sim.campaign.options import RunOptions
from sim.campaign.processes import CpuExceeded, ProcessLost, limit_cpu, run_in_processes
from sim.campaign.run import Result, Run, Verdict, locate_run
from sim.campaign.shrink import shrink_run
from sim.campaign.summary import (
    TOO_LITTLE,
    exit_status,
    print_result,
    shortfalls,
    summarise,
    summary_line,
    verdict_text,
)
from sim.engine.events import MINUTE, SECOND
from sim.report.report import Recorder
from sim.scenarios.scenario import ScenarioError, perform_block, render_run
from sim.schedule.step import ScheduleStep
from sim.world.world import SimWorld

CALLED: Final = {"seed": "one seed", "seeds": "--seeds", "scenario": "--scenario"}
ONLY: Final = {
    **dict.fromkeys(("trace", "shrink", "save"), ("seed",)),
    "svg": ("seed", "scenario"),
    "cpu": ("seed", "seeds", "scenario"),
    "jobs": ("seeds",),
    "write": ("scenario",),
}
"""The tasks that accept each of these options. The other options are for one seed or many."""
CPU_SECONDS: Final = 120
CPU_SECONDS_PER_MINUTE: Final = 120  # of virtual time: some twenty times what it takes
GARBAGE: Final = 50_000  # objects made between two looks for cycles: only connections leave any


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit status."""
    with checked_output("sim", 2):
        return run_command(argv)


def run_command(argv: Sequence[str] | None) -> int:
    """Run the command line, and leave some output in the buffer."""
    made = parser(__doc__)
    asked = made.parse_args(argv)
    reason = misplaced_options(asked)
    if reason:
        made.error(reason)
    if asked.scenario is not None:
        try:
            return run_scenarios(asked)
        except OSError as error:
            if error.filename is None:
                raise
            made.error(f"{error.filename}: {error.strerror}")
    gc.freeze()
    gc.set_threshold(GARBAGE)
    try:
        if asked.svg is not None:
            asked.svg.open("a").close()  # what cannot be written to is not found out at the end
        return run_seeds(asked) if asked.seed is None else run_seed(asked)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except ProcessLost as lost:
        print(f"sim: seed {lost}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        made.error(f"{error.filename}: {error.strerror}")


def misplaced_options(asked: argparse.Namespace) -> str:
    """Return which options exclude each other; empty if none do."""
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


def draw_options(asked: argparse.Namespace, number: int) -> RunOptions:
    """Return the options of a seed. The command line overrides them."""
    fixed: dict[str, Any] = {
        "regions": asked.regions,
        "followers": asked.followers,
        "topology": asked.topology,
        "writes_per_second": asked.writes,
        "faults": asked.faults,
        "length": None if asked.minutes is None else int(asked.minutes * MINUTE),
    }
    return RunOptions.draw_from_seed(number, **fixed)


def run_seed(asked: argparse.Namespace) -> int:
    """Run one seed and print a full report."""
    options = draw_options(asked, asked.seed)
    print(*options.describe_lines(), sep="\n", flush=True)
    begun = time.process_time()
    recorder = Recorder() if asked.svg else None
    run = Run(
        options,
        on_line=print if asked.trace else None,
        on_pulse=show_progress(options),
        recorder=recorder,
    )
    result = play_script(asked.cpu, run)
    clear_line()
    print(*print_result(result, time.process_time() - begun), sep="\n")
    if recorder is not None:
        picture = recorder.make_picture((*options.names, *options.followers))
        write_file(asked.svg, picture.svg())
    if asked.shrink and result.verdict is Verdict.INVALID:
        print_shrunk(options, result, asked)
    return exit_status([result])


def print_shrunk(options: RunOptions, failed: Result, asked: argparse.Namespace) -> None:
    """Shrink a failing run, print it as a scenario, and save the scenario."""
    within = partial(play_script, asked.cpu)
    small = shrink_run(options, failed, within)
    text = render_run(small, within(Run(small.options), small.steps))
    clear_line()
    print(f"\n{len(small.steps)} steps are enough:\n\n{text}", end="")
    if asked.save is not None:
        write_file(asked.save, text)


def play_script(
    seconds: float | None, run: Run, steps: Sequence[ScheduleStep] | None = None
) -> Result:
    """Play a run for so many seconds of CPU time at most. A run may loop inside one event."""
    limit = seconds or CPU_SECONDS + CPU_SECONDS_PER_MINUTE * run.options.length / MINUTE
    try:
        with limit_cpu(limit, run.world.engine.interrupt):
            return run.play_steps(steps)
    except CpuExceeded as error:
        place = str(error) or locate_run(error, -2)
        return run.make_result("CPU time", f"no end after {limit:.0f} s of CPU time, {place}")


def run_seeds(asked: argparse.Namespace) -> int:
    """Run many seeds. Print a line for each that is not valid, and a summary."""
    results: list[Result] = []
    cpu_seconds = 0.0
    try:
        for result, seconds in each_seed(asked):
            results.append(result)
            cpu_seconds += seconds
            if result.verdict is not Verdict.VALID:
                clear_line()
                print(summary_line(result), flush=True)
            print_line(f"{len(results)} of {len(asked.seeds)} runs")
    finally:
        clear_line()
        print(*summarise(results, cpu_seconds), sep="\n")
    lacking = [] if is_restricted(asked) else list(shortfalls(results))
    for line in lacking:
        print(f"too little    {line}")
    return exit_status(results) or (TOO_LITTLE if lacking else 0)


def is_restricted(asked: argparse.Namespace) -> bool:
    """Return whether the command line excludes a part of the usual runs."""
    fixed = (asked.faults, asked.followers, asked.regions, asked.topology)
    return any(each is not None for each in fixed)


def each_seed(asked: argparse.Namespace) -> Iterator[tuple[Result, float]]:
    """Yield the results of many seeds in order, each with its CPU time in seconds."""
    one = partial(play_scenario, asked)
    jobs = min(asked.jobs or 1, len(asked.seeds))
    return map(one, asked.seeds) if jobs == 1 else run_in_processes(one, asked.seeds, jobs)


def play_scenario(asked: argparse.Namespace, number: int) -> tuple[Result, float]:
    """Play one seed of many. Return its result and the CPU time in seconds."""
    begun = time.process_time()
    result = play_script(asked.cpu, Run(draw_options(asked, number)))
    return result, time.process_time() - begun


def run_scenarios(asked: argparse.Namespace) -> int:
    """Replay scenarios, and show or write the differences from their expected results. Draw one
    if the command line asks for it."""
    worst = 0
    for path in asked.scenario:
        try:
            expected = path.read_text(encoding="utf-8")
            done = perform_block(
                expected, partial(play_script, asked.cpu), is_drawn=asked.svg is not None
            )
            if asked.svg is not None:
                write_file(asked.svg, done.picture)
        except (OSError, UnicodeDecodeError, ScenarioError) as error:
            where, reason = path, f"{error}"
            if isinstance(error, OSError):
                where, reason = error.filename, error.strerror or reason
            print(f"sim: {where}: {reason}", file=sys.stderr)
            return 2
        if done.result is not None:
            print(f"{path}: {verdict_text(done.result)}")
            worst |= done.result.verdict is Verdict.INVALID
        if done.text != expected:
            worst |= not asked.write
            old, new = expected.splitlines(), done.text.splitlines()
            print(*unified_diff(old, new, f"{path}", "what happens", lineterm=""), sep="\n")
            if asked.write:
                write_file(path, done.text)
    return int(worst)


def write_file(path: Path, text: str) -> None:
    """Write a file. Raises an OSError that names it; a regular file keeps its content then."""
    whole = path.resolve()
    fresh = whole.with_name(f"{whole.name}.new") if whole.is_file() else whole
    try:
        fresh.write_text(text, encoding="utf-8")
        if fresh != whole:
            fresh.replace(whole)
    except OSError as error:
        if fresh != whole:
            fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, f"{path}") from None


def show_progress(options: RunOptions) -> Callable[[SimWorld], None]:
    """Return a function that shows the progress of a long run."""
    total = options.length / SECOND

    def print_progress(world: SimWorld) -> None:
        print_line(
            f"{world.now / SECOND:.0f} of {total:.0f} virtual s, {world.engine.events} events"
        )

    return print_progress


def print_line(text: str) -> None:
    """Print a line that the next one overwrites, if the output is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def clear_line() -> None:
    """Erase that line."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
