"""The guide to adding a data type works: its steps are carried out on a copy of the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "how-to" / "add-a-data-type.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"[`*](crdt/[\w/]+\.py)[`*]")


def follow(root: Path, guide: str) -> str:
    """Carry out the guide under `root`. A block of code belongs to the file named last before it.
    Return the last block, which is the proof."""
    *steps, proof = BLOCK.finditer(guide)
    for step in steps:
        named = NAMED.findall(guide[: step.start()])[-1]
        if step[1] == "diff":
            change(root / named, step[2])
        else:
            (root / named).write_text(step[2])
    return proof[2]


def change(path: Path, diff: str) -> None:
    """Change a file as the lines of `diff` say, whose context occurs once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} holds {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, after))


def test_a_type_added_by_the_guide_converges(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "crdt",
        tmp_path / "crdt",
        ignore=shutil.ignore_patterns("__pycache__", "*.so"),
    )
    proof = follow(tmp_path, GUIDE.read_text())
    done = subprocess.run(
        [sys.executable, "-c", proof], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "20 schedules: all regions agree\n"
