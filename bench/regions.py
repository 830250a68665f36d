"""Whole databases to measure: one region alone, or three with the first on a core of its own."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from machine import DRIVER_CORE, SERVER_CORE, Server, region, region_file

NAMES = ("us-east-1", "eu-west-1", "ap-southeast-1")


@contextmanager
def database(names: Sequence[str] = NAMES, *, delay_ms: float = 0) -> Generator[list[Server]]:
    """The regions as processes: the first on the measured core, its peers beside the driver.

    They are linked and settled when the block starts.
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
            server.settle()
        yield servers


@contextmanager
def region_alone() -> Generator[Server]:
    """A database of one region, on the measured core."""
    with database(NAMES[:1]) as servers:
        yield servers[0]
