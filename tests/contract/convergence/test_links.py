"""After all links are healed, all regions hold and show the same.

Three or four regions write while links are cut, healed and reset at any byte, regions lose their
memory and come back under a new incarnation, backlogs overrun, windows and batches are tiny.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crdt.causality.dots import dominates
from crdt.embed.replica import Replica
from replication.protocol.events import Merged
from replication.protocol.limits import MS, SECOND, Limits
from replication.protocol.peers import Direction
from tests.replication.wire import WireWorld, line, mesh

pytestmark = [pytest.mark.no_cover, pytest.mark.long]  # its parts have tests of their own

BRAVE = Limits(
    window_bytes_max=200,
    batch_bytes_max=60,
    ack_bytes=100,
    silence_ns_max=SECOND,
    scan_ops_max=2,
    snapshots_max=1,
)
TOPOLOGIES = {
    "mesh of three": mesh("a", "b", "c"),
    "mesh of four": mesh("a", "b", "c", "d"),
    "line of four": line("a", "b", "c", "d"),
}
CONVERGE_MS = 60_000

keys = st.sampled_from(["k", "l"])
names = st.sampled_from(["a", "b", "c", "d"])


class Regions(RuleBasedStateMachine):
    """A world of linked regions, and the steps that may happen in it."""

    @initialize(
        topology=st.sampled_from(sorted(TOPOLOGIES)),
        limits=st.sampled_from([Limits(), BRAVE]),
        history_bytes=st.sampled_from([1, 1500, 1 << 20]),
        gate_bytes=st.sampled_from([1, 150, 1 << 20]),
    )
    def begin(self, topology: str, limits: Limits, history_bytes: int, gate_bytes: int) -> None:
        self.world = WireWorld(
            TOPOLOGIES[topology],
            limits=limits,
            history_bytes=history_bytes,
            gate_bytes=gate_bytes,
            delay_ns=10 * MS,
        )
        self.written = 0
        self.seen: dict[tuple[str, int], dict[int, int]] = {}

    def name(self, name: str) -> str:
        return name if name in self.world.sites else "a"

    @rule(name=names, key=keys, kind=st.integers(0, 5))
    def write(self, name: str, key: str, kind: int) -> None:
        site = self.world[self.name(name)]
        if not site.alive:
            return
        self.written += 1
        text = f"v{self.written}"

        def act(replica: Replica) -> object:
            match kind:
                case 0:
                    return replica.string(f"s{key}").set(text)
                case 1:
                    return replica.counter(f"c{key}").add(self.written)
                case 2:
                    return replica.set(f"t{key}").add(text)
                case 3:
                    return replica.keyspace.delete(f"c{key}".encode())
                case 4:
                    return replica.list(f"l{key}").append(text)
                case _:
                    return replica.string(f"s{key}").set(text * 40)

        site.write(act)

    @rule(milliseconds=st.integers(1, 2000))
    def wait(self, milliseconds: int) -> None:
        self.world.run(milliseconds)

    @rule(one=names, other=names, both=st.booleans(), direction=st.sampled_from(Direction))
    def cut(self, one: str, other: str, both: bool, direction: Direction) -> None:
        one, other = self.name(one), self.name(other)
        for source, sink in ((one, other), (other, one))[: 1 + both]:
            if source in self.world[sink].links.peers:
                self.world.cut(source, sink, direction)

    @rule(one=names, other=names)
    def heal(self, one: str, other: str) -> None:
        one, other = self.name(one), self.name(other)
        if one in self.world[other].links.peers:
            self.world.heal_pair(one, other)

    @rule(one=names, other=names, noticing=st.integers(0, 3), damage=st.integers(-3, 200))
    def disturb(self, one: str, other: str, noticing: int, damage: int) -> None:
        wire = self.world[self.name(one)].wires.get(self.name(other))
        if wire is not None and damage >= 0:
            wire.damage = damage
        elif wire is not None and noticing == 3:
            wire.reset()
        elif wire is not None:
            wire.vanish(noticing)

    @rule(name=names)
    def lose_memory(self, name: str) -> None:
        site = self.world[self.name(name)]
        if site.alive and all(other.alive for other in self.world.sites.values()):
            site.crash()

    @rule(name=names)
    def come_back(self, name: str) -> None:
        site = self.world[self.name(name)]
        if not site.alive:
            site.restart()

    @invariant()
    def vectors_only_grow(self) -> None:
        for site in self.world.sites.values():
            life = (site.name, site.incarnation)
            assert dominates(site.replica.vector, self.seen.get(life, {}))
            self.seen[life] = site.replica.vector

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        for site in world.sites.values():
            if not site.alive:
                site.restart()
            for peer in site.peers:
                world.heal_pair(peer.name, site.name)
        for _ in range(CONVERGE_MS // 500):
            world.run(500)
            if world.agrees():
                break
        assert world.agrees(), world.vectors()
        bytes_before = world.bytes
        world.run(2000)
        quiet = sum(len(site.peers) for site in world.sites.values()) * 2 * 10 * 400
        assert world.bytes - bytes_before < quiet, "an idle world only says that it is alive"


TestRegions = Regions.TestCase


def test_newcomer_gets_one_snapshot_and_no_more() -> None:
    world = WireWorld(mesh("a", "b", "c"), history_bytes=1)
    world["c"].crash()
    for number in range(20):
        world["a"].write(lambda r, n=number: r.string(f"a{n}").set("v"))
        world["b"].write(lambda r, n=number: r.string(f"b{n}").set("v"))
    world.run(1000)
    world["c"].restart()
    world.run(3000)
    assert world.agrees()
    assert sum(isinstance(event, Merged) for event in world["c"].events) == 1
