"""Measure the memory for each key or element, in crdb and in a real redis-server.

A case writes 200,000 keys or elements with names of 9 bytes and values of 16. Its figure is the
growth of the resident memory, divided by their number. It is measured in the first of three
regions, and includes the backlog. Two more cases measure the whole process: its memory after
everything was deleted, as a ratio to that at its start, and the peak while one very large string is
written, in copies of the string.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from driver import Driver, request
from machine import Server, console, redis_server
from places import WORDS, additions, sets
from regions import first_of_three, region_alone
from results import guarded, parsed, parser_for, write_figures

COUNT = 200_000
QUICK_COUNT = 5_000
VALUE_BYTES, QUICK_VALUE_BYTES = 64 << 20, 1 << 20
SHRINK_SECONDS = 10.0  # for the memory to be returned to the system
KEYS_PER_DELETE = 1_000

BARS = {
    "key": 220.0,
    "counter": 160.0,
    "list": 150.0,
    "set": None,
    "zset": 170.0,
    "hash": 200.0,
    "deleted": 1.3,
    "large-set": 2.0,
}


def requests(name: str, count: int) -> Iterator[bytes]:
    """Return the requests that write the keys or elements of a case."""
    if name == "key":
        return sets("k", count)
    if name == "counter":
        return (request("INCR", f"k{number:08d}") for number in range(count))
    return additions(name, "large", 0, count)


def growth(server: Server, driver: Driver, name: str, count: int) -> float:
    """Write the keys or elements, and return the bytes for each."""
    before = server.resident_bytes()
    driver.load(requests(name, count), 20 if name in WORDS else 1_000)
    return (server.resident_bytes() - before) / count


def after_deleting(server: Server, driver: Driver, count: int) -> float:
    """Write keys and collections, delete all, and return the memory as a ratio to the start."""
    before = server.resident_bytes()
    for name in ("key", *WORDS):
        driver.load(requests(name, count) if name == "key" else additions(name, name, 0, count), 20)
    for name in WORDS:
        driver.ask("DEL", name)
    for first in range(0, count, KEYS_PER_DELETE):
        driver.ask("DEL", *(f"k{first + number:08d}" for number in range(KEYS_PER_DELETE)))
    if server.name != "redis-server":
        server.tidy()
    time.sleep(SHRINK_SECONDS)
    return server.resident_bytes() / before


def peak_copies(server: Server, driver: Driver, value_bytes: int) -> float:
    """Write a large string, and return the growth of the memory at its peak, in such strings."""
    process = Path(f"/proc/{server.process.pid}")
    (process / "clear_refs").write_text("5")  # the peak is now the present size
    before = server.resident_bytes()
    driver.ask("SET", "large", "x" * value_bytes)
    time.sleep(1)
    found = re.search(r"VmHWM:\s*(\d+) kB", (process / "status").read_text())
    assert found is not None, "the status of a process names its peak"
    return (int(found[1]) * 1_024 - before) / value_bytes


def measure(name: str, server: Server, *, is_quick: bool) -> float:
    """Return the figure of a case."""
    count = QUICK_COUNT if is_quick else COUNT
    with Driver(server) as driver:
        driver.ask("PING")
        if name == "deleted":
            return after_deleting(server, driver, count)
        if name == "large-set":
            return peak_copies(server, driver, QUICK_VALUE_BYTES if is_quick else VALUE_BYTES)
        return growth(server, driver, name, count)


def main() -> None:
    arguments = parsed(parser_for(__doc__, BARS))
    servers: dict[str, Callable[[], AbstractContextManager[Server]]] = {
        "ours": first_of_three,
        "alone": region_alone,
        "redis": redis_server,
    }
    figures: dict[str, float] = {}
    console.print("Bytes for each; in the last two lines, ratios", style="bold")
    console.print(f"{'':12}{'two peers':>11}{'alone':>11}{'redis':>11}{'bar':>11}")
    for name in arguments.case:
        for who, running in servers.items():
            with running() as server:  # a new one, as memory that was used once may stay
                figure = measure(name, server, is_quick=arguments.quick)
            figures[f"{name}/{who}"] = figure
        digits = 0 if name not in {"deleted", "large-set"} else 2
        cells = [figures[f"{name}/{who}"] for who in servers] + [BARS[name]]
        line = "".join(f"{'-' if cell is None else f'{cell:.{digits}f}':>11}" for cell in cells)
        console.print(f"{name:12}{line}")
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
