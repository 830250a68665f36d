"""Carry out guides that extend the packages, on a copy of the packages.

A block of code belongs to the file that the guide names last before it. A block of a `diff` changes
the file, and one of `python` becomes the file. The last block is the proof, which is run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```(diff|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def prove(root: Path, guide: str, packages: tuple[str, ...]) -> str:
    """Copy `packages` to `root`, carry out a guide of `docs/how-to/`, and return what its proof
    prints. `packages[0]` is the one that it changes."""
    for package in packages:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    proof = follow(root, (ROOT / "docs" / "how-to" / guide).read_text(), packages[0])
    done = subprocess.run(
        [sys.executable, "-c", proof], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


def follow(root: Path, guide: str, package: str) -> str:
    """Carry out the steps of a guide under `root`. Return its last block."""
    named = re.compile(rf"[`*]({package}/[\w/]+\.py)[`*]")
    *steps, proof = BLOCK.finditer(guide)
    for step in steps:
        path = root / named.findall(guide[: step.start()])[-1]
        if step[1] == "diff":
            change(path, step[2])
        else:
            path.write_text(step[2])
    return proof[2]


def change(path: Path, diff: str) -> None:
    """Change a file as the lines of `diff` say, whose context occurs once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] or "\n" for line in lines if line[0] in " -\n")
    after = "".join(line[1:] or "\n" for line in lines if line[0] in " +\n")
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} holds {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, after))
