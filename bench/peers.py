"""Measure what peers cost a region, in CPU time and in waiting.

The cases are values of 1 KB at speed, values of 1 MB until everyone has them, small values with
and without peers, regions in which nothing happens, and a single write after a rest.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

from driver import REPLY_SECONDS_MAX, Driver, connect, request
from machine import DRIVER_CORE, BenchError, Server, console, pinned_to, redis_server
from regions import database, region_alone
from requests_by_benchmark import drive
from results import guarded, parsed, parser_for, write_figures

ROUNDS = 3
REQUESTS, QUICK_REQUESTS = 300_000, 2_000
VALUE_BYTES = 1 << 10
LARGE, LARGE_BYTES, QUICK_LARGE_BYTES = 50, 1 << 20, 1 << 14
PIPELINE = 16
MESH, QUICK_MESH = 9, 2
IDLE_SECONDS, QUICK_IDLE_SECONDS = 10.0, 0.5
CALM_SECONDS = 3.0  # after the start of a mesh, and after the writes that show that it is linked
PROBES, QUICK_PROBES = 100, 3
REST_SECONDS = 0.05

Figures = dict[str, float]


def cost(server: Server, requests: int, *options: str) -> float:
    """Return the CPU time in µs of a SET at the server, until its peers have it."""
    before = server.cpu_seconds()
    drive(server, requests, PIPELINE, ["-t", "set", *options])
    if server.name != "redis-server":
        server.converge()
    return (server.cpu_seconds() - before) / requests * 1e6


def full_resyncs(servers: list[Server]) -> int:
    """Return the number of links that have begun with a snapshot."""
    return sum(server.client().info("crdt")["crdt_sync_full"] for server in servers)


def small_and_kilobyte(arguments: argparse.Namespace) -> Figures:
    """SETs of 3 bytes and of 1 KB, with two peers, alone, and at a redis-server."""
    requests = QUICK_REQUESTS if arguments.quick else REQUESTS
    options = {"small": ["-d", "3"], "kilobyte": ["-d", str(VALUE_BYTES)]}
    figures: Figures = {}
    with database() as regions, region_alone() as alone, redis_server() as redis:
        before = full_resyncs(regions)
        for name, sizes in options.items():
            ratios: list[tuple[float, float]] = []
            for _ in range(1 if arguments.quick else ROUNDS):
                ours, apart, theirs = (
                    cost(server, requests, *sizes) for server in (regions[0], alone, redis)
                )
                ratios.append((theirs / ours, apart / ours))
            figures[f"{name}/ratio"], figures[f"{name}/kept"] = (
                median(column) for column in zip(*ratios, strict=True)
            )
        figures["kilobyte/resyncs"] = full_resyncs(regions) - before
    return figures


def large(arguments: argparse.Namespace) -> Figures:
    """Return the ms until two peers have 50 values of 1 MB."""
    size = QUICK_LARGE_BYTES if arguments.quick else LARGE_BYTES
    requests = [request("SET", f"large:{number}", "x" * size) for number in range(LARGE)]
    found: list[float] = []
    resyncs = 0
    for _ in range(1 if arguments.quick else ROUNDS):
        with database() as regions, Driver(regions[0]) as driver:
            start = time.monotonic()
            driver.load(requests, 1)
            regions[0].converge()
            found.append((time.monotonic() - start) * 1_000)
            resyncs += full_resyncs(regions)
    return {"large/settled": median(found), "large/resyncs": resyncs}


def idle(arguments: argparse.Namespace) -> Figures:
    """Return the percentage of a core that the regions of a mesh use without any clients."""
    count = QUICK_MESH if arguments.quick else MESH
    seconds = QUICK_IDLE_SECONDS if arguments.quick else IDLE_SECONDS
    with database([f"region-{number}" for number in range(1, count + 1)]) as regions:
        time.sleep(CALM_SECONDS)
        before = [region.cpu_seconds() for region in regions]
        start = time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - start
        shares = [
            (region.cpu_seconds() - spent) / passed * 100
            for region, spent in zip(regions, before, strict=True)
        ]
    return {"idle/median": median(shares), "idle/worst": max(shares)}


def lone_write(arguments: argparse.Namespace) -> Figures:
    """Return the median of the ms until a write after a rest is visible at a peer."""
    probes = QUICK_PROBES if arguments.quick else PROBES
    found: list[float] = []
    with (
        database() as (here, there, _),
        connect(here.port) as writer,
        connect(there.port) as reader,
    ):
        for number in range(probes):
            time.sleep(REST_SECONDS)
            write, read = request("SET", f"p{number}", "x"), request("GET", f"p{number}")
            start = time.monotonic()
            writer.sendall(write)
            while True:
                reader.sendall(read)
                if reader.recv(64).startswith(b"$1"):
                    break
                if time.monotonic() - start > REPLY_SECONDS_MAX:
                    raise BenchError("a write did not become visible")
            found.append((time.monotonic() - start) * 1_000)
            writer.recv(64)
    return {"lone-write/median": median(found), "lone-write/worst": max(found)}


CASES: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "kilobyte": small_and_kilobyte,
    "large": large,
    "idle": idle,
    "lone-write": lone_write,
}
SHOWN = {
    "small/ratio": "SET of 3 bytes, pipeline 16, two peers: rate, of redis-server",
    "small/kept": "the same: rate, of a region without peers",
    "kilobyte/ratio": "SET of 1 KB, pipeline 16, two peers: rate, of redis-server (bar 0.45)",
    "kilobyte/kept": "the same: rate, of a region without peers",
    "kilobyte/resyncs": "the same: full resyncs (bar 0)",
    "large/settled": "50 SETs of 1 MB: ms until two peers have them (bar 500)",
    "large/resyncs": "the same: full resyncs of all runs",
    "idle/median": "idle region in a mesh of nine: % of a core (bar 0.5)",
    "idle/worst": "the same, the worst region",
    "lone-write/median": "lone write: ms until visible at a peer (bar 0.3)",
    "lone-write/worst": "the same, the worst of all",
}


def main() -> None:
    arguments = parsed(parser_for(__doc__, CASES))
    figures: Figures = {}
    with pinned_to(DRIVER_CORE):
        for name in arguments.case:
            found = CASES[name](arguments)
            for each, figure in found.items():
                console.print(f"{SHOWN[each]:76}{figure:10,.2f}")
            figures |= found
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
