"""Run `crdb demo` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import WAIT_SECONDS


def test_closed_output_ends_demo() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(WAIT_SECONDS) != 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "crdb", "demo"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "the story broke off: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_to_demo_alone_stops_regions_silently(number: signal.Signals) -> None:
    """The regions once noticed the end of the demo by themselves, and complained."""
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while "three regions" not in (line := process.stdout.readline()):
        assert line, "the demo ended"
    process.send_signal(number)
    _, errors = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, errors) == (-number, "")
