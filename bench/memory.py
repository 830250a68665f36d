"""Measure the memory for each key, in crdb and in a real redis-server.

The benchmark writes 200,000 keys of 9 bytes with values of 16 bytes. It divides the growth of the
resident memory by the number of keys. It measures a database of one region, and one region of a
database of three. The latter's figure includes its backlog.
"""

from __future__ import annotations

from contextlib import ExitStack

from rich.table import Table

from machine import Server, console, redis_server
from regions import database, region_alone

KEYS = 200_000
BATCH = 1_000
BAR_BYTES = 300


def bytes_per_key(server: Server) -> float:
    """Write all keys, and return the growth of the resident memory for each key."""
    client = server.client()
    client.ping()
    before = server.resident_bytes()
    for first in range(0, KEYS, BATCH):
        pipeline = client.pipeline(transaction=False)
        for number in range(first, first + BATCH):
            pipeline.set(f"k{number:08d}", f"{number:016d}")
        pipeline.execute()
    return (server.resident_bytes() - before) / KEYS


def main() -> None:
    shown = Table(title=f"Bytes per key (bar {BAR_BYTES})", title_justify="left")
    shown.add_column("")
    shown.add_column("bytes", justify="right")
    with ExitStack() as stack:
        for name, server in {
            "redis-server": stack.enter_context(redis_server()),
            "crdb, one region": stack.enter_context(region_alone()),
            "crdb, two live peers": stack.enter_context(database())[0],
        }.items():
            shown.add_row(name, f"{bytes_per_key(server):.0f}")
    console.print(shown)


if __name__ == "__main__":
    main()
