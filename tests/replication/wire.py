"""Regions that are linked by a simulated wire: bytes in order, with delays, cuts and reconnects.

Events wait in one heap, with times in integer nanoseconds. Frames are encoded and decoded, so both
ends run as they do over TCP.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.codec import FrameDecoder, encode_all
from replication.protocol.errors import LinkCut, RemoteProtocolError
from replication.protocol.events import Event, OriginReused
from replication.protocol.frames import Eof
from replication.protocol.limits import MS, Limits
from replication.protocol.peers import Direction, Member, Peer

REDIAL_NS = 50 * MS


class Wire:
    """A connection between a sink and a source. Each direction has a decoder at its end."""

    def __init__(self, world: WireWorld, sink_site: Site, source_site: Site) -> None:
        self.world = world
        self.sites = (sink_site, source_site)
        self.up = True
        delay = world.delay(sink_site.name, source_site.name)
        self.delay = delay
        sink = sink_site.links.dial(source_site.name, world.now)
        source = source_site.links.serve(world.now)
        self.ends: tuple[Machine, Machine] = (sink, source)
        self.decoders = (FrameDecoder(), FrameDecoder())
        self.flushing = [False, False]
        self.damage = -1
        for side in (0, 1):
            self.ends[side].notify = lambda side=side: self.schedule(side)
            self.schedule(side)

    def schedule(self, side: int) -> None:
        """Schedule a flush of the end at `side`."""
        if not self.flushing[side]:
            self.flushing[side] = True
            self.world.after(0, lambda: self.flush(side))

    def flush(self, side: int) -> None:
        """Send all output of the end at `side`. Close the connection if the end is closed."""
        self.flushing[side] = False
        end = self.ends[side]
        if not self.up or not self.sites[side].alive:
            return
        data = b""
        while end.ready:
            data += encode_all(end.frames_to_send())
        if data:
            self.world.bytes += len(data)
            self.world.after(self.delay, lambda: self.deliver(1 - side, data))
        if end.closed:
            self.world.after(self.delay, lambda: self.hang_up(1 - side))

    def deliver(self, side: int, data: bytes) -> None:
        """Deliver bytes to the end at `side`."""
        site, end = self.sites[side], self.ends[side]
        if not self.up or not site.alive:
            return
        if self.damage >= 0:
            place, self.damage = self.damage % len(data), -1
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            frames = self.decoders[side].feed(data)
        except RemoteProtocolError as error:
            site.note(site.links.broken(end, error, self.world.now))
            return
        for frame in frames:
            site.note(site.links.receive(end, frame, self.world.now))

    def hang_up(self, side: int) -> None:
        """End the stream at `side`."""
        site = self.sites[side]
        if self.up and site.alive:
            site.note(site.links.receive(self.ends[side], Eof(), self.world.now))
            self.up = self.up and not all(end.closed for end in self.ends)

    def vanish(self, side: int = 2) -> None:
        """Lose the data in transit. Only the end at `side` is notified, if any."""
        if self.up:
            self.up = False
            if side < 2 and self.sites[side].alive:
                self.sites[side].note(
                    self.sites[side].links.receive(self.ends[side], Eof("reset"), self.world.now)
                )

    def reset(self) -> None:
        """Lose the data in transit, and notify both ends."""
        if self.up:
            self.up = False
            for site, end in zip(self.sites, self.ends, strict=True):
                if site.alive:
                    site.note(site.links.receive(end, Eof("reset"), self.world.now))


class Site:
    """A region: a replica, its links, and the events so far."""

    def __init__(self, world: WireWorld, name: str, region: int, peers: Sequence[Peer]) -> None:
        self.world = world
        self.name = name
        self.region = region
        self.peers = peers
        self.incarnation = 0
        self.alive = True
        self.events: list[Event] = []
        self.wires: dict[str, Wire] = {}
        self.ticking = -1
        self.start()

    def start(self) -> None:
        """Begin with an empty replica."""
        origin = make_origin(self.region, self.incarnation)
        regions = [site.region for site in self.world.sites.values()]
        members = {*regions, *(peer.region for peer in self.peers), *self.world.members} - {0}
        self.replica = Replica(
            origin,
            clock=lambda: self.world.now // MS,
            members=members,
            history_bytes=self.world.history_bytes,
        )
        self.replica.causal_buffer.limit = self.world.gate_bytes
        member = Member(self.name, self.region, origin, "test")
        self.links = Links(self.replica, member, self.peers, limits=self.world.limits)
        self.wires = {}

    def note(self, events: Iterable[Event]) -> None:
        """Record the events."""
        for event in events:
            self.events.append(event)
            assert not isinstance(event, OriginReused) or self.world.amnesia

    def write(self, act: Callable[[Replica], object]) -> None:
        """Change a key, seal the effect and notify the links."""
        act(self.replica)
        self.replica.seal()
        self.links.wake()

    def tick(self) -> None:
        """Let time pass in this region, and dial peers that are not connected."""
        if not self.alive:
            return
        now = self.world.now
        self.replica.prepare()
        self.note(self.links.tick(now))
        for peer in self.peers:
            wire = self.wires.get(peer.name)
            if peer.routes != () and (wire is None or wire.ends[0].closed):
                self.dial(peer.name)

    def dial(self, name: str) -> None:
        """Connect to a peer if it runs."""
        there = self.world.sites[name]
        if (there.name, self.name) in self.world.broken:
            return
        if not there.alive:
            self.links.missed(name)
            return
        try:
            self.wires[name] = Wire(self.world, self, there)
        except LinkCut:
            return

    def crash(self) -> None:
        """Lose all data. Connections break."""
        self.alive = False
        for site in self.world.sites.values():
            for wire in site.wires.values():
                if self in wire.sites:
                    wire.reset()

    def restart(self) -> None:
        """Start again without data, under a new incarnation."""
        self.incarnation += 1
        self.alive = True
        self.start()


class WireWorld:
    """Regions, the time, and the events to come."""

    def __init__(
        self,
        topology: dict[str, Sequence[Peer]],
        *,
        limits: Limits | None = None,
        delay_ns: int = 20 * MS,
        history_bytes: int = 1 << 20,
        gate_bytes: int = 1 << 20,
    ) -> None:
        self.limits = Limits() if limits is None else limits
        self.delay_ns = delay_ns
        self.delays: dict[tuple[str, str], int] = {}
        """Of links that differ from the others, by sink and source."""
        self.history_bytes = history_bytes
        self.gate_bytes = gate_bytes
        self.now = 1_000 * MS
        self.bytes = 0
        self.amnesia = False
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self.order = count()
        self.broken: set[tuple[str, str]] = set()
        self.members = range(1, len(topology) + 1)
        self.sites: dict[str, Site] = {}
        for region, (name, peers) in enumerate(topology.items(), 1):
            self.sites[name] = Site(self, name, region, peers)

    def __getitem__(self, name: str) -> Site:
        return self.sites[name]

    def delay(self, sink: str, source: str) -> int:
        """Return the one-way delay in nanoseconds."""
        return self.delays.get((sink, source), self.delay_ns)

    def after(self, wait: int, act: Callable[[], None]) -> None:
        """Schedule `act` in `wait` nanoseconds."""
        heapq.heappush(self.heap, (self.now + wait, next(self.order), act))

    def run(self, milliseconds: int) -> None:
        """Let time pass."""
        until = self.now + milliseconds * MS
        next_tick = self.now
        while True:
            moment = self.heap[0][0] if self.heap else until + 1
            if next_tick <= min(moment, until):
                self.now = max(self.now, next_tick)
                for site in self.sites.values():
                    site.tick()
                next_tick = self.now + 5 * MS
            elif moment <= until:
                self.now, _, act = heapq.heappop(self.heap)
                act()
            else:
                break
        self.now = until

    def cut(self, source: str, sink: str, direction: Direction = Direction.IN) -> None:
        """Cut a link by a command, at its sink or at its source."""
        site, peer = self.place(source, sink, direction)
        site.note(site.links.cut(peer, direction, self.now))

    def heal(self, source: str, sink: str) -> None:
        """Heal a link."""
        for direction in Direction:
            site, peer = self.place(source, sink, direction)
            site.links.heal(peer, direction)

    def place(self, source: str, sink: str, direction: Direction) -> tuple[Site, str]:
        """Return the site that controls a link, and its peer."""
        return (self[sink], source) if direction is Direction.IN else (self[source], sink)

    def cut_pair(self, one: str, other: str) -> None:
        """Cut both directions."""
        self.cut(one, other)
        self.cut(other, one)

    def heal_pair(self, one: str, other: str) -> None:
        """Heal both directions."""
        self.heal(one, other)
        self.heal(other, one)

    def digests(self) -> set[bytes]:
        """Return the digest of each region."""
        return {site.replica.digest() for site in self.sites.values() if site.alive}

    def vectors(self) -> list[dict[int, int]]:
        """Return the vector of each region."""
        return [site.replica.vector for site in self.sites.values() if site.alive]

    def agrees(self) -> bool:
        """Return whether all regions have equal vectors and digests."""
        vectors = self.vectors()
        return all(vector == vectors[0] for vector in vectors) and len(self.digests()) == 1


def mesh(*names: str) -> dict[str, Sequence[Peer]]:
    """Link every region with every other."""
    regions = {name: number for number, name in enumerate(names, 1)}
    return {
        name: [Peer(other, regions[other], (regions[other],)) for other in names if other != name]
        for name in names
    }


def line(*names: str) -> dict[str, Sequence[Peer]]:
    """Link each region with the next."""
    size = len(names)
    topology: dict[str, Sequence[Peer]] = {}
    for place, name in enumerate(names):
        peers: list[Peer] = []
        if place:
            peers.append(Peer(names[place - 1], place, tuple(range(1, place + 1))))
        if place + 1 < size:
            peers.append(Peer(names[place + 1], place + 2, tuple(range(place + 2, size + 1))))
        topology[name] = peers
    return topology
