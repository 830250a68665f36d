"""Measure how many virtual seconds the simulator plays in a second of CPU.

A run has drawn faults, all checkers, and ten writes a second in each region. The figures of some
seeds differ, as their faults and sizes are drawn, so the median of several is printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from statistics import median

from machine import SERVER_CORE, BenchError, console, pinned_to
from results import guarded, parsed, parser_for, write_figures

SEEDS = (42, 7, 11)
WRITES = 10
RUN_SECONDS_MAX = 1_200.0
BARS = {3: 1_000, 5: 300}
SPEED = re.compile(r"speed +([\d.,]+) virtual s in ([\d.,]+) CPU s")
FRAMES = re.compile(r"frames +([\d,]+)")


def play(seed: int, regions: int, minutes: float) -> tuple[float, float]:
    """Play a run. Return its virtual seconds and its frames, for each second of CPU."""
    command = [sys.executable, "-P", "-m", "sim", str(seed), "--regions", str(regions)]
    command += ["--minutes", str(minutes), "--writes", str(WRITES)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX
    )
    speed, frames = SPEED.search(done.stdout), FRAMES.search(done.stdout)
    if done.returncode or speed is None or frames is None:
        raise BenchError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    virtual, spent = (float(number.replace(",", "")) for number in speed.groups())
    return virtual / spent, int(frames[1].replace(",", "")) / spent


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--regions", type=int, nargs="+", default=list(BARS))
    parser.add_argument("--minutes", type=float, default=2.0)
    arguments = parsed(parser)
    minutes, seeds = (0.05, SEEDS[:1]) if arguments.quick else (arguments.minutes, SEEDS)
    figures: dict[str, float] = {}
    with pinned_to(SERVER_CORE):
        for regions in arguments.regions:
            runs = [play(seed, regions, minutes) for seed in seeds]
            speed, frames = (median(column) for column in zip(*runs, strict=True))
            figures[f"{regions}/speed"], figures[f"{regions}/frames"] = speed, frames
            bar = f" (bar {BARS[regions]:,})" if regions in BARS else ""
            console.print(
                f"{regions} regions: {speed:,.1f} virtual seconds{bar} "
                f"and {frames:,.0f} frames a CPU second"
            )
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
