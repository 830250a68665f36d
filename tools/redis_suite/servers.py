"""A region and a redis-server for the suite, each alone on a free loopback port."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tools.redis_suite.source import SuiteError, program

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 20.0
STOP_SECONDS_MAX: Final = 10.0
ID_MODE: Final = ("crdt-xadd-id-uniqueness-mode", "liberal")
REGION: Final = """
id = "suite"
[[region]]
name = "one"
port = {port}
link_port = {link_port}
"""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with_sockets = [socket.socket() for _ in range(count)]
    try:
        for each in with_sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in with_sockets]
    finally:
        for each in with_sockets:
            each.close()


def listening(port: int) -> bool:
    """Return whether a process accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Generator[int]:
    """Run a server while the block runs, and yield its port. Its output is added to `log`.

    Raises SuiteError if it does not listen in time.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        end = time.monotonic() + START_SECONDS_MAX
        while not listening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise SuiteError(f"{' '.join(command)} does not listen on port {port}: see {log}")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def redis_server(directory: Path) -> Generator[int]:
    """Run a redis-server that keeps nothing on disk."""
    (port,) = free_ports(1)
    command = [program("redis-server"), "--port", str(port), "--bind", HOST, "--save", ""]
    with running([*command, "--dir", str(directory)], port, directory / "redis.log") as found:
        yield found


@contextmanager
def region(directory: Path) -> Generator[int]:
    """Run a region of the installed `crdb`. It takes the IDs of streams that the suite gives
    (rule STM-6)."""
    port, link_port = free_ports(2)
    file = directory / "region.toml"
    file.write_text(REGION.format(port=port, link_port=link_port))
    command = [str(Path(sys.executable).with_name("crdb")), "serve", str(file), "--region", "one"]
    setting = [program("redis-cli"), "-p", str(port), "CONFIG", "SET", *ID_MODE]
    with running(command, port, directory / "region.log") as found:
        subprocess.run(setting, check=True, capture_output=True)
        yield found
