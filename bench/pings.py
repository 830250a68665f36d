"""Measure how long other clients of a server wait while it is busy.

A process of its own sends PING again and again, and measures the time until the reply. Its core is
not that of the server, and its priority is high, so that it does not wait for a core itself. The
CPU time that the server used meanwhile is measured too: on a busy machine it shows how much of the
wait was the server's work.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

import attrs

from driver import REPLY_SECONDS_MAX, connect, request
from machine import DRIVER_CORE, SERVER_CORE, BenchError, Server, cpu_clock, pinned_to

PAUSE_SECONDS = 0.0005  # between a reply and the next PING
PRIORITY = -10


@attrs.define
class Waits:
    """The longest wait of the PINGs to one server, and the most CPU time during one of them."""

    wall_ms: float = 0.0
    cpu_ms: float = 0.0


def ping_steadily(port: int, pid: int, core: int, owner: Connection) -> None:
    """Send PINGs until the owner sends something. Then send it the longest wait and CPU time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner stops this process
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    ping, clock = request("PING"), cpu_clock(pid)
    wall_max = cpu_max = 0.0
    with pinned_to(core), connect(port) as client:
        owner.send(None)
        while not owner.poll():
            cpu, start = time.clock_gettime(clock), time.monotonic()
            client.sendall(ping)
            if not client.recv(1_024):
                raise BenchError(f"the server at port {port} closed the connection")
            wall_max = max(wall_max, time.monotonic() - start)
            cpu_max = max(cpu_max, time.clock_gettime(clock) - cpu)
            time.sleep(PAUSE_SECONDS)
    owner.send((wall_max * 1_000, cpu_max * 1_000))


@contextmanager
def pinged(servers: Sequence[Server]) -> Generator[list[Waits]]:
    """Send PINGs to all of the servers while the block runs. Then fill in the waits."""
    waits = [Waits() for _ in servers]
    pipes = [multiprocessing.Pipe() for _ in servers]
    pingers: list[multiprocessing.Process] = []
    for server, (_, theirs) in zip(servers, pipes, strict=True):
        core = DRIVER_CORE if server.core == SERVER_CORE else SERVER_CORE
        options = (server.port, server.process.pid, core, theirs)
        pingers.append(multiprocessing.Process(target=ping_steadily, args=options, daemon=True))
    try:
        for pinger, (ours, theirs) in zip(pingers, pipes, strict=True):
            pinger.start()
            theirs.close()
            ours.recv()  # it is connected
        yield waits
        for (ours, _), wait in zip(pipes, waits, strict=True):
            ours.send(None)
            if not ours.poll(REPLY_SECONDS_MAX):
                raise BenchError(f"no reply to a PING within {REPLY_SECONDS_MAX:.0f} s")
            wait.wall_ms, wait.cpu_ms = ours.recv()
    finally:
        for pinger in pingers:
            if pinger.pid is not None:
                pinger.terminate()
                pinger.join()
