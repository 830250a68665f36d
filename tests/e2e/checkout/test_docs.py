"""Run the shell commands of the documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_guide_to_adding_a_command_runs() -> None:
    """In a process of its own, as it changes the command table."""
    page = ROOT / "docs" / "how-to" / "add-a-command.md"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "doctest", str(page)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"^>>> ", page.read_text(), re.MULTILINE)) > 15
