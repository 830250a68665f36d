"""Messages of other regions, and the queue of messages."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdt.causality.op import Op
from crdt.embed.arriving import ArrivingOp
from crdt.embed.replica import Outcome, Replica
from tests.crdb.raw import NOW, lines


class Site:
    """A region with a client that writes and one that subscribes in RESP3."""

    def __init__(self, number: int) -> None:
        self.replica = Replica(number, members=[1, 2, 3])
        self.instance = Instance(self.replica, build_table())
        self.instance.advance(NOW)
        self.client = Client(self.instance)
        self.subscriber = Client(self.instance)
        lines(self.subscriber, "HELLO 3")

    def run(self, *requests: str) -> list[bytes]:
        """Run requests of the client that writes."""
        return lines(self.client, *requests)

    def subscribe(self, request: str) -> None:
        """Let the subscriber subscribe."""
        lines(self.subscriber, request)

    def op(self) -> Op:
        """Return what was written since the last call, as a peer receives it."""
        op = self.replica.seal()
        assert op is not None
        return Op.from_bytes(op.to_bytes())

    def received(self) -> list[bytes]:
        """Return the payloads of the messages that have come since the last call."""
        self.instance.serve_dirty_keys()
        while not self.instance.slices.is_idle():
            self.instance.slices.run_slice()
        found = receive(self.subscriber, b"")
        return [part.split(b"\r\n")[-2] for part in found.split(b">")[1:]]


@pytest.mark.rule("D-17")
@pytest.mark.rule("PUB-1")
def test_message_reaches_other_region_once() -> None:
    us, eu = Site(1), Site(2)
    eu.subscribe("SUBSCRIBE a")
    eu.subscribe("PSUBSCRIBE a*")
    eu.subscribe("SSUBSCRIBE a")
    us.run("PUBLISH a one", "SPUBLISH a two", "PUBLISH b three")
    op = us.op()
    assert eu.replica.accept(op) is Outcome.APPLIED
    assert eu.replica.accept(op) is Outcome.DUPLICATE
    assert eu.received() == [b"one", b"one", b"two"]


@pytest.mark.rule("PUB-5")
def test_reply_counts_receivers_of_own_region_only() -> None:
    us, eu = Site(1), Site(2)
    us.subscribe("SUBSCRIBE a")
    eu.subscribe("SUBSCRIBE a")
    assert us.run("PUBLISH a one") == [b":1\r\n"]
    assert us.received() == [b"one"]
    eu.replica.accept(us.op())
    assert eu.received() == [b"one"]


@pytest.mark.rule("PUB-1")
def test_message_comes_with_writes_before_it() -> None:
    us, eu = Site(1), Site(2)
    eu.subscribe("SUBSCRIBE a")
    us.run("SET k 1", "PUBLISH a one")
    first = us.op()
    us.run("MULTI", "SET k 2", "PUBLISH a two", "SET k 3", "EXEC")
    second = us.op()
    assert eu.replica.accept(second) is Outcome.HELD
    assert eu.received() == []
    eu.replica.accept(first)
    assert eu.received() == [b"one", b"two"]
    assert eu.run("GET k") == [b"$1\r\n3\r\n"]


@pytest.mark.rule("PUB-1")
def test_message_waits_for_what_its_region_had_seen() -> None:
    us, eu, ap = Site(1), Site(2), Site(3)
    ap.subscribe("SUBSCRIBE a")
    us.run("SET k 1")
    write = us.op()
    eu.replica.accept(write)
    eu.run("PUBLISH a seen")
    ap.replica.accept(eu.op())
    assert ap.received() == []
    ap.replica.accept(write)
    assert ap.received() == [b"seen"]


@pytest.mark.rule("PUB-2")
def test_state_contains_no_message() -> None:
    us, eu = Site(1), Site(2)
    us.run("SET k 1", "PUBLISH a " + "x" * 5000)
    assert len(us.replica.to_bytes()) < 1000
    eu.subscribe("SUBSCRIBE a")
    eu.replica.merge(us.replica.snapshot())
    assert eu.run("GET k") == [b"$1\r\n1\r\n"]
    eu.replica.accept(us.replica.history.since({})[0])
    assert eu.received() == []


@pytest.mark.rule("PUB-2")
def test_partial_resync_brings_each_missed_message_once() -> None:
    us, eu = Site(1), Site(2)
    eu.subscribe("SUBSCRIBE a")
    us.run("PUBLISH a one")
    eu.replica.accept(us.op())
    us.run("PUBLISH a two", "SET k 1")
    us.op()
    for _ in range(2):
        for op in us.replica.history.since({}):
            eu.replica.accept(Op.from_bytes(op.to_bytes()))
    assert eu.received() == [b"one", b"two"]


@pytest.mark.rule("PUB-3")
def test_own_messages_do_not_come_back_after_restart() -> None:
    us, eu = Site(1), Site(2)
    us.run("PUBLISH a one")
    eu.replica.accept(us.op())
    again = Site(1)
    again.replica.reincarnate(again.replica.origin + 1)
    again.subscribe("SUBSCRIBE a")
    for op in eu.replica.since({}):
        assert again.replica.accept(op) is Outcome.APPLIED
    assert again.received() == []


@pytest.mark.rule("PUB-1")
def test_large_operation_delivers_messages_when_it_begins() -> None:
    us, eu = Site(1), Site(2)
    eu.replica.work_in_slices(10, 5)
    eu.subscribe("SUBSCRIBE a")
    us.run("MULTI", *[f"SET k{n} {n}" for n in range(20)], "PUBLISH a one", "SET k0 new", "EXEC")
    eu.replica.accept(us.op())
    assert not eu.replica.is_settled()
    eu.instance.serve_dirty_keys()
    assert b"one" in receive(eu.subscriber, b"")
    assert eu.run("GET k0", "GET k19") == [b"$3\r\nnew\r\n", b"$2\r\n19\r\n"]


@pytest.mark.rule("PUB-1")
def test_operation_received_in_parts_delivers_its_messages() -> None:
    us, eu = Site(1), Site(2)
    eu.replica.work_in_slices(10, 5)
    eu.subscribe("SUBSCRIBE a")
    sets = [f"SET k{n} {n}" for n in range(20)]
    us.run("MULTI", *sets, "PUBLISH a one", "FLUSHALL", "PUBLISH a two", "SET k 1", "EXEC")
    data = us.op().to_bytes()
    arriving = ArrivingOp(eu.replica)
    for start in range(0, len(data), 50):
        arriving.feed(data[start : start + 50])
    assert arriving.finish() is Outcome.APPLIED
    assert eu.received() == [b"one", b"two"]
    assert eu.run("DBSIZE") == [b":1\r\n"]


def test_message_changes_no_watched_key() -> None:
    us, eu = Site(1), Site(2)
    eu.run('WATCH ""', "WATCH a", "MULTI", "SET k 1")
    us.run("PUBLISH a one")
    eu.replica.accept(us.op())
    assert eu.run("EXEC") == [b"*1\r\n+OK\r\n"]


def test_messages_of_other_regions_have_patterns_looked_up_in_slices() -> None:
    us, eu = Site(1), Site(2)
    eu.instance.hub.slice_receivers = 4
    eu.subscribe("PSUBSCRIBE " + " ".join(f"a*{n}" for n in range(100)))
    eu.subscribe("SUBSCRIBE a1 a2")
    us.run("PUBLISH a1 one", "SPUBLISH a1 two", "PUBLISH a21 three")
    eu.replica.accept(us.op())
    hub = eu.instance.hub
    slices = 0
    while hub.queue:
        hub.run_slice(10)
        slices += 1
    assert slices > 10
    assert hub.queued == 0
    assert eu.received() == [b"one", b"one", b"three", b"three"]


def test_pattern_that_is_gone_is_skipped() -> None:
    us, eu = Site(1), Site(2)
    eu.instance.hub.slice_receivers = 1
    eu.subscribe("PSUBSCRIBE " + " ".join(f"a*{n}" for n in range(20)))
    us.run("PUBLISH a19 one")
    eu.replica.accept(us.op())
    eu.instance.hub.deliver_slice()
    (reply,) = lines(eu.subscriber, "PUNSUBSCRIBE a*9")
    assert (reply.count(b"pmessage"), eu.received()) == (1, [])


def test_messages_come_no_faster_than_they_are_delivered() -> None:
    us, eu = Site(1), Site(2)
    eu.instance.hub.queue_max = 3
    eu.subscribe("SUBSCRIBE a")
    us.run(*[f"PUBLISH a {n}" for n in range(10)])
    eu.replica.accept(us.op())
    assert eu.instance.hub.queued < 10
    assert eu.received() == [b"%d" % n for n in range(10)]
