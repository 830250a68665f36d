"""Carry out guides that extend the packages, on a copy of the packages.

A block of `diff` changes the file that the guide named last. A block of `python` directly after the
name of a file becomes that file. Every other block of `python` is a proof: it is run, and it must
print the comments at the ends of its lines.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```(diff|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


FILE: Final = r"\*\*((?:crdt|crdb)/[\w/]+\.py)\*\*|`((?:crdt|crdb)/[\w/]+\.py)`"
PRINTED: Final = re.compile(r"\).*?# (.*)$", re.MULTILINE)


def prove(root: Path, guide: str, packages: tuple[str, ...]) -> None:
    """Copy `packages` to `root`, and carry out a guide of `docs/how-to/`. Each of its proofs must
    print what it says."""
    for package in packages:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    text = (ROOT / "docs" / "how-to" / guide).read_text()
    proofs = 0
    for step in BLOCK.finditer(text):
        before = text[: step.start()]
        if step[1] == "diff":
            change(root / last_file(before), step[2])
        elif re.search(rf"(?:{FILE}):\s*\Z", before):
            path = root / last_file(before)
            path.parent.mkdir(exist_ok=True)
            path.write_text(step[2])
        else:
            check_proof(root, step[2])
            proofs += 1
    assert proofs > 0
    check_style(root, packages)


def changed_files(text: str) -> list[str]:
    """Return the file that each diff of a guide changes."""
    return [last_file(text[: step.start()]) for step in BLOCK.finditer(text) if step[1] == "diff"]


def last_file(text: str) -> str:
    """Return the file that a part of a guide names last."""
    return "".join(re.findall(FILE, text)[-1])


def check_style(root: Path, packages: tuple[str, ...]) -> None:
    """Check that what a guide adds has the style of the project."""
    shutil.copy(ROOT / "pyproject.toml", root)
    for action in (["check"], ["format", "--check"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *action, "--quiet", *packages], cwd=root, check=True
        )


def check_proof(root: Path, program: str) -> None:
    """Run a program under `root`, and compare what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stderr == "", done.stderr
    expected = PRINTED.findall(program)
    assert len(expected) == len(re.findall(r"^\s*print\(", program, re.MULTILINE)) > 0
    assert done.stdout.splitlines() == expected, f"{done.stdout}\n{expected}"


def change(path: Path, diff: str) -> None:
    """Change a file as the lines of `diff` say, whose context occurs once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] or "\n" for line in lines if line[0] in " -\n")
    after = "".join(line[1:] or "\n" for line in lines if line[0] in " +\n")
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} holds {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, after))
