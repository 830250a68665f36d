"""Two processes that run as one region: their own behaviour, and that of their peers."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from replication.machines.endpoint import ALIVE_HEARTBEATS
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.mesh.rivals import REPLACED, REPLACED_MAX, describe_rival
from replication.protocol.events import (
    Closed,
    Connected,
    Event,
    OriginShared,
    RivalFound,
    RivalGone,
)
from replication.protocol.frames import Eof, Hello, Refuse, Resume, Resumed
from replication.protocol.limits import Limits
from replication.protocol.peers import Direction
from tests.replication.ends import alone, connected, drain, hello, of

ALIVE_NS = ALIVE_HEARTBEATS * Limits().heartbeat_ns
OTHER = attrs.evolve(hello(2), origin=make_origin(2, 9))
"""The Hello of another process that runs as r2."""


def greet(links: Links, sent: Hello, now: int) -> tuple[Source, list[Event]]:
    """Let a process connect. Return the end that serves it, and the events."""
    source = links.serve(now)
    return source, links.receive(source, sent, now)


def dialled(links: Links, sent: Hello, now: int = 0) -> tuple[Sink, list[Event]]:
    """Dial r2, which answers with `sent`."""
    sink = links.dial("r2", now)
    return sink, links.receive(sink, sent, now)


def refused(links: Links, reason: str) -> list[Event]:
    """Dial r2, which refuses us."""
    return links.receive(links.dial("r2", 0), Refuse(reason), 0)


def test_process_that_is_linked_is_kept_while_alive() -> None:
    links = alone()
    first = connected(links, hello(2))
    second, events = greet(links, OTHER, ALIVE_NS)
    reason = "another process runs as r2 and is linked already: stop all but one"
    assert events == [Closed("r2", Direction.OUT, reason)]
    assert drain(second) == [Refuse(reason)]
    assert links.sources == {"r2": first}
    assert links.membership.present[2] == (0, hello(2).origin)


def test_silent_process_is_replaced_by_successor() -> None:
    links = alone()
    first = connected(links, hello(2))
    second, events = greet(links, OTHER, ALIVE_NS + 1)
    assert of(Connected, events)
    assert links.sources == {"r2": second}
    assert first.closed
    assert links.membership.present[2] == (1, OTHER.origin)


def test_process_that_we_have_dialled_is_kept() -> None:
    links = alone()
    sink, _ = dialled(links, hello(2))
    source, events = greet(links, OTHER, 1)
    assert events == [Closed("r2", Direction.OUT, describe_rival("r2"))]
    assert source.closed
    assert not sink.closed


def test_process_that_we_dial_takes_place_of_other() -> None:
    links = alone()
    source = connected(links, OTHER)
    sink, events = dialled(links, hello(2))
    assert of(Connected, events)
    assert drain(source) == [Refuse(describe_rival("r2"))]
    assert not sink.closed
    assert links.membership.present[2] == (1, hello(2).origin)


def test_refused_process_reports_rival_once_until_all_take_it() -> None:
    links = alone()
    reason = describe_rival("r1")
    assert of(RivalFound, refused(links, reason)) == [RivalFound("r2")]
    assert of(RivalFound, refused(links, reason)) == []
    other = links.serve(0)
    links.receive(other, hello(3), 0)
    assert of(RivalFound, links.receive(other, Refuse(reason), 0)) == []
    sink, _ = dialled(links, hello(2))
    assert of(RivalGone, links.receive(sink, Resumed(), 0)) == []
    again = connected(links, hello(3))
    assert of(RivalGone, links.receive(again, Resume({}, ()), 0)) == [RivalGone("r3")]
    assert of(RivalGone, links.receive(again, Resume({}, ()), 0)) == []


def test_own_refusal_does_not_count_as_rival() -> None:
    links = alone()
    connected(links, hello(2))
    assert of(RivalFound, greet(links, OTHER, 0)[1]) == []
    assert of(RivalFound, refused(links, describe_rival("r2"))) == []


def test_peer_that_refuses_for_rival_is_waited_for() -> None:
    """The peer accepts us when it has noticed that our earlier process is gone. Its data may be
    needed."""
    links = alone()
    refused(links, describe_rival("r1"))
    assert "r2" not in links.recovery.missed
    refused(links, "the link is cut")
    assert "r2" in links.recovery.missed


def replaced(links: Links) -> list[Event]:
    """Dial r2, which replaces the connection by that of another process."""
    sink, _ = dialled(links, hello(2))
    return of(OriginShared, links.receive(sink, Refuse(REPLACED), 0))


def test_replaced_again_and_again_means_shared_origin() -> None:
    links = alone()
    found = [replaced(links) for _ in range(2 * REPLACED_MAX)]
    assert found == 2 * [*(REPLACED_MAX - 1) * [[]], [OriginShared("r2")]]


@pytest.mark.parametrize("end", [Eof("reset"), Refuse("the link is cut")])
def test_other_end_of_connection_begins_count_again(end: Eof | Refuse) -> None:
    links = alone()
    assert [*replaced(links), *replaced(links)] == []
    links.receive(links.dial("r2", 0), end, 0)
    assert [*replaced(links), *replaced(links)] == []


def test_own_newer_connection_means_nothing() -> None:
    links = alone()
    for _ in range(2 * REPLACED_MAX):
        sink, events = dialled(links, hello(2))
        assert not of(OriginShared, events)
        assert not sink.closed
