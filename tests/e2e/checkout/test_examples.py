"""Run the programs in `examples/`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
SAID = {
    "best_offer": "BestOffer: 200 schedules of 12737 steps kept these laws",
    "two_notebooks": "cart   eggs milk tea\nspent  42\ntodo   shop pay cook wash up\n",
}


def test_every_program_is_known_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == SAID.keys()


@pytest.mark.parametrize("name", SAID)
def test_program_prints_expected_output(name: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(SAID[name])
    assert not done.stderr
