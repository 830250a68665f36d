"""Measure what one core does when `crdt` is embedded in a program, without a server.

The benchmark increments a counter and adds members to a set. It measures the rate at which one
replica makes and encodes these operations, the rate at which another replica decodes and applies
them, and their size. Then it measures the size of the state of 100,000 keys, and the time to merge
it into an empty replica. Times are CPU times of the process, as medians of a few rounds.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from statistics import median

from rich.table import Table

import crdt.store.keyspace
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from machine import SERVER_CORE, console, pinned_to

ROUNDS = 5
WRITES = 200_000
KEYS = 100_000
NOW = 1_800_000_000_000  # ms; any wall clock will do


def seconds(action: Callable[[], object]) -> float:
    """Return the CPU time of a call, after a garbage collection."""
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def replica(region: int) -> Replica:
    """Return an empty replica with a fixed clock. Its backlog holds all writes of a benchmark."""
    made = Replica(region, members=(1, 2), history_bytes=256 << 20)
    made.advance(NOW)
    return made


def count(writer: Replica) -> None:
    """Increment a counter. Each increment is one call."""
    hits = writer.counter("hits")
    for _ in range(WRITES):
        hits.increment()


def collect(writer: Replica) -> None:
    """Add new members to a set. Each member is one call."""
    cart = writer.set("cart")
    for number in range(WRITES):
        cart.add(f"item:{number:06d}")


def encoded(writer: Replica) -> list[bytes]:
    """Return all operations of the replica, encoded as for a link."""
    return [op.to_bytes() for op in writer.since({})]


def accept(reader: Replica, operations: list[bytes]) -> None:
    """Decode and apply operations."""
    for data in operations:
        reader.accept(Op.from_bytes(data))


def write_and_apply(write: Callable[[Replica], None]) -> tuple[float, float, float]:
    """Return effects written per second, effects applied per second, and bytes per effect."""
    writing: list[float] = []
    applying: list[float] = []
    size = 0
    for _ in range(ROUNDS):
        writer, reader = replica(1), replica(2)
        spent = seconds(lambda writer=writer: write(writer))
        operations: list[bytes] = []
        spent += seconds(lambda writer=writer, out=operations: out.extend(encoded(writer)))
        writing.append(WRITES / spent)
        applying.append(WRITES / seconds(lambda reader=reader, ops=operations: accept(reader, ops)))
        size = sum(map(len, operations))
        assert reader.digest() == writer.digest(), "the replicas have converged"
    return median(writing), median(applying), size / WRITES


def state(value: Callable[[int], str]) -> tuple[int, float]:
    """Return the bytes of a state of 100,000 string keys, and the seconds to merge it."""
    writer = replica(1)
    for number in range(KEYS):
        writer.string(f"k{number:08d}").set(value(number))
    pieces = list(writer.snapshot())
    merging: list[float] = []
    for _ in range(ROUNDS):
        reader = replica(2)
        merging.append(seconds(lambda reader=reader: reader.merge(pieces)))
        assert reader.digest() == writer.digest(), "the replicas have converged"
    return sum(map(len, pieces)), median(merging)


def main() -> None:
    is_compiled = not crdt.store.keyspace.__file__.endswith(".py")
    title = f"Embedded, one core, {'compiled' if is_compiled else 'interpreted'}"
    shown = Table(title=title, title_justify="left")
    for heading in ("", "measured", "bar"):
        shown.add_column(heading, justify="left" if not heading else "right")
    rng = random.Random(1)
    with pinned_to(SERVER_CORE):
        counted, counts_applied, count_bytes = write_and_apply(count)
        added, adds_applied, add_bytes = write_and_apply(collect)
        numbers, numbers_merged = state(str)
        tokens, tokens_merged = state(lambda _: rng.randbytes(8).hex())
    shown.add_row("counter increments a second", f"{counted:,.0f}", "500,000")
    shown.add_row("set adds a second", f"{added:,.0f}", "300,000")
    shown.add_row("remote increments applied a second", f"{counts_applied:,.0f}", "200,000")
    shown.add_row("remote adds applied a second", f"{adds_applied:,.0f}", "200,000")
    shown.add_row("bytes an increment on the wire", f"{count_bytes:.1f}", "30")
    shown.add_row("bytes an add (of 11-byte members) on the wire", f"{add_bytes:.1f}", "30")
    shown.add_row("bytes of 100,000 keys, values small numbers", f"{numbers:,}", "2,000,000")
    shown.add_row("seconds to merge them", f"{numbers_merged:.2f}", "0.5")
    shown.add_row("bytes of 100,000 keys, values random tokens", f"{tokens:,}", "2,000,000")
    shown.add_row("seconds to merge them", f"{tokens_merged:.2f}", "0.5")
    console.print(shown)


if __name__ == "__main__":
    main()
