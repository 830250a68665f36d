"""Start `crdb up` at a pseudo-terminal, and read what the terminal shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager
from select import select

from tests.e2e.processes import WAIT_SECONDS

HOME = "\x1b[H"
ENTER = f"\x1b[?1049h{HOME}\x1b[?25l"
"""Switches to the alternate screen and hides the cursor."""
LEAVE = "\x1b[?25h\x1b[?1049l"


@contextmanager
def on_a_terminal(
    base: int, size: tuple[int, int] = (20, 60), **environment: str
) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Start `crdb up` on a terminal of `size` (lines, columns). Yield the process and our end of
    the terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size)
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", "up", "--regions", "us,eu", "--port", str(base)],
        stdin=theirs,
        stdout=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(WAIT_SECONDS)
        os.close(ours)


def seen(terminal: int, *texts: str) -> str:
    """Return the output up to the part that completes these texts, in any order. Fails if nothing
    comes for WAIT_SECONDS. A screen may come in several parts."""
    shown = ""
    while missing := [text for text in texts if text not in shown]:
        assert select([terminal], [], [], WAIT_SECONDS)[0], f"no {missing} in {shown!r}"
        shown += os.read(terminal, 65_536).decode(errors="replace")
    return shown


def rest(terminal: int) -> str:
    """Return the output until the last process has closed the terminal."""
    shown = b""
    try:
        while data := os.read(terminal, 65_536):
            shown += data
    except OSError:  # how Linux tells the end
        pass
    return shown.decode()
