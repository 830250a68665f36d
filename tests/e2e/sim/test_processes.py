"""Run a campaign whose process cannot be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys

ENDLESS = """
from itertools import count
from sim.campaign.processes import limit_cpu
with limit_cpu(0.2, print):
    sum(count())  # never returns to the interpreter
"""


def test_uninterruptible_loop_ends_with_its_place() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ENDLESS], capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGPROF
    assert 'File "<string>", line 5' in run.stderr
