"""Start databases to measure: one region alone, or three, the first of which has its own core."""

from __future__ import annotations

import tempfile
import time
import tomllib
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from machine import DRIVER_CORE, SERVER_CORE, BenchError, Server, region, region_file

LINK_SECONDS_MAX = 20.0
NAMES = ("us-east-1", "eu-west-1", "ap-southeast-1")


def wait_linked(server: Server, servers: Sequence[Server]) -> None:
    """Wait until a write of `server` is visible on each of `servers`."""
    key = f"linked:{server.name}"
    with server.client() as here:
        here.set(key, 1)
        for other in servers:
            with other.client() as there:
                end = time.monotonic() + LINK_SECONDS_MAX
                while there.get(key) is None:
                    if time.monotonic() > end:
                        raise BenchError(f"{server.name} has no link to {other.name}")
                    time.sleep(0.02)
        here.delete(key)


@contextmanager
def database(names: Sequence[str] = NAMES, *, delay_ms: float = 0) -> Generator[list[Server]]:
    """Run each region as a process: the first on the measured core, its peers on the driver's core.

    All links are up when the block starts.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = region_file(directory, names, delay_ms=delay_ms)
        ports = {each["name"]: each["port"] for each in tomllib.loads(file.read_text())["region"]}
        cores = [SERVER_CORE] + [DRIVER_CORE] * (len(names) - 1)
        servers = [
            stack.enter_context(region(file, name, port=ports[name], core=core))
            for name, core in zip(names, cores, strict=True)
        ]
        for server in servers:
            wait_linked(server, servers)
        yield servers


@contextmanager
def region_alone() -> Generator[Server]:
    """Run a database of one region, on the measured core."""
    with database(NAMES[:1]) as servers:
        yield servers[0]


@contextmanager
def first_of_three() -> Generator[Server]:
    """Run a database of three regions. The first is measured, on its own core."""
    with database() as servers:
        yield servers[0]
