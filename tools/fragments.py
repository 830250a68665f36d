"""Checks the news fragments in `changelog.d/`; `make check` runs it.

Each must be one that towncrier can put under a heading. Where git knows `origin/main`, a change to
an installed package must bring one along.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

BASE = "origin/main"
NAME = re.compile(r"(\d+|\+[a-z0-9-]+)\.(?P<type>[a-z]+)(\.\d+)?\.md")
BESIDE = {"README.md", "template.md"}  # what lies there and is no fragment


def types() -> set[str]:
    """The kinds of fragments that pyproject.toml knows."""
    with Path("pyproject.toml").open("rb") as file:
        return {kind["directory"] for kind in tomllib.load(file)["tool"]["towncrier"]["type"]}


def misnamed() -> list[Path]:
    """Files that towncrier would pass over without a word."""
    known = types()
    fragments = [path for path in Path("changelog.d").iterdir() if path.name not in BESIDE]
    named = [(path, NAME.fullmatch(path.name)) for path in fragments]
    return [path for path, match in named if match is None or match["type"] not in known]


def base_is_known() -> bool:
    """Whether this is a clone that knows the branch to compare with."""
    if shutil.which("git") is None:
        return False
    command = ["git", "rev-parse", "--verify", "--quiet", BASE]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> int:
    """0 if all is well; else says what is not."""
    if wrong := misnamed():
        print(f"Not of the form <issue>.<{'|'.join(sorted(types()))}>.md:", *wrong)
        return 1
    towncrier = [sys.executable, "-m", "towncrier"]
    checks = [[*towncrier, "build", "--draft", "--version", "next"]]
    if base_is_known():
        checks.append([*towncrier, "check", "--compare-with", BASE])
    for check in checks:
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout, done.stderr, sep="")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
