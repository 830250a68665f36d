"""Three slot groups over one connection: each converges, independently of the others."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from crdt.errors import DecodeError
from replication.machines.connections.multiplexer import GroupEvent, Multiplexer
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Closed, Resynced, Unproven
from replication.protocol.frames import Eof, Frame, Grouped, Heartbeat, Ops, Refuse
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.limits import MS
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.secrets import SECRET, channels, open_channels

GROUPS = (0, 1, 16383)


class Process:
    """A process: a replica and links for each slot group, and one connection for all."""

    def __init__(self, region: int, *, dials: bool, history_bytes: int = 1 << 20) -> None:
        self.replicas: dict[int, Replica] = {}
        self.links: dict[int, Links] = {}
        self.events: list[GroupEvent] = []
        self.multiplexer = Multiplexer()
        role = Role.DIALS if dials else Role.SERVES
        self.channel = Channel(SECRET, role, bytes([region]) * NONCE_BYTES)
        other = 3 - region
        for group in GROUPS:
            replica = Replica(region, members=(1, 2), history_bytes=history_bytes, group=group)
            member = Member(f"r{region}", region, make_origin(region), "test")
            peer = Peer(f"r{other}", other, (other,))
            self.replicas[group] = replica
            self.links[group] = Links(replica, member, [peer])

    def connect(self, now: int) -> None:
        """Begin the link of each group."""
        for group, links in self.links.items():
            is_sink = self.channel.role is Role.DIALS
            end = links.dial(next(iter(links.peers)), now) if is_sink else links.serve(now)
            self.multiplexer.attach(group, end, links)

    def write(self, group: int, member: str) -> None:
        """Add a member to a set of one group."""
        self.replicas[group].set("k").add(member)
        self.replicas[group].seal()
        self.links[group].wake()

    def shown(self) -> dict[int, set[str]]:
        """Return the members of that set, by group."""
        return {group: set(replica.set("k")) for group, replica in self.replicas.items()}


class Connection:
    """Two processes, and all frames that their connection has carried."""

    def __init__(self, *, history_bytes: int = 1 << 20) -> None:
        self.source = Process(1, dials=False, history_bytes=history_bytes)
        self.sink = Process(2, dials=True)
        self.now = 1_000 * MS
        self.frames: list[Frame] = []

    def connect(self) -> None:
        """Let both ends greet each other."""
        for process in (self.source, self.sink):
            process.connect(self.now)
        for _ in range(2):
            for here, there in ((self.source, self.sink), (self.sink, self.source)):
                assert there.channel.receive(here.channel.bytes_to_send()) == []

    def exchange(self) -> None:
        """Carry bytes both ways until neither process has anything to send."""
        while self.source.multiplexer.ready or self.sink.multiplexer.ready:
            self.now += 10 * MS
            for here, there in ((self.source, self.sink), (self.sink, self.source)):
                data = here.channel.wrap(here.multiplexer.frames_to_send())
                for frame in there.channel.receive(data) if data else []:
                    self.frames.append(frame)
                    there.events += there.multiplexer.receive(frame, self.now)


def groups_of(frames: list[Frame], kind: type[Frame]) -> set[int]:
    """Return the groups whose frames of this kind are among `frames`."""
    marked = {f.group for f in frames if isinstance(f, Grouped) and isinstance(f.frame, kind)}
    return marked | ({0} if any(isinstance(frame, kind) for frame in frames) else set[int]())


def test_three_groups_go_over_one_connection() -> None:
    world = Connection()
    for group in GROUPS:
        world.source.write(group, f"before {group}")
    world.connect()
    world.exchange()
    for group in GROUPS:
        world.source.write(group, f"after {group}")
    world.exchange()
    assert world.sink.shown() == {g: {f"before {g}", f"after {g}"} for g in GROUPS}
    assert groups_of(world.frames, Ops) == groups_of(world.frames, Heartbeat) == set(GROUPS)
    assert not world.source.multiplexer.closed


def test_each_group_gets_its_own_snapshot() -> None:
    world = Connection(history_bytes=1)
    for group in GROUPS:
        for number in range(5):
            world.source.write(group, f"{group}:{number}")
    world.connect()
    world.exchange()
    resynced = {g for g, event in world.sink.events if isinstance(event, Resynced) and event.full}
    assert resynced == set(GROUPS)
    assert world.sink.shown() == {g: {f"{g}:{n}" for n in range(5)} for g in GROUPS}


def test_snapshot_of_another_group_is_refused() -> None:
    here, there = Process(1, dials=False), Process(2, dials=True)
    here.write(1, "a")
    with pytest.raises(DecodeError, match="of slot group 1; this replica holds slot group 0"):
        there.replicas[0].merge(here.replicas[1].snapshot())


def test_groups_take_turns() -> None:
    world = Connection()
    world.connect()
    world.exchange()
    for _ in range(3):
        for group in GROUPS:
            world.source.write(group, "again")
    turns = world.source.multiplexer
    order: list[int] = []
    while turns.ready:
        order += [f.group if isinstance(f, Grouped) else 0 for f in turns.frames_to_send()]
    assert sorted(order[:3]) == list(GROUPS)
    assert turns.frames_to_send() == []


def test_group_that_closes_lets_others_go_on() -> None:
    world = Connection()
    world.connect()
    world.exchange()
    world.source.links[1].cut("r2", Direction.OUT, world.now)
    assert not world.source.multiplexer.closed
    late = Grouped(1, Refuse("said before it was known"))
    assert world.source.multiplexer.receive(late, world.now) == []
    world.exchange()
    assert [group for group, event in world.sink.events if isinstance(event, Closed)] == [1]
    world.source.write(0, "still there")
    world.exchange()
    assert world.sink.shown()[0] == {"still there"}


def test_end_of_stream_ends_all() -> None:
    world = Connection()
    world.connect()
    world.exchange()
    rung: list[bool] = []
    multiplexer = world.sink.multiplexer
    multiplexer.start(lambda: rung.append(multiplexer.closed))
    multiplexer.note_bytes(world.now + MS)
    assert {link.end.last_received_at for link in multiplexer.turns} == {world.now + MS}
    events = multiplexer.receive(Eof(), world.now)
    assert {group for group, event in events if isinstance(event, Closed)} == set(GROUPS)
    assert rung[-1] is True


def test_group_that_connection_does_not_carry_is_refused() -> None:
    world = Connection()
    world.connect()
    with pytest.raises(RemoteProtocolError, match=r"group 7; .* carries the groups 0, 1, 16383"):
        world.sink.multiplexer.receive(Grouped(7, Eof()), world.now)


def test_end_without_multiplexer_refuses_other_groups() -> None:
    process = Process(1, dials=False)
    source = process.links[0].serve(0)
    process.links[0].receive(source, Grouped(3, Ops(())), 0)
    reason = "Grouped while awaiting hello: this link is of slot group 0, not 3"
    assert source.tally.last_error == f"protocol error: {reason}"


def events_after_failure(channel: Channel) -> list[type]:
    replica = Replica(1)
    links = Links(replica, Member("us", 1, replica.origin), [Peer("eu", 2, (2,))])
    multiplexer = Multiplexer()
    multiplexer.attach(0, links.dial("eu", 0), links)
    error = RemoteProtocolError("no frame")
    events = multiplexer.fail(error, 0, is_proven=channel.is_proven)
    return [type(event) for _, event in events]


def test_invalid_bytes_close_connection() -> None:
    assert events_after_failure(open_channels()[0]) == [Closed]


def test_peer_without_proof_is_refused() -> None:
    assert events_after_failure(channels()[0]) == [Unproven, Closed]
