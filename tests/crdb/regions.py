"""Regions without links, each with an instance and a client. Tests move the operations.

    regions = Regions(2)
    regions.run(1, "SADD", "s", "a")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a"]

Operations are sent as bytes. All regions share the clock `now`, which only the tests move.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import cast

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp.decoder import Reply
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from tests.crdb.redis_peer import Word, decode, encode, request

START_MS = 1_700_000_000_000


class Regions:
    """Regions 1 to `count`."""

    def __init__(self, count: int = 2) -> None:
        numbers = range(1, count + 1)
        self.now = START_MS
        self.replicas = {n: Replica(n, members=numbers) for n in numbers}
        self.instances = {
            n: Instance(replica, build_table(), name=f"region-{n}", rng=Random(n))
            for n, replica in self.replicas.items()
        }
        self.clients = {n: Client(instance) for n, instance in self.instances.items()}

    def run(self, region: int, *words: Word) -> Reply:
        """Run one command in one region. Return its reply."""
        return self.transaction(region, words)[0]

    def transaction(self, region: int, *commands: Sequence[Word]) -> list[Reply]:
        """Run commands in one region as one operation. Return their replies."""
        self.instances[region].advance(self.now)
        client = self.clients[region]
        replies = [decode(receive(client, request(encode(words)))) for words in commands]
        self.replicas[region].seal()
        return replies

    def send(self, source: int, sink: int) -> None:
        """Send one region the operations that another has and it lacks."""
        self.instances[sink].advance(self.now)
        for op in self.replicas[source].since(self.replicas[sink].vector):
            self.replicas[sink].accept(Op.from_bytes(op.to_bytes()))
        self.instances[sink].serve_dirty_keys()

    def merge(self, source: int, sink: int) -> None:
        """Merge a snapshot of one region into another."""
        self.instances[sink].advance(self.now)
        self.replicas[sink].merge(list(self.replicas[source].snapshot()))
        self.instances[sink].serve_dirty_keys()

    def collect(self) -> None:
        """Let all regions exchange reports, and collect garbage."""
        for sink, replica in self.replicas.items():
            for source, other in self.replicas.items():
                if source != sink:
                    replica.record_report(source, other.vector, self.now)
            replica.collect()

    def sync(self) -> None:
        """Send everything to all regions, and check that they converge."""
        for _ in range(2):  # the second round is for regions that pass on what they received
            for source in self.replicas:
                for sink in self.replicas:
                    if source != sink:
                        self.send(source, sink)
        vectors = [replica.vector for replica in self.replicas.values()]
        assert all(vector == vectors[0] for vector in vectors)
        assert len({replica.digest() for replica in self.replicas.values()}) == 1

    def everywhere(self, *words: Word) -> Reply:
        """Return the reply to a read, which all regions must give. Arrays are sorted."""
        replies = [self.run(region, *words) for region in self.clients]
        for reply in replies:
            if isinstance(reply, list):
                cast("list[bytes]", reply).sort()
        assert all(reply == replies[0] for reply in replies), replies
        return replies[0]


def both(
    region_1: tuple[Word, ...], region_2: tuple[Word, ...], *setup: tuple[Word, ...]
) -> Regions:
    """Return two regions that have converged after a concurrent write of each.

    Both have seen the commands in `setup`. Region 2 writes 1 ms later than region 1.
    """
    regions = Regions(2)
    for words in setup:
        regions.run(1, *words)
    regions.sync()
    regions.now += 10
    regions.run(1, *region_1)
    regions.now += 1
    regions.run(2, *region_2)
    regions.sync()
    return regions
