"""Compare crdb with a real redis-server, in commands per second of server CPU.

Both servers run on core 0. `redis-benchmark` sends commands to them in turn from core 1, with 50
clients and random keys out of 100,000. The measured region is one of three. Its two live peers
share core 1 with `redis-benchmark`. The figures include the CPU time after a write's reply, until
both peers have the write. Commands per second of CPU are stable on a busy machine, so they are
printed first. Commands per second of the wall clock follow.

Some commands need data. It is written before the run, and is not measured.

    python bench/server.py --rounds 3 --scale 1.0 --case SET GET        (about a minute)
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median

import attrs
from rich.table import Table

from driver import Driver
from machine import Server, console, redis_server
from regions import database, region_alone
from requests_by_benchmark import drive
from results import guarded, parsed, parser_for, write_figures
from server_cases import BARS, COMMANDS
from subscribers import subscribers

# Requests of a run by pipeline. They take redis-server about 1 s of CPU, for exact ratios.
REQUESTS = {1: 100_000, 16: 600_000, 64: 1_000_000}
QUICK_SCALE = 0.01


@attrs.frozen
class Rates:
    """A run's commands per second of the server's CPU, and of the wall clock."""

    cpu: float
    wall: float


Case = tuple[str, int]  # command, pipeline
Results = dict[Case, list[Rates]]  # one entry a round


def measure(server: Server, case: Case, requests: int) -> Rates:
    """Measure one run. It ends when all regions have every write."""
    command, pipeline = COMMANDS[case[0]], case[1]
    with Driver(server) as driver:
        for words in command.setup:
            driver.ask(*words)
        if command.data is not None:
            driver.load(command.data(requests), 20)
    is_ours = server.name != "redis-server"
    if is_ours:
        server.converge()
    with subscribers(server, command.subscribers):
        before = server.cpu_seconds()
        wall = drive(server, requests, pipeline, command.what, command.keys)
        if is_ours:
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
        for region in regions:  # so that a request may name the id of a stream's entry
            region.client().config_set("crdt-xadd-id-uniqueness-mode", "semi-strict")
        for number in range(1, arguments.rounds + 1):
            for pipeline in arguments.pipelines:
                console.print(f"[dim]round {number} of {arguments.rounds}, pipeline {pipeline}")
                for command in arguments.case:
                    case = (command, pipeline)
                    scaled = REQUESTS[pipeline] * arguments.scale / COMMANDS[command].cost
                    for who, server in servers.items():
                        yield who, case, measure(server, case, max(1_000, int(scaled)))
                    if COMMANDS[command].data is not None or COMMANDS[command].setup:
                        empty(list(servers.values()), regions)
                empty(list(servers.values()), regions)


def empty(servers: list[Server], regions: list[Server]) -> None:
    """Delete all keys, and wait until the remains have been collected."""
    for server in servers:
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


def ratio(results: dict[str, Results], case: Case, over: str, field: str = "cpu") -> float:
    """Return the median of the ratios of our rate to that of another server."""
    pairs = zip(results["ours"][case], results[over][case], strict=True)
    return median(getattr(ours, field) / getattr(theirs, field) for ours, theirs in pairs)


def report(results: dict[str, Results], arguments: argparse.Namespace) -> None:
    """Print the medians of all ratios, first those of CPU time."""

    def thousands(who: str, case: Case) -> str:
        return f"{median(rates.cpu for rates in results[who][case]) / 1_000:,.0f}"

    def by_cpu(case: Case) -> str:
        rates = f"{thousands('ours', case)} / {thousands('redis', case)}"
        return f"{ratio(results, case, 'redis'):.2f} ({rates}, bar {BARS[case[0]][case[1]]:.2f})"

    def by_wall(case: Case) -> str:
        return f"{ratio(results, case, 'redis', 'wall'):.2f}"

    def cost(case: Case) -> str:
        return f"{1 - ratio(results, case, 'alone'):.0%} of {thousands('alone', case)}"

    def show(title: str, cell: Callable[[Case], str]) -> None:
        table(title, arguments.pipelines, arguments.case, cell)

    show("Commands per second of server CPU, crdb / redis-server (thousands)", by_cpu)
    show("Commands per second of the wall clock, crdb / redis-server", by_wall)
    show("Loss of CPU rate with two live peers (thousands, alone)", cost)


def main() -> None:
    parser = parser_for(__doc__, COMMANDS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of requests")
    parser.add_argument("--pipelines", type=int, nargs="+", default=list(REQUESTS))
    arguments = parsed(parser)
    if arguments.quick:
        arguments.rounds, arguments.scale = 1, QUICK_SCALE
    results: dict[str, Results] = defaultdict(lambda: defaultdict(list))
    for who, case, rates in rounds(arguments):
        results[who][case].append(rates)
    report(results, arguments)
    cases = list(results["ours"])
    figures = {
        f"{name}/{pipeline}": ratio(results, (name, pipeline), "redis") for name, pipeline in cases
    }
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
