"""Connections of a replica: their admission, and the one that is closed in favour of another."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.machines.sending.source import Source
from replication.mesh.admission import FOLLOWERS_MAX
from replication.mesh.connections import AWAITING_HELLO_MAX, Connections
from replication.protocol.errors import UnknownPeer
from replication.protocol.events import Closed
from replication.protocol.frames import (
    FOLLOWER,
    Eof,
    Hello,
    Refuse,
    Resume,
)
from replication.protocol.limits import Limits
from replication.protocol.peers import Direction, Member
from tests.replication.ends import US, alone, connected, drain, hello, refusal

NOT_LISTED = (
    "'r9' is neither in the file of r1 nor in its own: add it to both, with the same number"
)


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (attrs.evolve(hello(2), name="r9"), NOT_LISTED),
        (
            attrs.evolve(hello(2), cluster="other"),
            "r2 belongs to the CRDB 'other', and r1 to '': give both files the same id",
        ),
        (attrs.evolve(hello(2), region=3), "r2 says it is region 3, not 2"),
        (attrs.evolve(hello(2), origin=make_origin(3)), "r2 says it is region 3, not 2"),
        (attrs.evolve(hello(1), role=FOLLOWER), "r1 cannot follow itself"),
    ],
)
def test_hellos_that_are_refused(greeting: Hello, reason: str) -> None:
    links = alone()
    assert refusal(links, greeting) == reason
    assert list(links.ends()) == []


def test_expected_peer_is_served() -> None:
    links = alone()
    source = connected(links, hello(2))
    assert links.sources == {"r2": source}
    assert links.awaiting_hello == []
    assert links.tallies["r2", Direction.OUT].connects == 1


def test_newer_connection_takes_place_of_older() -> None:
    links = alone()
    older, newer = connected(links, hello(2)), connected(links, hello(2))
    assert drain(older) == [Refuse("replaced by a newer connection")]
    assert links.sources == {"r2": newer}
    first = links.dial("r2", 0)
    second = links.dial("r2", 0)
    assert first.closed
    assert links.sinks == {"r2": second}
    assert links.receive(first, Eof(), 0) == []


def test_source_with_wrong_name_is_refused() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    assert links.receive(sink, hello(3), 0) == [
        Closed(
            "r2",
            Direction.IN,
            "r3 has answered at the address of r2: correct host and link_port of r2 in the file of "
            "r1",
        )
    ]
    assert links.sinks == {}


def test_unknown_peer_is_not_dialled() -> None:
    with pytest.raises(UnknownPeer):
        alone().dial("r9", 0)


def test_unidentified_connections_are_bounded() -> None:
    links = alone()
    first = links.serve(0)
    for _ in range(AWAITING_HELLO_MAX):
        links.serve(0)
    assert first.closed
    assert len(links.awaiting_hello) == AWAITING_HELLO_MAX


def test_followers_are_bounded_and_may_share_name() -> None:
    links = alone()
    greeting = Hello("f", 1, make_origin(1, 3), "", {}, FOLLOWER)
    followers = [connected(links, greeting) for _ in range(FOLLOWERS_MAX)]
    for follower in followers:
        links.receive(follower, Resume({}, None), 0)
    assert links.followers == followers
    assert refusal(links, greeting) == f"r1 has {FOLLOWERS_MAX} followers already"
    assert [row.peer for row in links.statistics(0)[4:]] == ["f"] * FOLLOWERS_MAX
    links.receive(followers[5], Eof(), 0)
    assert len(links.followers) == FOLLOWERS_MAX - 1


def test_idle_follower_is_replaced_by_next() -> None:
    links = alone()
    greeting = Hello("f", 1, make_origin(1, 3), "", {}, FOLLOWER)
    idle = [connected(links, greeting) for _ in range(FOLLOWERS_MAX)]
    honest = connected(links, greeting)
    assert idle[0].closed
    assert links.followers == [*idle[1:], honest]
    itself = Hello("r1", 1, US, "", {}, FOLLOWER)
    assert refusal(links, itself) == "r1 cannot follow itself"
    assert links.followers == [*idle[1:], honest], "who is refused anyway replaces nobody"


def test_connections_alone_cause_nothing() -> None:
    replica = Replica(1)
    connections = Connections(replica, Member("r1", 1, replica.origin), (), Limits())
    source = Source(connections.log_reader, 0)
    for act in (lambda: connections.handle(source, [], 0), lambda: connections.rearm(0)):
        with pytest.raises(NotImplementedError):
            act()
