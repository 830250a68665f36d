"""Measure the time until a write is visible in another region, without the delay of the link.

The first of three regions receives 10,000 writes a second. A client blocks in BLPOP on a key of the
second region, and another client pushes to that key in the first region. The figure is the time
from sending the push until the blocked client has its element. It includes the work of both servers
and both clients, so it is an upper limit.

A process on each core also sleeps for a millisecond repeatedly, and measures how late it wakes up.
The machine adds this delay several times on the path of one write.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import select
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from statistics import quantiles

from rich.table import Table

from crdb.resp.decoder import ReplyDecoder
from driver import connect, request
from machine import DRIVER_CORE, SERVER_CORE, Server, console, pinned_to
from regions import database

RATE = 10_000  # writes a second
KEYS = 100_000
TURN_SECONDS = 0.001  # the writer's pause before it sends the requests that are due
CONVERGE_SECONDS = 0.002  # between blocking in one region and pushing in another
WARM_UP_SECONDS = 1.0
REPLY_SECONDS_MAX = 20.0
BAR_MEDIAN_MS, BAR_P99_MS = 2.0, 5.0


def received(client: socket.socket, *, ending: bytes) -> None:
    """Wait for one reply, which must end with `ending`."""
    decoder = ReplyDecoder()
    while (found := decoder.next()) is None:
        data = client.recv(65_536)
        if not data:
            raise SystemExit(f"the server closed the connection after {decoder.pending!r}")
        decoder.feed(data)
    if not found[0].endswith(ending):
        raise SystemExit(f"the server replied {found[0]!r}")


def write_steadily(port: int, rate: int, *, enough: Event) -> None:
    """Send `rate` SETs a second to random keys until `enough` is set. Only count the replies."""
    rng = random.Random(1)
    value = "x" * 16
    writes = [request("SET", f"k{rng.randrange(KEYS):08d}", value) for _ in range(KEYS)]
    client = connect(port)
    sent = answered = 0
    start = time.monotonic()
    while not enough.is_set():
        due = int((time.monotonic() - start) * rate)
        if due > sent:
            client.sendall(b"".join(writes[number % KEYS] for number in range(sent, due)))
            sent = due
        time.sleep(TURN_SECONDS)
        if select.select([client], [], [], 0)[0]:
            answered += client.recv(1 << 20).count(b"\n")
        if answered > sent:
            raise SystemExit(f"{answered} replies to {sent} writes")


@contextmanager
def written(server: Server, rate: int) -> Generator[None]:
    """Send `rate` writes a second to the server while the block runs."""
    enough = multiprocessing.Event()
    options = {"enough": enough}
    writer = multiprocessing.Process(
        target=write_steadily, args=(server.port, rate), kwargs=options
    )
    with pinned_to(DRIVER_CORE):
        writer.start()
    try:
        time.sleep(WARM_UP_SECONDS)
        yield
    finally:
        enough.set()
        writer.join(REPLY_SECONDS_MAX)
        if writer.is_alive():
            writer.kill()
    if writer.exitcode:
        raise SystemExit("the writer failed")


def probe(here: Server, there: Server, count: int) -> list[float]:
    """Return the seconds from a push on `here` to the pop on `there`, `count` times."""
    rng = random.Random(2)
    found: list[float] = []
    with connect(here.port) as pusher, connect(there.port) as popper:
        for number in range(count):
            key = f"probe:{number}"
            popper.sendall(request("BLPOP", key, str(int(REPLY_SECONDS_MAX))))
            time.sleep(CONVERGE_SECONDS * (1 + rng.random()))
            start = time.monotonic()
            pusher.sendall(request("LPUSH", key, "seen"))
            received(popper, ending=b"seen\r\n")
            found.append(time.monotonic() - start)
            received(pusher, ending=b":1\r\n")
    return found


def doze(core: int, late: Queue[list[float]], enough: Event) -> None:
    """Sleep for 1 ms repeatedly until `enough` is set. Put the delays in seconds on `late`."""
    found: list[float] = []
    with pinned_to(core):
        while not enough.is_set():
            start = time.monotonic()
            time.sleep(TURN_SECONDS)
            found.append(time.monotonic() - start - TURN_SECONDS)
    late.put(found)


@contextmanager
def dozing(found: list[float]) -> Generator[None]:
    """Run a sleeper on each core while the block runs. Then add their delays to `found`."""
    enough = multiprocessing.Event()
    late: Queue[list[float]] = multiprocessing.Queue()
    sleepers = [
        multiprocessing.Process(target=doze, args=(core, late, enough), daemon=True)
        for core in (SERVER_CORE, DRIVER_CORE)
    ]
    for sleeper in sleepers:
        sleeper.start()
    try:
        yield
    finally:
        enough.set()
    for sleeper in sleepers:
        found += late.get(timeout=REPLY_SECONDS_MAX)
        sleeper.join(REPLY_SECONDS_MAX)


def measure(delay_ms: float, arguments: argparse.Namespace, late: list[float]) -> list[float]:
    """Return the milliseconds until visible, less the link's delay, for each probe.

    Add the delays of the sleepers, in seconds, to `late`.
    """
    with (
        database(delay_ms=delay_ms) as (here, there, _),
        written(here, arguments.rate),
        dozing(late),
    ):
        before = here.client().dbsize()
        found = probe(here, there, arguments.probes)
        assert not arguments.rate or here.client().dbsize() > before, "nothing was written"
    return [seconds * 1_000 - delay_ms for seconds in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, default=RATE, help="writes a second")
    parser.add_argument("--probes", type=int, default=400)
    parser.add_argument("--delays", type=float, nargs="+", default=[0.0, 40.0], help="ms one way")
    arguments = parser.parse_args()
    title = f"Milliseconds until a write is visible elsewhere ({arguments.rate:,} writes/s)"
    shown = Table(title=title, title_justify="left", min_width=len(title))
    for heading in ("link delay", "median", "p99", "worst", "a sleeper's p99", "worst"):
        shown.add_column(heading, justify="right")
    with pinned_to(DRIVER_CORE):
        for delay in arguments.delays:
            late: list[float] = []
            found = measure(delay, arguments, late)
            cuts, slept = quantiles(found, n=100), [1_000 * seconds for seconds in late]
            figures = (cuts[49], cuts[98], max(found), quantiles(slept, n=100)[98], max(slept))
            shown.add_row(f"{delay:.0f} ms", *(f"{figure:.2f}" for figure in figures))
    shown.add_row("bar", f"{BAR_MEDIAN_MS:.2f}", f"{BAR_P99_MS:.2f}", "")
    console.print(shown)


if __name__ == "__main__":
    main()
