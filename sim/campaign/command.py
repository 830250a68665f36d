"""The command line of the simulator. A wrong argument is reported in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from crdb.cli.command_line import PlainParser
from geo.topology import SHAPES
from sim.faults.kinds import FAULTS

SEED_MAX: Final = (1 << 63) - 1
SEEDS_MAX: Final = 1_000_000  # per campaign: the result of each run is kept for the summary


class SimArgumentParser(PlainParser):
    """A parser that reports a wrong argument in one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with status 2."""
        self.exit(2, f"sim: {message}\n")


def parser(description: str | None = None) -> SimArgumentParser:
    """Return the parser of the command line."""
    made = SimArgumentParser(prog="python -m sim", description=description)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("seed", nargs="?", type=parse_seed, help="0 to 2^63 - 1")
    made.add_argument("--seeds", type=parse_span, metavar="A-B", help="many seeds, A to B")
    made.add_argument(
        "--jobs", type=parse_whole(1, 1000), metavar="N", help="seeds played at a time (default 1)"
    )
    made.add_argument(
        "--cpu", type=parse_positive, metavar="S", help="seconds of CPU time for a seed"
    )
    made.add_argument(
        "--minutes", type=parse_positive, help="virtual time under faults (default 1)"
    )
    made.add_argument("--regions", type=parse_whole(2, 10), help="2 to 10")
    made.add_argument("--topology", choices=sorted(SHAPES))
    made.add_argument("--followers", type=parse_whole(0, 9), metavar="N", help="of regions, 0 to 9")
    made.add_argument(
        "--writes", type=parse_whole(1, 100_000), metavar="N", help="a second and region"
    )
    made.add_argument("--faults", type=parse_kinds, metavar="A,B", help="only these; `none`, `all`")
    made.add_argument("--shrink", action="store_true", help="make a failing run small")
    made.add_argument("--save", type=Path, metavar="FILE", help="write that to a file")
    made.add_argument("--trace", action="store_true", help="print every record")
    made.add_argument(
        "--scenario", type=Path, nargs="+", metavar="FILE", help="replay scenarios and runs"
    )
    made.add_argument("--write", action="store_true", help="write what happens into the files")
    made.add_argument("--svg", type=Path, metavar="FILE", help="draw the run")
    return made


def parse_seed(text: str) -> int:
    """Return the seed that `text` gives. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) > SEED_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give a number, 0 to 2^63 - 1")
    return int(text)


def parse_span(text: str) -> range:
    """Return the seeds of a range such as `1-200`. Raises ArgumentTypeError."""
    begin, dash, end = text.partition("-")
    if not dash or not begin.isdecimal() or not end.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no range of seeds: write it like 1-200")
    first, last = parse_seed(begin), parse_seed(end)
    if not 0 <= last - first < SEEDS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} are not 1 to {SEEDS_MAX} seeds, upwards")
    return range(first, last + 1)


def parse_positive(text: str) -> float:
    """Return a positive number of minutes or seconds. Raises ArgumentTypeError."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes above 0")
    return minutes


def parse_whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser for whole numbers from `least` to `most`. It raises ArgumentTypeError."""

    def parse_number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {least} to {most}")
        return int(text)

    return parse_number


def parse_kinds(text: str) -> tuple[str, ...]:
    """Return the kinds of faults that `text` lists; also `none` and `all`.

    Raises ArgumentTypeError.
    """
    if text in {"none", "all"}:
        return tuple(FAULTS) if text == "all" else ()
    names = tuple(text.split(","))
    for name in names:
        if name not in FAULTS:
            known = ", ".join(FAULTS)
            raise argparse.ArgumentTypeError(f"no fault is called {name!r}; there are: {known}")
    return names
