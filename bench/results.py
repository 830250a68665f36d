"""Read the options that all benchmarks have, and write their figures to files.

Each benchmark writes one file of figures by name, such as `flushall/here`. A run of chosen cases
replaces only their figures. `bench/table.py` reads the files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from machine import PROGRAM_VARIABLE, console

DIRECTORY = Path(__file__).parents[1] / "build" / "bench"


def parser_for(documentation: str | None, cases: Iterable[str] = ()) -> argparse.ArgumentParser:
    """Return a parser of the shared options. With `cases`, some of them can be chosen."""
    parser = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--results", type=Path, default=DIRECTORY, help="directory of the figures")
    parser.add_argument("--program", help="the command to measure instead of the installed crdb")
    known = list(cases)
    if known:
        names = ", ".join(known)
        parser.add_argument(
            "--case", nargs="+", default=known, choices=known, metavar="CASE", help=names
        )
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the command line, and choose the program that is measured."""
    arguments = parser.parse_args()
    if arguments.program:
        os.environ[PROGRAM_VARIABLE] = arguments.program
    return arguments


def write_figures(arguments: argparse.Namespace, figures: Mapping[str, float]) -> None:
    """Add figures to the file of this benchmark. Figures of `--quick` are not kept."""
    if arguments.quick:
        return
    arguments.results.mkdir(parents=True, exist_ok=True)
    file: Path = arguments.results / f"{Path(sys.argv[0]).stem}.json"
    kept = read_figures(file)
    file.write_text(json.dumps({**kept, **figures}, indent=1, sort_keys=True) + "\n")


def read_figures(file: Path) -> dict[str, float]:
    """Return the figures of a file, or none if it does not exist."""
    return json.loads(file.read_text()) if file.exists() else {}


def guarded(main: Callable[[], None]) -> None:
    """Run a benchmark. Ctrl-C stops what it has started, and ends it without a traceback."""
    try:
        main()
    except KeyboardInterrupt:
        console.print("interrupted")
        sys.exit(130)
