"""Hostile bytes never end a process.

A peer that knows the secret sends random and mutated frames to both machines in all states. Another
one, without the secret, sends random bytes. Runs here are short and seeded. `SESSIONS` can be
raised by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from crdt.causality.dots import SEQ_MAX, Vector, make_origin
from crdt.embed.replica import Replica
from replication.machines.endpoint import OUTBOX_MAX
from replication.mesh.admission import FOLLOWERS_MAX
from replication.mesh.connections import AWAITING_HELLO_MAX
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.channel import Channel
from replication.protocol.codec import LENGTH_BYTES, decode, encode
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event, OriginReused
from replication.protocol.frames import (
    FOLLOWER,
    MEMBER,
    PROTOCOL,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    GapEnd,
    GapRefused,
    GapRequest,
    Heartbeat,
    Hello,
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
from replication.protocol.handshake import NONCE_BYTES, UNREAD_BYTES_MAX, Role
from replication.protocol.limits import MS
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.secrets import OTHER, SECRET, open_channels

SESSIONS = 400
FRAMES_MAX = 40
OUTBOX_SLACK = 300  # events that do not need a reaction one by one
ORIGINS = [make_origin(region, incarnation) for region in (1, 2, 3, 200) for incarnation in (0, 1)]


class Attacker:
    """Makes frames, most of them plausible."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.other = Replica(self.rng.choice((2, 3)))
        for number in range(5):
            self.other.string(f"k{number}").set("v" * self.rng.choice((1, 300)))
            self.other.set("s").add(f"m{number}")
            self.other.seal()
        self.ops = [op.to_bytes() for op in self.other.since({})]
        self.pieces = list(self.other.snapshot())

    def seq(self) -> int:
        return self.rng.choice((0, 1, 2, 5, 10, 1 << 20, SEQ_MAX))

    def vector(self) -> Vector:
        return {origin: self.seq() for origin in ORIGINS if self.rng.random() < 0.2}

    def data(self) -> bytes:
        return self.spoil(self.rng.choice([*self.ops, *self.pieces, b"", b"junk"]))

    def spoil(self, data: bytes) -> bytes:
        """Return the bytes unchanged, or with some of them changed or missing."""
        if not data or self.rng.random() < 0.6:
            return data
        changed = bytearray(data)
        for _ in range(self.rng.choice((1, 1, 4))):
            changed[self.rng.randrange(len(changed))] = self.rng.randrange(256)
        return bytes(changed[: self.rng.randrange(len(changed)) + 1])

    def hello(self) -> Hello:
        rng = self.rng
        region = rng.choice((1, 2, 3, 9))
        name, cluster = rng.choice(("r1", "r2", "r3", "", "x\n")), rng.choice(("", "", "other"))
        role, origin = rng.choice((MEMBER, MEMBER, FOLLOWER)), rng.choice(ORIGINS)
        hello = Hello(name, region, origin, cluster, self.vector(), role)
        return hello if rng.random() < 0.5 else Hello("r2", 2, make_origin(2), "", self.vector())

    def makers(self) -> list[Callable[[], Frame]]:
        rng = self.rng
        clock, origin = rng.choice((0, 1, 1 << 50)), rng.choice(ORIGINS)
        return [
            self.hello,
            lambda: Resume(self.vector(), rng.choice((None, (), (1,), (1, 2, 3)))),
            Resumed,
            Truncated,
            SnapshotRequest,
            lambda: SnapshotBegin(self.vector()),
            lambda: SnapshotPiece(self.data(), rng.random() < 0.7),
            lambda: SnapshotPiece(rng.choice(self.pieces), True),
            SnapshotEnd,
            lambda: Ops(tuple(self.data() for _ in range(rng.randrange(4)))),
            lambda: Ops(tuple(self.ops)),
            lambda: OpPart(self.data(), rng.random() < 0.5),
            lambda: Ack(self.vector(), rng.choice((0, 0, 100, 1 << 40)), clock),
            lambda: Heartbeat(self.vector(), clock, ((rng.randint(1, 9), self.vector(), clock),)),
            lambda: Present(tuple((n, rng.randrange(3), make_origin(n, 1)) for n in (1, 2, 7))),
            lambda: GapRequest(origin, self.seq()),
            lambda: GapEnd(origin),
            lambda: GapRefused(origin),
            lambda: ConvergenceRequest(origin, rng.randrange(5), rng.randrange(256), self.vector()),
            lambda: ConvergenceReply(origin, rng.randrange(5), rng.random() < 0.5),
            lambda: rng.choice((Refuse("no"), Eof(), Resumed(), Resumed())),
        ]

    def frame(self, end: Machine) -> Frame:
        """Return a frame, mostly one that the state allows."""
        if end.state.value == "awaiting hello" and self.rng.random() < 0.8:
            region = end.region or self.rng.choice((2, 3))
            return Hello(f"r{region}", region, make_origin(region), "", self.vector())
        frame = self.rng.choice(self.makers())()
        for _ in range(10):
            if (end.state, type(frame)) in end.table():
                break
            frame = self.rng.choice(self.makers())()
        return frame


def links_of_three() -> Links:
    here = Replica(1, members=(1, 2, 3))
    here.causal_buffer.limit = 2_000
    here.string("mine").set("v")
    here.seal()
    peers = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
    return Links(here, Member("r1", 1, here.origin), peers)


def react(links: Links, events: list[Event], now: int) -> None:
    """React to an event as a region does."""
    for event in events:
        if isinstance(event, OriginReused) and event.origin == links.replica.origin:
            links.reincarnate(now)


def check_bounds(links: Links) -> None:
    assert len(links.awaiting_hello) <= AWAITING_HELLO_MAX
    assert len(links.followers) <= FOLLOWERS_MAX
    assert links.replica.causal_buffer.bytes <= links.replica.causal_buffer.limit
    for end in links.ends():
        assert len(end.outbox) <= OUTBOX_MAX + OUTBOX_SLACK


def play(links: Links, attacker: Attacker, now: int) -> int:
    """Play one connection to its end."""
    rng = attacker.rng
    way = rng.choice(list(Direction))
    end: Machine = (
        links.serve(now) if way is Direction.OUT else links.dial(rng.choice(("r2", "r3")), now)
    )
    for _ in range(rng.randrange(FRAMES_MAX)):
        now += rng.choice((0, MS, 60 * MS))
        react(links, links.receive(end, attacker.frame(end), now), now)
        if rng.random() < 0.7:
            end.frames_to_send()
        if rng.random() < 0.1:
            links.replica.advance(now // MS)
            react(links, links.tick(now), now)
        check_bounds(links)
        if end.closed:
            break
    return now


@pytest.mark.parametrize("seed", range(4))
def test_no_frames_end_process(seed: int) -> None:
    attacker, links, now = Attacker(seed), links_of_three(), 0
    for session in range(SESSIONS // 4):
        now = play(links, attacker, now)
        if session % 10 == 0:
            links.replica.digest()
            links.replica.string("mine").set(str(session))
            links.replica.seal()
            links.wake()
    assert links.replica.string("mine").get() is not None, "our own writes are there"
    links.close_all("the end", now)
    assert links.ends() == []


def test_any_body_is_frame_or_error() -> None:
    attacker = Attacker(7)
    for _ in range(SESSIONS * 5):
        body = encode(attacker.rng.choice(attacker.makers()[:-1])())[LENGTH_BYTES:]
        try:
            decode(attacker.spoil(body))
        except RemoteProtocolError:
            continue


@pytest.mark.parametrize("role", Role)
def test_any_bytes_in_channel_are_refused(role: Role) -> None:
    rng = random.Random(11)
    for _ in range(SESSIONS):
        stranger = Channel(SECRET, role, rng.randbytes(NONCE_BYTES))
        impostor = Channel(
            OTHER, next(r for r in Role if r is not role), rng.randbytes(NONCE_BYTES)
        )
        try:
            for _ in range(3):
                data = rng.choice((impostor.bytes_to_send(), rng.randbytes(rng.randrange(100))))
                assert stranger.receive(data) == []
                impostor.receive(stranger.bytes_to_send())
        except RemoteProtocolError:
            pass
        assert not stranger.is_proven
        assert stranger.wrap([Hello("r1", 1, 1, "", {}, MEMBER, PROTOCOL)]) == b""
        assert len(stranger.handshake.unread) <= UNREAD_BYTES_MAX


def test_changed_stream_ends_before_changed_frame() -> None:
    rng = random.Random(12)
    frames: list[Frame] = [Resumed(), Ops((b"one",)), Ack({1: 2}, 3), Truncated()]
    for _ in range(SESSIONS):
        one, other = open_channels()
        data = bytearray(one.wrap(frames))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        got: list[Frame] = []
        try:
            while data:
                got += other.receive(bytes(data[:7]))
                del data[:7]
        except RemoteProtocolError:
            pass
        assert len(got) < len(frames)
        assert got == frames[: len(got)]
