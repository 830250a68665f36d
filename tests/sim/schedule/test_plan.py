"""The plan of a world."""

from __future__ import annotations

import attrs
import pytest

from crdb.deployment.config_file import read_config
from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from crdt.types.list import List
from geo.latency import Latency, ms
from sim.schedule.plan import CLUSTER, NEAR, USUAL, Copy, Plan, Tuning
from sim.world.world import SimWorld


def test_regions_are_numbered_and_start_once() -> None:
    plan = Plan.of(["eu", "us"])
    assert plan.region_names == ("eu", "us")
    member = SimWorld(plan).sites["us"].links.member
    assert (member.name, member.region, member.origin) == ("us", 2, make_origin(2))
    assert member.cluster == CLUSTER


@pytest.mark.parametrize(
    ("topology", "peers"),
    [("mesh", ["a", "c", "d"]), ("ring", ["a", "c"]), ("star", ["a"]), ("line", ["a", "c"])],
)
def test_topology_defines_links(topology: str, peers: list[str]) -> None:
    plan = Plan.of(["a", "b", "c", "d"], topology=topology)
    assert sorted(SimWorld(plan).sites["b"].links.peers) == peers


def test_mesh_sends_own_ops_and_line_relays() -> None:
    mesh = SimWorld(Plan.of(["a", "b", "c"])).sites["a"].links.peers
    assert {name: peer.routes for name, peer in mesh.items()} == {"b": (2,), "c": (3,)}
    (line,) = SimWorld(Plan.of(["a", "b", "c"], topology="line")).sites["a"].links.peers.values()
    assert set(line.routes or ()) == {2, 3}


def test_region_may_be_tuned_by_itself() -> None:
    small = Tuning(history_bytes=400)
    plan = attrs.evolve(Plan.of(["a", "b"]), tunings={"b": small})
    assert plan.tuning_of("a") is USUAL
    assert plan.tuning_of("b") is small
    assert Plan.of(["a"], tuning=small).tuning_of("a") is small


def test_delays_are_given_or_measured_or_none() -> None:
    assert Plan.of(["a", "b"], delay_ms=20.0).latency_between("a", "b") == Latency.constant(ms(20))
    assert Plan.of(["a", "b"]).latency_between("a", "b") == Latency.constant(0)
    measured = Plan.of(["us-east-1", "ap-southeast-1"]).latency_between(
        "us-east-1", "ap-southeast-1"
    )
    assert ms(60) < measured.mean_ns < ms(200)


def test_one_way_may_have_delay_of_its_own() -> None:
    slow = Latency.constant(ms(900))
    plan = attrs.evolve(Plan.of(["a", "b"], delay_ms=20), latencies={("a", "b"): slow})
    assert plan.latency_between("a", "b") is slow
    assert plan.latency_between("b", "a") == Latency.constant(ms(20))


def test_configuration_may_give_unmeasured_delays() -> None:
    config = read_config("""
        [[region]]
        name = "us-east-1"
        port = 7001
        [[region]]
        name = "mars"
        port = 7002
        [link]
        delay = "measured"
        delays = [["us-east-1", "mars", 7_000], ["mars", "us-east-1", 8_000]]
    """)
    assert Plan(config).latency_between("us-east-1", "mars") == Latency.constant(ms(7_000))
    assert Plan(config).latency_between("mars", "us-east-1") == Latency.constant(ms(8_000))


def test_followers_are_near_their_sources() -> None:
    copy = Copy("f", 255, ("a",))
    plan = attrs.evolve(Plan.of(["a", "b"], delay_ms=500), copies=(copy,))
    assert plan.process_names == ("a", "b", "f")
    assert plan.region_names == ("a", "b")
    assert plan.latency_between("a", "f") == plan.latency_between("f", "a") == NEAR
    assert attrs.evolve(plan, near=Latency.constant(7)).latency_between(
        "f", "b"
    ) == Latency.constant(7)


def test_replica_is_furnished_with_sizes_of_its_region() -> None:
    tuning = Tuning(waiting_bytes=300, op_bytes=60, block_max=2)
    replica = tuning.make_replica(make_origin(1), [1, 2])
    assert replica.op_bytes == 60
    assert replica.causal_buffer.limit == 300
    replica.list("log").extend(["a", "b", "c"])
    held = replica.keyspace.data[b"log"]
    assert isinstance(held, List)
    blocks = held.items.groups[0].blocks
    assert [len(block.things) for block in blocks] == [2, 1]
    twin = Replica(2)
    twin.list("log").append("d")
    replica.merge(twin.snapshot())
    assert isinstance(held, List)
    assert held.items.block_max == 2
