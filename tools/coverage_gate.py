"""Check the measured coverage against its limits. `make coverage` runs it after the tests.

Every line and branch of a pure module must have run. The drivers are only reported, since timing
decides which of their lines run. They are named in pyproject.toml under
`[tool.ruff.lint.per-file-ignores]`: they may use banned modules (TID251).

The unit and the contract tests are measured. Other processes are not measured, nor are tests marked
`no_cover`, which play through everything at length: that would double the time, and a line that
only they reach is not tested yet.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from coverage import Coverage

PACKAGES = ("crdt", "replication", "geo", "crdb", "sim")


def drivers(pyproject: Path) -> list[str]:
    """Return the installed files that may touch the event loop, sockets, files or clocks."""
    with pyproject.open("rb") as file:
        leave = tomllib.load(file)["tool"]["ruff"]["lint"]["per-file-ignores"]
    return sorted(
        path
        for path, rules in leave.items()
        if "TID251" in rules and path.partition("/")[0] in PACKAGES
    )


def main() -> int:
    """Print both reports. Return 1 if a test runs not all lines and branches of pure modules."""
    impure = drivers(Path("pyproject.toml"))
    measured = Coverage()
    measured.load()
    print("Drivers (reported only):")
    measured.report(include=impure)
    print("Pure modules (every line and branch):")
    covered = measured.report(omit=impure)
    if covered < 100.0:
        print("There are lines or branches of pure modules that no test ran.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
