"""Exchange between replicas in tests: by operations as bytes, or by snapshots."""

from __future__ import annotations

from typing import Any

from crdt import Op, Replica
from crdt.types.base import Value


def deliver_to(source: Replica, *sinks: Replica) -> None:
    """Send the sinks all operations that they lack and the source has, as bytes."""
    for sink in sinks:
        for op in source.since(sink.vector):
            sink.accept(Op.from_bytes(op.to_bytes()))


def exchange(*replicas: Replica) -> None:
    """Let all replicas receive from all."""
    for source in replicas:
        for sink in replicas:
            if source is not sink:
                deliver_to(source, sink)


def regions(count: int = 3, now: int = 1000, **options: Any) -> list[Replica]:
    """Return replicas that know of each other, all at the same time of day."""
    members = range(1, count + 1)
    made = [Replica(region, members=members, **options) for region in members]
    for replica in made:
        replica.advance(now)
    return made


def converge(*replicas: Replica) -> None:
    """Let all replicas exchange operations and reports, and collect garbage, until none is left."""
    for _ in range(3):
        exchange(*replicas)
        for sink in replicas:
            for source in replicas:
                if source is not sink:
                    sink.record_report(source.region, source.vector, source.keyspace.expiry_clock)
        for replica in replicas:
            replica.collect()
    exchange(*replicas)


def held(replica: Replica, key: bytes = b"k") -> Value:
    """Return the value of a key, contested or not."""
    return replica.keyspace.data[key]


def lazy_regions(count: int = 2) -> list[Replica]:
    """Return regions that settle two keys in one slice."""
    made = regions(count)
    for replica in made:
        replica.work_in_slices(2)
    return made


def both_wrote() -> tuple[Replica, Replica]:
    """Return two regions that have written the same strings and some of their own. The first one
    has begun to merge the second one's."""
    here, there = lazy_regions()
    for index in range(6):
        here.string(f"{index}").set("mine")
        there.string(f"{index + 3}").set("theirs")
    here.merge(there.snapshot())
    return here, there
