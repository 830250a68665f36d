"""The checker of leftovers finds wrong bookkeeping and unreleased resources."""

from __future__ import annotations

from collections import deque

import pytest

from crdb.engine.instance import Instance
from crdt.causality.op import Op
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.repair import Gap, RepairPeer
from replication.protocol.limits import MS
from sim.checkers.links.leftovers import LeftoversChecker
from sim.engine.checker import Violation
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import NAMES, checker_of, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(LeftoversChecker)


def expect(world: SimWorld, text: str) -> None:
    """Expect a violation when the world ends."""
    with pytest.raises(Violation, match=text):
        world.check_end()


def eu(world: SimWorld) -> SimRegion:
    return world.sites["eu"]


def instance_of(world: SimWorld) -> Instance:
    return eu(world).instance


def test_waiting_and_watching_clients_are_listed(world: SimWorld) -> None:
    world.run_session("eu", 1, ("WATCH", "a", "b"))
    world.run_session("eu", 2, ("BLPOP", "a", "0.01"))
    world.run_session("eu", 3, ("BLPOP", "a", "0.01"))
    world.run_session("us", 3, ("MULTI",), ("GET", "a"))
    for _ in range(8):
        world.run("eu", "INCR", "n")
    world.sleep(100 * MS)
    world.run_session("eu", 1, ("MULTI",), ("GET", "a"), ("EXEC",))
    world.check_end()
    assert checker_of(world).looked > len(NAMES)


def test_books_that_are_wrong_are_noticed(world: SimWorld) -> None:
    instance_of(world).watched_keys.hold(b"a")
    expect(world, r"clients of eu watch \{\}, but the instance counts \{b'a': 1\}")


def test_client_that_is_gone_is_noticed(world: SimWorld) -> None:
    world.run_session("eu", 1, ("WATCH", "a"))
    clients = instance_of(world).clients
    del clients[max(clients)]
    expect(world, "client 2 of eu is gone and in its books")


def test_key_that_is_not_given_back_is_noticed(world: SimWorld) -> None:
    instance_of(world).keyspace.watched_keys.add(b"a")
    expect(world, r"the instance counts \{\} for \[b'a'\]")


def test_stale_watch_is_found(world: SimWorld) -> None:
    instance_of(world).watching.by_key[b"a"] = {}
    expect(world, "nobody watches b'a' in eu, which keeps it")


def test_leftover_of_transaction_is_caught(world: SimWorld) -> None:
    client = eu(world).sim_client.client
    client.spoiled = True
    expect(world, r"session 1 of eu is in no transaction and has queued \[\]")
    client.spoiled, client.dirty = False, True
    expect(world, "session 1 of eu watches nothing and is marked")


def test_operation_that_waits_is_noticed(world: SimWorld) -> None:
    op = Op(world.sites["us"].replica.origin, 9, 0, {}, ((2, 0, b"k", b"a"),))
    eu(world).replica.causal_buffer.queues[op.origin] = deque([op])
    expect(world, "in eu 1 operations of 2 wait for their turn")


def test_leftover_of_link_is_caught(world: SimWorld) -> None:
    links = eu(world).links
    origin = world.sites["us"].replica.origin
    world.sleep(links.limits.no_link_delay_ns)
    links.repair.gaps[origin] = Gap(3, 0, began=world.now)
    world.check_end()  # a filled gap is dropped at the next look
    links.repair.gaps[origin] = Gap(3, 0, began=-MS)
    expect(world, "in eu a gap is open after 2:3")
    links.repair.gaps.clear()
    for repair_peer in ("us", "gone"):
        links.repair.repair_peers[origin] = RepairPeer(repair_peer, 0)
        expect(world, f"in eu {repair_peer} counts as asked for 2, and is not")
    links.repair.repair_peers.clear()
    links.log_reader.sending = 1
    expect(world, "in eu 1 snapshots are sent, and 0 wait")
    links.log_reader.sending = 0
    eu(world).replica.snapshot()
    expect(world, "in eu 1 snapshots are read")
    del eu(world).replica.keyspace.readers[1]
    links.collects = False
    expect(world, r"in eu clients are refused with \{\}, garbage collected: False")
    links.collects = True
    links.sources["us"].cursor.extra = frozenset({origin})
    expect(world, "in eu 2 is sent to us, which does not ask for it")
    world.sites["us"].links.sinks["eu"].asked = frozenset({origin})
    world.check_end()
    del world.sites["us"].links.sinks["eu"]
    world.check_end()


def test_listed_connection_that_has_ended_is_noticed(world: SimWorld) -> None:
    sink = eu(world).links.sinks["us"]
    sink.close("for a test")
    expect(world, "eu lists a connection with us that has ended")


def test_link_that_brings_nothing_yet_is_noticed(world: SimWorld) -> None:
    eu(world).links.sinks["us"].state = SinkState.RESUMING
    expect(world, "in eu the link from us is resuming")
