"""Show three regions, a cut and how they converge, with a stock Redis client in 20 seconds.

    crdb demo

It starts `crdb up` with real TCP links and the measured latencies of three cloud regions. It writes
on both sides of a cut and shows what each side reads. Then it heals the cut and shows what all
regions read, and why. The exit status is 0 only if all regions read the expected values.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import attrs
import redis
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crdb.cli.main import ending_signals
from crdb.cli.standard_output import discard_output
from crdb.deployment.region_config import LINK_PORT_OFFSET
from geo import Catalog

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-1")
STOP_SECONDS_MAX: Final = 10.0
CONVERGE_MS: Final = 10_000
PAUSE_SECONDS: Final = 2.2
WIDTH: Final = 80  # columns, if the output is not a terminal
LATER_SECONDS: Final = 0.01  # so that two writes have different wall clocks


@attrs.frozen
class Conflict:
    """A type, the writes of both sides of the cut, and the value that all must read then."""

    title: str
    before: tuple[str, ...]
    alone: tuple[str, ...]
    together: tuple[str, ...]
    read: tuple[str, ...]
    expected: object
    why: str


CONFLICTS: Final = (
    Conflict(
        "counter",
        ("SET", "visits", "100"),
        ("INCRBY", "visits", "7"),
        ("INCRBY", "visits", "3"),
        ("GET", "visits"),
        "110",
        "increments of all regions add up",
    ),
    Conflict(
        "set",
        ("SADD", "cart", "milk", "eggs"),
        ("SREM", "cart", "milk"),
        ("SADD", "cart", "milk", "tea"),
        ("SMEMBERS", "cart"),
        {"milk", "eggs", "tea"},
        "the remove had not seen the new milk",
    ),
    Conflict(
        "string",
        ("SET", "title", "draft"),
        ("SET", "title", "by us"),
        ("SET", "title", "by eu"),
        ("GET", "title"),
        "by eu",
        "the later write wins, everywhere",
    ),
    Conflict(
        "sorted set",
        ("ZADD", "top", "4", "ada"),
        ("ZREM", "top", "ada"),
        ("ZINCRBY", "top", "2", "ada"),
        ("ZSCORE", "top", "ada"),
        2.0,
        "the remove took the 4 it saw, not the 2",
    ),
    Conflict(
        "list",
        ("RPUSH", "todo", "a"),
        ("RPUSH", "todo", "u1", "u2"),
        ("RPUSH", "todo", "e1", "e2"),
        ("LRANGE", "todo", "0", "-1"),
        ["a", "u1", "u2", "e1", "e2"],
        "both stay, each region's run in one piece",
    ),
)


def main() -> int:
    """Run the demo. Return the exit status."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    try:
        with unwound_by_signals(), running_regions() as clients:
            show_regions(console)
            show_visibility(console, clients)
            write_before(clients)
            cut_links(console, clients)
            write_apart(console, clients)
            heal_links(console, clients)
            agreed = show_agreement(console, clients)
    except redis.RedisError as error:
        raise SystemExit(f"the story broke off: {error}") from None
    except OSError as error:  # output cannot be written, so discard what is still buffered
        discard_output()
        raise SystemExit(f"the story broke off: {error}") from None
    console.print("[bold green]converged[/]" if agreed else "[bold red]NOT converged[/]")
    if agreed:
        console.print(
            f"\nYour turn: {command_name()} up --regions {','.join(REGIONS)}", soft_wrap=True
        )
    return 0 if agreed else 1


class Ended(BaseException):
    """Raised in the main thread by a signal that ends the process."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def unwound_by_signals() -> Generator[None]:
    """Leave the block when a signal comes that ends the process, then let the signal end it.

    So the regions are stopped as at the end of the demo. A second signal ends the process
    immediately.
    """

    def leave_block(number: int, _frame: object) -> NoReturn:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        raise Ended(number)

    before = {each: signal.signal(each, leave_block) for each in ending_signals()}
    try:
        yield
    except Ended as ended:
        signal.raise_signal(ended.number)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def command_name() -> str:
    """Return the command by which `crdb` can be called from the working directory."""
    here = os.path.relpath(Path(sys.executable).with_name("crdb"))
    return "crdb" if shutil.which("crdb") or not Path(here).exists() else shlex.quote(here)


@contextmanager
def running_regions() -> Generator[list[Any]]:
    """Run three regions in another process. Yield a client of each; stop them at the end."""
    python = [sys.executable, "-P"] if sys.flags.safe_path else [sys.executable]
    options = ["--json", "--regions", ",".join(REGIONS), "--port", str(free_port_base())]
    with subprocess.Popen(
        [*python, "-m", "crdb", "up", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        clients: list[Any] = []
        try:
            assert process.stdout is not None
            ready: dict[str, Any] = {"event": ""}
            while ready.get("event") not in {"ready", None}:
                ready = json.loads(process.stdout.readline() or "{}")
            if ready.get("event") != "ready":
                raise SystemExit("the regions did not start; see the message above")
            clients = [
                connect_client(region["host"], region["port"]) for region in ready["regions"]
            ]
            yield clients
        finally:
            for client in clients:
                client.close()
            process.terminate()
            process.wait(STOP_SECONDS_MAX)


def connect_client(host: str, port: int) -> Any:
    """Return a stock client. Its types are incomplete, so it is Any here."""
    client: Any = redis.Redis(host=host, port=port, decode_responses=True)
    return client


def free_port_base() -> int:
    """Return a number after which the ports of clients and of links are free. It differs between
    demos that start simultaneously."""
    bases = range(11_000, 22_000, 100)
    first = os.getpid() % len(bases)
    for base in (*bases[first:], *bases[:first]):
        ports = [base + i for i in range(1, len(REGIONS) + 1)]
        if all(is_free(port) and is_free(port + LINK_PORT_OFFSET) for port in ports):
            return base
    raise SystemExit("no free ports between 11000 and 32000")


def is_free(port: int) -> bool:
    """Return whether no process listens on a port of the loopback address."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


def print_heading(console: Console, text: str) -> None:
    """Print the heading of the next step."""
    time.sleep(PAUSE_SECONDS)
    console.print()
    if len(text) + len(" ─") <= console.width:
        console.rule(f"[bold]{text}", align="left")
    else:
        console.print(f"[bold]{text}")


def show_regions(console: Console) -> None:
    """Show the regions and the delays between them."""
    print_heading(
        console, "three regions, each takes writes, linked by TCP with measured latencies"
    )
    catalog = Catalog.shipped()
    table = Table("one way, in ms", *REGIONS, box=SIMPLE)
    for here in REGIONS:
        delays = [catalog.one_way_ns(here, there) / 1e6 for there in REGIONS]
        cells = zip(delays, REGIONS, strict=True)
        table.add_row(here, *("" if there == here else f"{ms:.0f}" for ms, there in cells))
    console.print(table)


def show_visibility(console: Console, clients: Sequence[Any]) -> None:
    """Show that a write is visible elsewhere one link delay later."""
    print_heading(
        console, "a write is visible here immediately, and elsewhere one link delay later"
    )
    for client in clients:
        client.ping()
    start = time.perf_counter()
    clients[0].set("greeting", "hello")
    table = Table.grid("", "", "", padding=(0, 3))
    table.add_row(f"{REGIONS[0]}>", "SET greeting hello", f"OK in {milliseconds(start):.1f} ms")
    for name, client in zip(REGIONS[1:], clients[1:], strict=True):
        table.add_row(f"{name}>", "GET greeting", format_reply(client.get("greeting")))
    for name, client in zip(REGIONS[1:], clients[1:], strict=True):
        while client.get("greeting") is None:
            wait_at_most(start)
        table.add_row(f"{name}>", "GET greeting", f"hello, after {milliseconds(start):.0f} ms")
    console.print(table)


def wait_at_most(start: float) -> None:
    """Wait for 1 ms. Raises SystemExit if more than `CONVERGE_MS` have passed since `start`."""
    if milliseconds(start) > CONVERGE_MS:
        raise SystemExit(f"a write was not visible within {CONVERGE_MS} ms")
    time.sleep(0.001)


def milliseconds(start: float) -> float:
    """Return the time since `start` in ms."""
    return (time.perf_counter() - start) * 1e3


def write_before(clients: Sequence[Any]) -> None:
    """Write the values that all regions have before the cut."""
    for conflict in CONFLICTS:
        clients[0].execute_command(*conflict.before)
    wait_converged(clients)


def wait_converged(clients: Sequence[Any]) -> None:
    """Wait until all regions that live links connect hold the same."""
    for client in clients:
        if client.execute_command("CRDB.SETTLE", CONVERGE_MS) != 1:
            raise SystemExit(f"not converged within {CONVERGE_MS} ms")


def cut_links(console: Console, clients: Sequence[Any]) -> None:
    """Isolate the first region."""
    print_heading(console, "the network is cut: us-east-1 alone, the other two together")
    for other in REGIONS[1:]:
        for here, there in ((REGIONS[0], other), (other, REGIONS[0])):
            clients[0].execute_command("CRDB.LINK", "CUT", here, there)
            console.print(f"CRDB.LINK CUT {here} {there}")


def write_apart(console: Console, clients: Sequence[Any]) -> None:
    """Write the same keys on both sides of the cut."""
    print_heading(console, "both sides go on: every write is acknowledged, nobody waits")
    table = Table("", "before", f"{REGIONS[0]} writes", f"{REGIONS[1]} writes", box=SIMPLE)
    for conflict in CONFLICTS:
        clients[0].execute_command(*conflict.alone)
        time.sleep(LATER_SECONDS)
        clients[1].execute_command(*conflict.together)
        words = [" ".join(c) for c in (conflict.before, conflict.alone, conflict.together)]
        table.add_row(conflict.title, *words)
    console.print(table)
    wait_converged(clients[1:])
    print_heading(console, "what each side reads meanwhile")
    console.print(table_of_reads(clients))


def table_of_reads(clients: Sequence[Any]) -> Table:
    """Return a table of what both sides of the cut read."""
    table = Table("", "read", f"{REGIONS[0]}, alone", "the other two", box=SIMPLE)
    for conflict in CONFLICTS:
        alone, *others = (client.execute_command(*conflict.read) for client in clients)
        together = (
            format_reply(others[0])
            if others[0] == others[1]
            else "  ".join(map(format_reply, others))
        )
        table.add_row(conflict.title, " ".join(conflict.read), format_reply(alone), together)
    return table


def format_reply(value: object) -> str:
    """Return a reply as text for people."""
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(str, cast("set[str]", value)))) + "}"
    if isinstance(value, list):
        return escape("[" + ", ".join(map(str, cast("list[str]", value))) + "]")
    return "(nil)" if value is None else str(value)


def heal_links(console: Console, clients: Sequence[Any]) -> None:
    """Heal the cut, and wait until the regions have converged."""
    print_heading(console, "the network heals")
    start = time.perf_counter()
    clients[0].execute_command("CRDB.LINK", "HEAL", "ALL")
    wait_converged(clients)
    console.print(f"CRDB.LINK HEAL ALL, converged after {milliseconds(start):.0f} ms")


def show_agreement(console: Console, clients: Sequence[Any]) -> bool:
    """Show what all regions read now, and why. Return whether it is what the rules say."""
    print_heading(console, "what all three read now, and why")
    table = Table("", "all three read", "because", box=SIMPLE)
    agreed = True
    for conflict in CONFLICTS:
        values = [client.execute_command(*conflict.read) for client in clients]
        if all(value == conflict.expected for value in values):
            table.add_row(conflict.title, format_reply(conflict.expected), conflict.why)
        else:
            agreed = False
            found = ", ".join(map(format_reply, values))
            table.add_row(
                conflict.title,
                f"[red]{found}",
                f"WRONG: {format_reply(conflict.expected)} expected",
            )
    console.print(table)
    digests = {client.execute_command("CRDB.DIGEST") for client in clients}
    console.print(f"CRDB.DIGEST of each: {', '.join(sorted(digests))}")
    return agreed and len(digests) == 1


if __name__ == "__main__":
    sys.exit(main())
