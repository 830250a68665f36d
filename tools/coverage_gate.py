"""Check the measured coverage against its limits. `make coverage` runs it after the tests.

Every line and branch of a pure module must have run. The coverage of drivers is only reported,
because timing decides which of their lines run. The drivers are the files that may use banned
modules (TID251). pyproject.toml lists them under `[tool.ruff.lint.per-file-ignores]`.

The unit and contract tests are measured. Other processes are not measured. Tests marked `no_cover`
are not measured either. They run everything at length, so measuring them would double the time, and
a line that only they reach still needs its own test.
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
    """Print both reports. Return 1 if a line or branch of a pure module did not run, else 0."""
    impure = drivers(Path("pyproject.toml"))
    measured = Coverage()
    measured.load()
    print("Drivers (reported only):")
    measured.report(include=impure)
    print("Pure modules (every line and branch):")
    covered = measured.report(omit=impure)
    if covered < 100.0:
        print("No test ran some lines or branches of pure modules: add tests for them.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
