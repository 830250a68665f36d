"""The role of an instance: permitted commands while it follows others, and its report."""

from __future__ import annotations

import attrs
import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.environment.follow_control import CannotBeFollower
from crdb.engine.errors import READ_ONLY
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.region.core.following import BECAME_REPLICA, MASTERDOWN, FollowerRole
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.protocol.frames import Eof
from replication.protocol.peers import Member, Peer
from tests.crdb.events import Named, collector

HERE = ["127.0.0.1"]


@attrs.frozen
class RoleHarness:
    """An instance's role, and its reports."""

    role: FollowerRole
    instance: Instance
    events: list[Named]

    def send(self, request: bytes) -> bytes:
        return receive(Client(self.instance), request)


def active(peers: list[Peer] | None = None) -> RoleHarness:
    replica = Replica(1)
    instance = Instance(replica, build_table())
    links = Links(replica, Member("f", 1, replica.origin), peers or [])
    events: list[Named] = []

    role = FollowerRole(instance, links, report=collector(events), clock=lambda: 7)
    return RoleHarness(role, instance, events)


def test_copy_is_read_only_until_promoted() -> None:
    here = active()
    waiting = Client(here.instance)
    assert receive(waiting, b"BLPOP q 0\r\n") == b""
    follower = here.role.follow(["s"], HERE)
    assert here.role.follower is follower
    assert here.instance.role == b"replica"
    assert here.send(b"SET k v\r\n") == b"-" + READ_ONLY + b"\r\n"
    assert receive(waiting, b"") == b"-" + BECAME_REPLICA + b"\r\n"
    here.role.promote()
    assert here.instance.role == b"master"
    assert here.send(b"SET k v\r\n") == b"+OK\r\n"
    assert here.events == [("following", {"sources": ["s"]}), ("promoted", {})]
    assert here.role.promote() == []
    assert len(here.events) == 2


def test_second_sources_replace_first() -> None:
    here = active()
    first = here.role.follow(["s"], HERE)
    second = here.role.follow(["t"], HERE)
    assert not first.following
    assert second.following
    assert here.role.follower is second


def test_region_with_peers_cannot_follow() -> None:
    here = active([Peer("us", 2, (2,))])
    with pytest.raises(CannotBeFollower, match="linked with others"):
        here.role.follow(["s"], HERE)
    assert here.events == []


@pytest.mark.parametrize("names", [[], ["s", "s"], [f"s{n}" for n in range(33)]])
def test_sources_must_differ_and_be_few(names: list[str]) -> None:
    here = active()
    with pytest.raises(CannotBeFollower, match="from one to 32 different sources"):
        here.role.follow(names, HERE)
    assert here.role.follower is None


def test_sources_elsewhere_need_secret() -> None:
    here = active()
    with pytest.raises(CannotBeFollower, match="only what runs on this machine"):
        here.role.follow(["s", "t"], ["127.0.0.1", "192.0.2.1"])
    here.role.has_secret = True
    here.role.follow(["s", "t"], ["127.0.0.1", "192.0.2.1"])


def test_reads_are_refused_while_source_is_away() -> None:
    here = active()
    here.role.follow(["s"], HERE)
    assert here.send(b"GET k\r\n") == b"$-1\r\n"
    here.send(b"CONFIG SET replica-serve-stale-data no\r\n")
    assert here.send(b"GET k\r\n") == b"-" + MASTERDOWN + b"\r\n"
    here.role.promote()
    assert here.send(b"GET k\r\n") == b"$-1\r\n"


def test_reads_are_served_while_source_is_connected() -> None:
    here = active()
    follower = here.role.follow(["s"], HERE)
    here.send(b"CONFIG SET replica-serve-stale-data no\r\n")
    source = Links(Replica(2), Member("s", 2, Replica(2).origin))
    sink, end = follower.dial("s", 0), source.serve(0)
    for _ in range(4):
        for frame in sink.frames_to_send():
            source.receive(end, frame, 0)
        for frame in end.frames_to_send():
            follower.receive(sink, frame, 0)
    here.role.refuse_reads()
    assert here.send(b"GET k\r\n") == b"$-1\r\n"
    follower.receive(sink, Eof("reset"), 0)
    here.role.refuse_reads()
    assert here.send(b"GET k\r\n") == b"-" + MASTERDOWN + b"\r\n"


def test_view_shows_worst_source() -> None:
    here = active()
    assert here.role.describe() == "active"
    here.role.follow(["s"], HERE)
    assert here.role.describe() == "read-only copy, out-of-sync"
    assert here.role.first_source_state() == "connect"
