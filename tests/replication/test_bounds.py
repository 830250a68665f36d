"""Stalled, broken and hostile peers.

Everything that is kept for a peer has a limit, and a peer that exceeds it is disconnected.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import trio
import trio.testing

from crdt.causality.dots import ORIGINS_MAX, REGION_MAX, Origin, Vector, make_origin
from crdt.causality.op import Op
from crdt.causality.op_log import OpLog
from crdt.embed.replica import Replica
from replication.drivers.links import Driver
from replication.machines.endpoint import OUTBOX_MAX
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import RESUMES_MAX, Source
from replication.machines.sending.source_states import SourceState
from replication.mesh.connections import AWAITING_HELLO_MAX
from replication.mesh.links import Links
from replication.protocol.codec import LENGTH_BYTES, decode, encode
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Closed, Event
from replication.protocol.frames import (
    FOLLOWER,
    Ack,
    Frame,
    GapRefused,
    GapRequest,
    Heartbeat,
    OpPart,
    Ops,
    Present,
    Resume,
    Resumed,
    SnapshotRequest,
)
from replication.protocol.handshake import NONCE_BYTES, challenge
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.ends import (
    AP,
    EU,
    US,
    connected_source,
    drain,
    hello,
    make_sink,
    make_source,
    of,
    replica,
    write,
)
from tests.replication.secrets import prove

SMALL = Limits(window_bytes_max=100, batch_bytes_max=50, snapshots_max=1)


def streaming() -> Sink:
    """Return a sink of region 2 that receives ops of region 1."""
    sink = make_sink(replica(2))
    sink.receive(hello(1), 0)
    sink.receive(Resumed(), 0)
    drain(sink)
    return sink


def snapshot_wanted(here: Replica) -> Source:
    """Return a source whose peer has requested its state."""
    source = make_source(here, SMALL)
    source.receive(hello(2), 0)
    source.receive(Resume({}, (1,)), 0)
    source.receive(SnapshotRequest(), 0)
    return source


# -- what a sink says ----------------------------------------------------------------------


def test_peer_that_reads_nothing_is_closed() -> None:
    """Such a peer once kept a full window for ever, and its snapshot blocked the queue of
    others."""
    here = replica(1)
    write(here, 20, size=20)
    source = connected_source(here, SMALL)
    drain(source)
    assert source.in_flight > 0
    idle, now = SMALL.idle_ns_max, 0
    while now + SECOND <= idle:
        now += SECOND
        source.receive(Ack({}, 0), now)
        assert source.tick(now) == []
    source.receive(Ack({}, 1), now)
    source.receive(Ack({}, 1), now + idle)
    assert source.tick(now + idle) == []
    assert source.tick(now + idle + 1) == [
        Closed("r2", Direction.OUT, "nothing acknowledged for 60000 ms")
    ]


def test_peer_with_nothing_to_read_may_be_silent() -> None:
    source = connected_source(replica(1))
    for now in range(0, 200 * SECOND, SECOND):
        source.receive(Ack({}, 0), now)
        assert source.tick(now) == []


def test_peer_that_left_queue_is_forgotten() -> None:
    """Peers that requested a snapshot and left while another one was sent once stayed in the
    queue."""
    here = replica(1)
    write(here)
    first = snapshot_wanted(here)
    first.frames_to_send()
    log_reader = first.log_reader
    assert log_reader.sending == 1
    for _ in range(100):
        source = Source(log_reader, 0)
        source.receive(hello(3), 0)
        source.receive(Resume({}, (1,)), 0)
        source.receive(SnapshotRequest(), 0)
        source.frames_to_send()
        source.frames_to_send()
        assert len(log_reader.waiting) == 1
        source.close("gone")
    assert log_reader.waiting == []
    first.close("gone")
    assert log_reader.sending == 0


def test_unavailable_origins_are_not_requested() -> None:
    source = connected_source(replica(1))
    for region in range(2, 200):
        source.receive(GapRequest(make_origin(region), 0), 0)
    assert source.cursor.extra == frozenset()
    assert source.cursor.sent == {}
    assert len(of(GapRefused, drain(source))) == 198


def test_acknowledged_origins_are_bounded() -> None:
    source = connected_source(replica(1))
    half = ORIGINS_MAX // 2 + 1
    source.receive(Ack(dict.fromkeys(range(1, half + 1), 1), 0), 0)
    with pytest.raises(RemoteProtocolError, match="origins acknowledged"):
        source.receive(Ack(dict.fromkeys(range(half + 1, 2 * half + 1), 1), 0), 0)


def test_reports_that_would_not_fit_into_frame_are_left_out() -> None:
    """An assertion once ended the process."""
    here = replica(1)
    here.stability.members = set(range(2, 8))
    many = dict.fromkeys(range(make_origin(200), make_origin(200) + 16000), 1 << 39)
    many |= dict.fromkeys(range(make_origin(201), make_origin(201) + 16000), 1 << 39)
    for region in range(2, 8):
        here.stability.reports[region] = many
        here.stability.clocks[region] = 1
    here.keyspace.vector.update(many)
    source = make_source(here)
    source.receive(hello(9), 0)
    source.receive(Resume({}, tuple(range(1, 8))), 0)
    drain(source)
    source.heartbeat(0)
    (heartbeat,) = of(Heartbeat, drain(source))
    assert [region for region, _, _ in heartbeat.reports] == [2, 3, 4, 5]


# -- what a source says --------------------------------------------------------------------


def test_empty_parts_take_no_memory() -> None:
    sink = streaming()
    for _ in range(1000):
        sink.receive(OpPart(b"", False), 0)
    assert sink.parts.size == 0


def test_unrequested_refusals_are_ignored() -> None:
    sink = streaming()
    assert sink.receive(GapRefused(AP), 0) == []
    sink.fill(AP, 0, 0)
    assert sink.receive(GapRefused(AP), 0) != []
    assert sink.receive(GapRefused(AP), 0) == []


def links_of_three() -> Links:
    here = replica(1)
    peers = (Peer("r2", 2, (2,)), Peer("r3", 3, (3,)))
    return Links(here, Member("r1", 1, here.origin), peers)


def test_reports_of_non_members_do_not_count() -> None:
    links = links_of_three()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2), 0)
    links.receive(sink, Present(links.membership.view), 0)
    reports = tuple((region, {make_origin(region): 1}, 5) for region in range(1, 256))
    links.receive(sink, Heartbeat({}, 5, reports), 0)
    assert links.replica.stability.pending.keys() <= {2, 3}


def test_peer_that_does_not_read_gets_no_requests() -> None:
    links = links_of_three()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2, {AP: 5}), 0)
    sink.state = SinkState.STREAMING
    sink.outbox = [GapRequest(EU, 0)] * OUTBOX_MAX
    for now in range(0, 60 * SECOND, SECOND // 20):
        links.repair_gaps(now)
    assert len(sink.outbox) == OUTBOX_MAX
    drain(sink)
    links.repair_gaps(60 * SECOND)
    links.repair_gaps(70 * SECOND)
    assert of(GapRequest, drain(sink)) == [GapRequest(AP, 0)]


def test_region_that_has_not_recovered_is_not_followed() -> None:
    """Its followers would drop their data, and start again from nothing."""
    links = links_of_three()
    links.collects = False
    source = links.serve(0)
    (closed,) = of(Closed, links.receive(source, hello(9, {US: 1}, FOLLOWER), 0))
    assert closed.reason == "r1 has lost its memory and has not recovered"
    links.collects = True
    assert of(Closed, links.receive(links.serve(0), hello(9, {US: 1}, FOLLOWER), 0)) == []


def test_of_follower_only_known_origins_are_kept() -> None:
    here = replica(1)
    write(here, 3)
    many = {make_origin(200, incarnation): 5 for incarnation in range(5000)}
    source = make_source(here)
    source.receive(hello(9, {US: 1, **many}, FOLLOWER), 0)
    assert source.hello is not None
    assert source.vector == source.hello.vector == {US: 1}
    source.receive(Resume({US: 1, **many}, None), 0)
    assert source.cursor.sent == {US: 1}
    source.receive(Ack({US: 2, **many}, 0), 0)
    assert source.vector == source.progress.acknowledged == {US: 2}


def test_later_ops_are_sent_to_follower() -> None:
    here, ap = replica(1), replica(3)
    write(ap, 4)
    source = make_source(here)
    source.receive(hello(9, {AP: 2}, FOLLOWER), 0)
    source.receive(Resume({AP: 2}, None), 0)
    for op in ap.since({}):
        here.accept(op)
    assert len(of(Ops, drain(source))[0].batch) == 4


@pytest.mark.interpreted("gives a class another method")
def test_many_requests_for_gaps_are_one_search(monkeypatch: pytest.MonkeyPatch) -> None:
    here = replica(1)
    write(here, 100)
    source = connected_source(here)
    drain(source)
    searches: list[Vector] = []
    locate = OpLog.locate

    def counted(history: OpLog, vector: Vector, wants: Callable[[Origin], bool]) -> int:
        searches.append(vector)
        return locate(history, vector, wants)

    monkeypatch.setattr(OpLog, "locate", counted)
    for after in range(50):
        source.receive(GapRequest(US, after), 0)
    assert searches == []
    assert source.ready
    assert len(of(Ops, drain(source))[0].batch) == 51
    assert len(searches) == 1


def test_sink_that_resumes_without_end_is_hung_up_on() -> None:
    source = connected_source(replica(1))
    drain(source)
    for _ in range(RESUMES_MAX):
        source.receive(Resume({}, (1,)), 0)
    with pytest.raises(RemoteProtocolError, match="resumes again and again"):
        source.receive(Resume({}, (1,)), 0)


@pytest.mark.parametrize(
    "frame",
    [
        Present(tuple((1, 0, US) for _ in range(REGION_MAX + 1))),
        Heartbeat({}, 0, tuple((1, {}, 0) for _ in range(REGION_MAX + 1))),
        Resume({}, (1,) * (REGION_MAX + 1)),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_no_frame_names_more_regions_than_there_are(frame: Frame) -> None:
    with pytest.raises(RemoteProtocolError, match=f"expected at most {REGION_MAX}"):
        decode(encode(frame)[LENGTH_BYTES:])


@pytest.mark.interpreted("gives a class another method")
def test_want_of_memory_ends_link_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    links = links_of_three()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2), 0)
    links.receive(sink, Resumed(), 0)

    def exhausted(_data: bytes) -> Op:
        raise MemoryError

    monkeypatch.setattr(Op, "from_bytes", exhausted)
    (closed,) = of(Closed, links.receive(sink, Ops((b"x",)), 0))
    assert "more memory than there is" in closed.reason
    assert links.replica.vector == {}


# -- connections ---------------------------------------------------------------------------


class Open:
    """A region that accepts every connection."""

    def __init__(self) -> None:
        self.links = links_of_three()
        self.events: list[Event] = []
        self.driver = Driver(self.links, random.Random(1), self.events.extend)


async def test_silent_connections_do_not_block_peers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    site = Open()
    streams: list[trio.abc.Stream] = []
    serving = 0

    async def serve(stream: trio.abc.Stream) -> None:
        nonlocal serving
        serving += 1
        await site.driver.serve(stream)
        serving -= 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.driver.keep_time)
        for _ in range(1000):
            ours, theirs = trio.testing.memory_stream_pair()
            streams.append(ours)
            nursery.start_soon(serve, theirs)
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(1)
        assert len(site.links.awaiting_hello) == serving == AWAITING_HELLO_MAX
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(serve, theirs)
        channel = await prove(ours)
        await ours.send_all(channel.wrap([hello(2)]))
        await trio.testing.wait_all_tasks_blocked()
        assert site.links.sources["r2"].state is SourceState.READY
        await trio.sleep(6)
        assert site.links.awaiting_hello == []
        nursery.cancel_scope.cancel()


async def test_slow_connection_must_send_hello(
    autojump_clock: trio.testing.MockClock,
) -> None:
    site = Open()
    hello_frame = challenge(bytes(NONCE_BYTES))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.driver.keep_time)
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(site.driver.serve, theirs)
        for byte in hello_frame[:5]:
            await ours.send_all(bytes([byte]))
            await trio.sleep(1.1)
        assert site.links.awaiting_hello == []
        nursery.cancel_scope.cancel()
    assert of(Closed, site.events) == [Closed("", Direction.OUT, "silent for 5000 ms")]
