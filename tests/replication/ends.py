"""A source and a sink, connected by hand, so that tests see every frame."""

from __future__ import annotations

import enum
from typing import TypeVar

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.machines.receiving.applier import LocalApplier
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.log_reader import LogReader
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.protocol.codec import FrameDecoder, encode_all
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.frames import (
    FOLLOWER,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    Grouped,
    Heartbeat,
    Hello,
    Lacking,
    OpPart,
    Ops,
    Present,
    Refuse,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import Limits
from replication.protocol.peers import Member, Peer

US, EU, AP = make_origin(1), make_origin(2), make_origin(3)
T = TypeVar("T")


def member(region: int) -> Member:
    """Return a member with the name of its region, such as `r1`."""
    return Member(f"r{region}", region, make_origin(region))


def hello(region: int, vector: dict[int, int] | None = None, role: int = 0) -> Hello:
    """Return the Hello of a region."""
    return Hello(f"r{region}", region, make_origin(region), "", vector or {}, role)


def replica(region: int, *, history_bytes: int = 1 << 20) -> Replica:
    """Return a replica of region `region` of three."""
    return Replica(region, members=(1, 2, 3), history_bytes=history_bytes)


def write(here: Replica, count: int = 1, size: int = 1) -> None:
    """Write `count` ops."""
    for number in range(count):
        here.string(f"k{here.keyspace.seq + number}").set("v" * size)
        here.seal()


def make_source(here: Replica, limits: Limits | None = None) -> Source:
    """Return a source of `here` that has received no Hello yet."""
    return Source(LogReader(here, member(here.region), limits or Limits()), 0)


def make_sink(
    here: Replica,
    peer: int = 1,
    *,
    routes: tuple[int, ...] | None = (1,),
    limits: Limits | None = None,
) -> Sink:
    """Return a sink of `here` that dials region `peer` and has received no answer yet."""
    mine = member(here.region)
    hello_frame = Hello(mine.name, mine.region, mine.origin, "", here.vector)
    return Sink(
        LocalApplier(here), Peer(f"r{peer}", peer, routes), hello_frame, 0, limits or Limits()
    )


def connected_source(
    here: Replica, limits: Limits | None = None, *, routes: tuple[int, ...] | None = (1,)
) -> Source:
    """Return a source that sends to region 2, which has nothing yet."""
    source = make_source(here, limits)
    source.receive(hello(2, role=FOLLOWER if routes is None else 0), 0)
    source.receive(Resume({}, routes), 0)
    return source


def snapshot_of(here: Replica) -> list[Frame]:
    """Return a snapshot as a source sends it."""
    pieces = [SnapshotPiece(piece, True) for piece in here.snapshot()]
    return [SnapshotBegin(here.vector), *pieces, SnapshotEnd()]


def drain(end: Source | Sink) -> list[Frame]:
    """Return all frames that an end has to send, encoded and decoded."""
    output: list[Frame] = []
    while end.ready:
        output += end.frames_to_send()
    return FrameDecoder().feed(encode_all(output))


def of(kind: type[T], things: list[Frame] | list[Event]) -> list[T]:
    """Return the frames of a kind."""
    return [thing for thing in things if isinstance(thing, kind)]


def exchange(one: Source | Sink, other: Source | Sink, now: int = 0) -> list[Event]:
    """Exchange all frames of both ends. Return the events."""
    events: list[Event] = []
    while one.ready or other.ready:
        for here, there in ((one, other), (other, one)):
            for frame in drain(here):
                if not there.closed:
                    events += there.receive(frame, now)
    return events


def joined(here: Replica, there: Replica, limits: Limits | None = None) -> tuple[Source, Sink]:
    """Return both ends of a link, after `there` has received everything from the region of
    `here`."""
    source = make_source(here, limits)
    sink = make_sink(there, here.region, routes=(here.region,), limits=limits)
    exchange(sink, source)
    return source, sink


EXAMPLES: dict[type[Frame], Frame] = {
    Hello: hello(1),
    Resume: Resume({}, (1,)),
    Resumed: Resumed(),
    Truncated: Truncated(),
    SnapshotRequest: SnapshotRequest(),
    SnapshotBegin: SnapshotBegin({}),
    SnapshotPiece: SnapshotPiece(b"", False),
    SnapshotEnd: SnapshotEnd(),
    Ops: Ops(()),
    OpPart: OpPart(b"", False),
    Ack: Ack({}, 0),
    Heartbeat: Heartbeat({}, 0),
    GapRequest: GapRequest(US, 0),
    GapEnd: GapEnd(US),
    GapRefused: GapRefused(US),
    ConvergenceRequest: ConvergenceRequest(US, 1, 1, {}),
    ConvergenceReply: ConvergenceReply(US, 1, True),
    Present: Present(((1, 0, US),)),
    Lacking: Lacking(((1, 0, US),), AP, 1, (1,)),
    Refuse: Refuse("no"),
    Eof: Eof(),
    Grouped: Grouped(1, Resumed()),
}


def pieces(here: Replica) -> list[Frame]:
    """Return a snapshot in frames."""
    snapshot = here.snapshot()
    whole = [SnapshotPiece(piece, True) for piece in snapshot]
    return [SnapshotBegin(snapshot.vector), *whole, SnapshotEnd()]


def sink_in_state(state: SinkState, here: Replica | None = None) -> Sink:
    """Return a sink of region 2 in `state`."""
    sink = make_sink(here or replica(2))
    if state is not SinkState.AWAITING_HELLO:
        sink.receive(hello(1), 0)
    sink.state = state
    sink.goal = None
    if state is SinkState.LOADING:
        sink.incoming = sink.applier.incoming()
        for frame in pieces(replica(1))[1:-1]:
            assert isinstance(frame, SnapshotPiece)
            sink.incoming.feed(frame.data)
    drain(sink)
    return sink


def check_transition(end: Source | Sink, frame: Frame, following: enum.Enum | None) -> None:
    """Check that a frame leads to the state that the table has for it, or is refused if it has
    none."""
    if following is None:
        refusal = f"{type(frame).__name__} while {end.state.value}"
        with pytest.raises(RemoteProtocolError, match=refusal):
            end.receive(frame, 0)
    else:
        end.receive(frame, 0)
        assert end.state is following


def alone(peers: tuple[Peer, ...] = (Peer("r2", 2, (2,)), Peer("r3", 3, (3,)))) -> Links:
    """Return the links of region 1 of three, none of them open."""
    replica = Replica(1, members=(1, 2, 3))
    return Links(replica, Member("r1", 1, replica.origin), peers)


def connected(links: Links, sent: Hello) -> Source:
    """Return an incoming connection that has sent its Hello."""
    source = links.serve(0)
    links.receive(source, sent, 0)
    return source


def refusal(links: Links, sent: Hello) -> str:
    """Return the reason for which an incoming connection is refused."""
    (refuse,) = drain(connected(links, sent))
    assert isinstance(refuse, Refuse)
    return refuse.reason
