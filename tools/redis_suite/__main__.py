"""Run Redis' own test suite against a region and against redis-server, and compare what passes.

    python -m tools.redis_suite                      # all units that are in scope
    python -m tools.redis_suite unit/type/string     # some of them

Each unit runs against a new server. A test counts if redis-server passes it. The exit status is 1
if a region does not pass such a test and `docs/compatibility.md` does not list it, or lists it
although the region passes it. The output of each unit is in `build/redis-suite/results`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from tools.redis_suite import deviations, servers, source, units

ROOT: Final = Path(__file__).parents[2]
DIRECTORY: Final = ROOT / "build" / "redis-suite"
PAGE: Final = ROOT / "docs" / "compatibility.md"


def chosen_units(sources: Path, wanted: list[str]) -> list[str]:
    """Return the units to run. Raises SuiteError if a wanted one does not exist."""
    known = units.all_units(sources)
    for unit in wanted:
        if unit not in known:
            raise source.SuiteError(
                f"there is no unit {unit} in scope; the units: {' '.join(known)}"
            )
    return wanted or known


def run_unit(sources: Path, unit: str, known: dict[str, str]) -> bool:
    """Run a unit against both servers, print a line, and return whether nothing is missing."""
    results = DIRECTORY / "results"
    results.mkdir(exist_ok=True)
    name = unit.replace("/", "-")
    with servers.redis_server(DIRECTORY) as port:
        theirs = units.run(sources, unit, port, results / f"{name}.redis")
    with servers.region(DIRECTORY) as port:
        ours = units.run(sources, unit, port, results / f"{name}.region")
    found = deviations.compare(theirs, ours, known)
    print(
        f"{unit:28} {len(theirs.passed):4} passed by redis-server, {len(ours.passed):4} here, "
        f"{len(found.missing):3} missing, {len(found.explained):3} explained",
        flush=True,
    )
    for test in sorted(found.missing):
        print(f"    missing: {test}")
    for test in sorted(found.outdated):
        print(f"    listed in {PAGE.name} but passed: {test}")
    if not ours.is_complete:
        print(f"    the unit did not come to its end: see {results / name}.region")
    return ours.is_complete and not found.missing and not found.outdated


def main() -> int:
    """Run the units that the command line names, or all."""
    description, _, _ = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m tools.redis_suite", description=description)
    parser.add_argument("unit", nargs="*", help="as unit/type/string; without any, all in scope")
    wanted: list[str] = parser.parse_args().unit
    try:
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        sources = source.fetch(DIRECTORY)
        known = deviations.read(PAGE.read_text(encoding="utf-8"))
        passed = [
            run_unit(sources, unit, known.get(unit, {})) for unit in chosen_units(sources, wanted)
        ]
    except source.SuiteError as error:
        print(f"redis_suite: {error}", file=sys.stderr)
        return 2
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
