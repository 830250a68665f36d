"""The measured processes: started on a core of their own, read through /proc, stopped by pid.

Nothing here talks to anything but the loopback interface, and every wait has an end.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
from redis import Redis
from rich.console import Console

HOST = "127.0.0.1"
SERVER_CORE, DRIVER_CORE = 0, 1
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 10.0
SETTLE_SECONDS_MAX = 120.0

TICKS = os.sysconf("SC_CLK_TCK")

console = Console(width=100, highlight=False)


class BenchError(SystemExit):
    """The measurement cannot go on; the text says why."""


@contextmanager
def pinned_to(core: int) -> Generator[None]:
    """Processes started inside run on this core only."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        raise BenchError(f"core {core} is not ours: the benchmarks need cores 0 and 1") from error
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@attrs.frozen
class Server:
    """A running process that speaks the Redis protocol on `port`."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def client(self) -> Redis:
        """A new connection. Its replies may take as long as the longest wait that we ask for."""
        return Redis(HOST, self.port, socket_timeout=SETTLE_SECONDS_MAX + 10)

    def cpu_seconds(self) -> float:
        """User and system time so far, in steps of a clock tick (10 ms)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        """Physical memory in use."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def settle(self) -> None:
        """Returns once all regions hold the same vector."""
        milliseconds = int(SETTLE_SECONDS_MAX * 1_000)
        if self.client().execute_command("CRDB.SETTLE", milliseconds) != 1:
            raise BenchError(f"{self.name}: the regions did not settle")

    def tidy(self) -> None:
        """Returns once a region has forgotten all that it may of what was removed: else it would be
        at it beside the next run."""
        self.settle()
        ends = time.monotonic() + SETTLE_SECONDS_MAX
        while self.client().info("crdt")["crdt_gc_pending"]:
            if time.monotonic() > ends:
                raise BenchError(f"{self.name}: the remains of what was removed do not go")
            time.sleep(0.1)


def program(name: str) -> str:
    """The path of a program that Debian's redis packages bring."""
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"{name} is not installed (Debian: apt-get install redis-server)")
    return found


def listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses at this moment, outside the range of outgoing connections."""
    start = 12_000 + os.getpid() * 31 % 15_000
    candidates = (port for port in range(start, start + 5_000) if not listening(port))
    return [next(candidates) for _ in range(count)]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, and ends it if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(name: str, port: int, *, command: Sequence[str], core: int) -> Generator[Server]:
    """The command as a server that answers on `port`, while the block runs."""
    with pinned_to(core):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS_MAX
        while not listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise BenchError(f"{name} does not answer on port {port}: {' '.join(command)}")
            time.sleep(0.02)
        yield Server(name, port, process)
    finally:
        stop(process)


@contextmanager
def redis_server() -> Generator[Server]:
    """A real redis-server without persistence, on the measured core."""
    port = free_ports(1)[0]
    options = ["--save", "", "--appendonly", "no", "--bind", HOST, "--port", str(port)]
    command = [program("redis-server"), *options, "--loglevel", "warning"]
    with running("redis-server", port, command=command, core=SERVER_CORE) as server:
        yield server


def region_file(directory: Path, names: Sequence[str], *, delay_ms: float = 0) -> Path:
    """Writes the configuration of a database with these regions, on free loopback ports."""
    ports = free_ports(2 * len(names))
    lines: list[str] = []
    for name, port, link_port in zip(names, ports[::2], ports[1::2], strict=True):
        lines += ["[[region]]", f'name = "{name}"', f'host = "{HOST}"']
        lines += [f"port = {port}", f"link_port = {link_port}", ""]
    lines += ["[link]", f"delay = {delay_ms}", ""]
    path = directory / f"{'-'.join(names)}.toml"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def region(file: Path, name: str, *, port: int, core: int) -> Generator[Server]:
    """One region of the file as a process of its own, the compiled installation's."""
    command = [str(Path(sys.executable).with_name("crdb")), "serve", str(file), "--region", name]
    with running(name, port, command=command, core=core) as server:
        yield server
