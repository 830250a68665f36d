"""Start the measured processes on given cores, read their figures, and stop them.

All connections are on the loopback interface, and every wait has a limit.
"""

from __future__ import annotations

import os
import resource
import shlex
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
CONVERGE_SECONDS_MAX = 120.0

# The command to measure instead of the installed `crdb`, as a line of a shell.
PROGRAM_VARIABLE = "CRDB_BENCH_PROGRAM"

# A clock that ends in these bits counts the CPU time of all threads of a process.
CPU_OF_PROCESS = 0b010

console = Console(width=100, highlight=False)


class BenchError(SystemExit):
    """An error that ends the measurement. The text gives the reason."""


@contextmanager
def pinned_to(core: int) -> Generator[None]:
    """Restrict this process, and the processes that the block starts, to one core."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError as error:
        raise BenchError(f"core {core} is not available: cores 0 and 1 are needed") from error
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
    core: int

    def client(self) -> Redis:
        """Return a new connection. Its timeout is longer than the longest wait of a command."""
        return Redis(HOST, self.port, socket_timeout=CONVERGE_SECONDS_MAX + 10)

    def cpu_seconds(self) -> float:
        """Return the user and system time used so far."""
        return time.clock_gettime(cpu_clock(self.process.pid))

    def resident_bytes(self) -> int:
        """Return the physical memory in use."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def converge(self) -> None:
        """Wait until all regions have converged."""
        milliseconds = int(CONVERGE_SECONDS_MAX * 1_000)
        if self.client().execute_command("CRDB.SETTLE", milliseconds) != 1:
            raise BenchError(f"{self.name}: the regions did not converge")

    def tidy(self) -> None:
        """Wait until the region has collected its garbage. The next run is not disturbed by it."""
        self.converge()
        ends = time.monotonic() + CONVERGE_SECONDS_MAX
        while self.client().info("crdt")["crdt_gc_pending"]:
            if time.monotonic() > ends:
                raise BenchError(f"{self.name}: garbage is left after {CONVERGE_SECONDS_MAX:.0f} s")
            time.sleep(0.1)


def cpu_clock(pid: int) -> int:
    """Return the clock of a process's CPU time. Linux makes its number of the process's."""
    return ~pid << 3 | CPU_OF_PROCESS


def program(name: str) -> str:
    """Return the path of a program of Debian's Redis packages."""
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"{name} is not installed (Debian: apt-get install redis-server)")
    return found


def listening(port: int) -> bool:
    """Return whether a process accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_ports(count: int) -> list[int]:
    """Return unused ports outside the range of outgoing connections."""
    start = 12_000 + os.getpid() * 31 % 15_000
    candidates = (port for port in range(start, start + 5_000) if not listening(port))
    return [next(candidates) for _ in range(count)]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(name: str, port: int, *, command: Sequence[str], core: int) -> Generator[Server]:
    """Run the command of a server while the block runs. Raise BenchError if `port` stays closed."""
    with pinned_to(core):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS_MAX
        while not listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise BenchError(f"{name} does not answer on port {port}: {' '.join(command)}")
            time.sleep(0.02)
        yield Server(name, port, process, core)
    finally:
        stop(process)


@contextmanager
def redis_server() -> Generator[Server]:
    """Run a real redis-server without persistence, on the measured core."""
    port = free_ports(1)[0]
    options = ["--save", "", "--appendonly", "no", "--bind", HOST, "--port", str(port)]
    command = [program("redis-server"), *options, "--loglevel", "warning"]
    with running("redis-server", port, command=command, core=SERVER_CORE) as server:
        yield server


def region_file(directory: Path, names: Sequence[str], *, delay_ms: float = 0) -> Path:
    """Write the configuration of a database with these regions, on free loopback ports."""
    ports = free_ports(2 * len(names))
    lines: list[str] = []
    for name, port, link_port in zip(names, ports[::2], ports[1::2], strict=True):
        lines += ["[[region]]", f'name = "{name}"', f'host = "{HOST}"']
        lines += [f"port = {port}", f"link_port = {link_port}", ""]
    lines += ["[link]", f"delay = {delay_ms}", ""]
    path = directory / f"{'-'.join(names)}.toml"
    path.write_text("\n".join(lines))
    return path


def measured_program() -> list[str]:
    """Return the command that is measured: the installed (compiled) `crdb`, or the chosen one."""
    installed = str(Path(sys.executable).with_name("crdb"))
    return shlex.split(os.environ.get(PROGRAM_VARIABLE, installed))


@contextmanager
def region(file: Path, name: str, *, port: int, core: int) -> Generator[Server]:
    """Run a region of the file in a new process of the measured `crdb`."""
    command = [*measured_program(), "serve", str(file), "--region", name]
    with running(name, port, command=command, core=core) as server:
        yield server
