"""Run a campaign whose process cannot be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys

ENDLESS = """
from itertools import count
from sim.campaign.processes import limit_cpu
with limit_cpu(0.2):
    sum(count())  # never returns to the interpreter
"""


def test_what_cannot_be_interrupted_ends_its_process_and_says_where_it_was() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ENDLESS], capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGPROF
    assert 'File "<string>", line 5' in run.stderr
