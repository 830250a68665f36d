"""Compare crdb with a real redis-server, in commands per second of server CPU.

Both servers run on core 0. `redis-benchmark` sends commands to them in turn from core 1, with 50
clients and random keys out of 100,000. The measured region is one of three. Its two live peers
share core 1 with `redis-benchmark`. The figures include the CPU time after a write's reply, until
both peers have the write. Commands per second of CPU are stable on a busy machine, so they are
printed first. Commands per second of the wall clock follow.

    python bench/server.py --rounds 3 --scale 1.0        (about ten minutes)
"""

from __future__ import annotations

import argparse
import csv
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

import attrs
from rich.table import Table

from machine import DRIVER_CORE, HOST, Server, console, pinned_to, program, redis_server
from regions import database, region_alone

COMMANDS = ("SET", "GET", "INCR", "SADD", "HSET", "ZADD", "LPUSH")
CLIENTS = 50
KEYS = 100_000
# Requests of a run by pipeline. They take redis-server about 1 s of CPU: a clock tick is 1 %.
REQUESTS = {1: 100_000, 16: 600_000, 64: 1_000_000}
RUN_SECONDS_MAX = 300.0

# The lowest acceptable ratio of our rate to that of redis-server, by command and pipeline.
BARS = {
    "SET": {1: 0.55, 16: 0.35, 64: 0.25},
    "INCR": {1: 0.55, 16: 0.35, 64: 0.25},
    "GET": {1: 0.65, 16: 0.5, 64: 0.4},
}


@attrs.frozen
class Rates:
    """A run's commands per second of the server's CPU, and of the wall clock."""

    cpu: float
    wall: float


Case = tuple[str, int]  # command, pipeline
Results = dict[Case, list[Rates]]  # one entry a round


def drive(server: Server, case: Case, requests: int) -> float:
    """Send the requests, and return the number of replies per second."""
    command, pipeline = case
    options = ["-h", HOST, "-p", str(server.port), "-c", str(CLIENTS), "-r", str(KEYS), "--csv"]
    options += ["-n", str(requests), "-P", str(pipeline), "-t", command.lower()]
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


def measure(server: Server, case: Case, requests: int, *, converge: bool) -> Rates:
    """Measure one run. With `converge` the run ends when all regions have every write."""
    before = server.cpu_seconds()
    wall = drive(server, case, requests)
    if converge:
        server.converge()
    return Rates(requests / (server.cpu_seconds() - before), wall)


def rounds(arguments: argparse.Namespace) -> Iterator[tuple[str, Case, Rates]]:
    """Yield the server, case and rates of each run. Every case runs on each server in turn."""
    with ExitStack() as stack:
        regions = [*stack.enter_context(database()), stack.enter_context(region_alone())]
        servers = {
            "redis": stack.enter_context(redis_server()),
            "ours": regions[0],
            "alone": regions[-1],
        }
        for _ in range(arguments.rounds):
            for pipeline in arguments.pipelines:
                requests = max(1_000, int(REQUESTS[pipeline] * arguments.scale))
                for command in arguments.commands:
                    case = (command, pipeline)
                    for who, server in servers.items():
                        converge = who == "ours"
                        yield who, case, measure(server, case, requests, converge=converge)
                for server in servers.values():
                    server.client().flushall()
                for region in regions:
                    region.tidy()


def table(
    title: str, pipelines: list[int], commands: list[str], cell: Callable[[Case], str]
) -> None:
    """Print a row for each command, with a column for each pipeline."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    shown.add_column("")
    for pipeline in pipelines:
        shown.add_column(f"pipeline {pipeline}", justify="right", min_width=22)
    for command in commands:
        shown.add_row(command, *(cell((command, pipeline)) for pipeline in pipelines))
    console.print(shown)


def report(results: dict[str, Results], arguments: argparse.Namespace) -> None:
    """Print the medians of all ratios, first those of CPU time."""

    def ratio(case: Case, over: str, rate: Callable[[Rates], float]) -> float:
        pairs = zip(results["ours"][case], results[over][case], strict=True)
        return median(rate(ours) / rate(theirs) for ours, theirs in pairs)

    def thousands(who: str, case: Case) -> str:
        return f"{median(rates.cpu for rates in results[who][case]) / 1_000:,.0f}"

    def by_cpu(case: Case) -> str:
        bar = BARS.get(case[0], {}).get(case[1])
        wanted = f", bar {bar:.2f}" if bar else ""
        rates = f"{thousands('ours', case)} / {thousands('redis', case)}"
        return f"{ratio(case, 'redis', lambda rates: rates.cpu):.2f} ({rates}{wanted})"

    def by_wall(case: Case) -> str:
        return f"{ratio(case, 'redis', lambda rates: rates.wall):.2f}"

    def cost(case: Case) -> str:
        kept = ratio(case, "alone", lambda rates: rates.cpu)
        return f"{1 - kept:.0%} of {thousands('alone', case)}"

    def show(title: str, cell: Callable[[Case], str]) -> None:
        table(title, arguments.pipelines, arguments.commands, cell)

    show("Commands per second of server CPU, crdb / redis-server (thousands)", by_cpu)
    show("Commands per second of the wall clock, crdb / redis-server", by_wall)
    show("Loss of CPU rate with two live peers (thousands, alone)", cost)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of requests")
    parser.add_argument("--pipelines", type=int, nargs="+", default=list(REQUESTS))
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS), choices=COMMANDS)
    arguments = parser.parse_args()
    results: dict[str, Results] = defaultdict(lambda: defaultdict(list))
    for who, case, rates in rounds(arguments):
        results[who][case].append(rates)
    report(results, arguments)


if __name__ == "__main__":
    main()
