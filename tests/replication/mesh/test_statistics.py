"""Statistics of links."""

from __future__ import annotations

from crdt.causality.dots import INCARNATION_BITS
from replication.protocol.limits import MS
from replication.protocol.peers import Direction, Peer
from tests.replication.wire import WireWorld, mesh

IN, OUT = Direction.IN, Direction.OUT


def test_statistics_of_each_link() -> None:
    world = WireWorld({**mesh("a", "b"), "c": []}, delay_ns=10 * MS)
    world["a"].peers = [*world["a"].peers]
    world["a"].links.peers["c"] = Peer("c", 3, (), serves=False)
    world.run(300)
    world["b"].write(lambda r: r.string("x").set("v"))
    world.run(5)
    incoming, outgoing = world["a"].links.statistics(world.now)
    assert (incoming.direction, incoming.state, incoming.stage) == (IN, "streaming", "")
    assert (outgoing.direction, outgoing.state, outgoing.stage) == (OUT, "sending", "streaming")
    assert incoming.rtt_ms == 20
    assert incoming.lag_ms == 10
    assert incoming.connects == outgoing.connects == 1
    assert (incoming.partial_ok, incoming.full, incoming.last_error) == (1, 0, "")
    (_, sending) = world["b"].links.statistics(world.now)
    assert (sending.behind, sending.ops) == (1, 1)
    world.run(100)
    (_, sending) = world["b"].links.statistics(world.now)
    assert (sending.behind, sending.acknowledged) == (0, {2 << INCARNATION_BITS: 1})
