"""Start `crdb` as a separate process, and ask it over its sockets."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any

from crdb.resp.decoder import ReplyDecoder

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.02


@contextmanager
def started(arguments: Sequence[str]) -> Generator[subprocess.Popen[str]]:
    """Start `crdb` with these arguments. End it by its process id after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=WAIT_SECONDS)


def ready_event(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the event `ready` of a process that was started with `--json`."""
    return events_until(process, "ready")[-1]


def events_until(process: subprocess.Popen[str], name: str) -> list[dict[str, Any]]:
    """Read all events up to the next one of that name. Fail if the process ends before."""
    events = [first_event(process)]
    while events[-1]["event"] != name:
        events.append(first_event(process))
    return events


def first_event(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the next event of a process that was started with `--json`. Fail if the process ends
    before.

    A process that writes nothing for WAIT_SECONDS is ended.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    guard = Timer(WAIT_SECONDS, process.kill)
    guard.start()
    line = process.stdout.readline()
    guard.cancel()
    assert line, f"the process has ended: {process.stderr.read()}"
    event: dict[str, Any] = json.loads(line)
    return event


def ask(port: int, *words: str) -> bytes:
    """Send a request on a new connection. Return its raw reply, empty if none comes."""
    decoder = ReplyDecoder()
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as sock:
        sock.sendall(" ".join(words).encode() + b"\r\n")
        while (reply := decoder.next()) is None:
            data = sock.recv(65536)
            if not data:
                return decoder.pending
            decoder.feed(data)
    return reply[0]


def eventually(holds: Callable[[], bool]) -> None:
    """Check again and again until the condition holds. Fail after WAIT_SECONDS.

    A pause between checks leaves the core to the processes that are asked.
    """
    ends = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it never held"
        time.sleep(LOOK_SECONDS)
