"""Send many requests to a server with `redis-benchmark`."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Sequence

from machine import DRIVER_CORE, HOST, Server, pinned_to, program

CLIENTS = 50
KEYS = 100_000
RUN_SECONDS_MAX = 300.0


def drive(
    server: Server, requests: int, pipeline: int, what: Sequence[str], keys: int = KEYS
) -> float:
    """Send the requests, and return the number of replies per second.

    `what` is a test of redis-benchmark, or a command in which `__rand_int__` becomes a random
    number below `keys`.
    """
    options = ["-h", HOST, "-p", str(server.port), "-c", str(CLIENTS), "-r", str(keys), "--csv"]
    options += ["-n", str(requests), "-P", str(pipeline), *what]
    with pinned_to(DRIVER_CORE):
        done = subprocess.run(
            [program("redis-benchmark"), *options],
            capture_output=True,
            text=True,
            check=True,
            timeout=RUN_SECONDS_MAX,
        )
    _header, row = csv.reader(done.stdout.splitlines()[-2:])
    return float(row[1])
