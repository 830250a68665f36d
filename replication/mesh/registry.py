"""The connections of one replica, by peer and direction, and which directions are cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from replication.machines.endpoint import Tally
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.mesh.statistics import LinkStatistics, statistics_of
from replication.protocol.errors import UnknownPeer
from replication.protocol.frames import Lineage
from replication.protocol.peers import Direction, Peer

Machine: TypeAlias = Source | Sink


class Registry:
    """All open ends of links. `Links` adds their behaviour."""

    def __init__(self, peers: Iterable[Peer]) -> None:
        self.peers = {peer.name: peer for peer in peers}
        self.sinks: dict[str, Sink] = {}
        self.sources: dict[str, Source] = {}
        self.followers: list[Source] = []
        """Several may have the same name, since no file assigns names to followers."""
        self.awaiting_hello: list[Source] = []
        self.caught_up: set[str] = set()
        """Peers whose data at their Hello is here, since the replica was last empty."""
        self.upstream: Registry | None = None
        """The links to the sources of this instance, while it follows others (Replica Of)."""
        self.lineages: dict[str, Lineage] = {}
        """Of each source that an instance follows: the source and the instances that it follows."""
        self.cuts: set[tuple[str, Direction]] = set()
        self.tallies: dict[tuple[str, Direction], Tally] = {}

    def ends(self) -> list[Machine]:
        """Return all ends that are not closed."""
        found: list[Machine] = list(self.sinks.values())
        found += self.sources.values()
        return found + self.followers + self.awaiting_hello

    def known(self, name: str) -> Peer:
        """Return the peer of that name. Raises UnknownPeer."""
        if name not in self.peers:
            raise UnknownPeer(name)
        return self.peers[name]

    def tally(self, peer: str, direction: Direction) -> Tally:
        """Return the counts of a link."""
        return self.tallies.setdefault((peer, direction), Tally())

    def is_loading(self) -> bool:
        """Return whether a snapshot is being loaded."""
        return any(sink.state is SinkState.LOADING for sink in self.sinks.values())

    def continue_after_merge(self, merged: Machine, merges: int, now: int) -> None:
        """Continue with the other links after a snapshot from `merged` was merged. They acknowledge
        what it has brought, so that their peers do not send that."""
        for sink in self.sinks.values():
            if sink.is_open and sink is not merged:
                sink.ack(now)
        self.grant_snapshots(merges, now)

    def peers_cut_off(self) -> set[str]:
        """Return the peers from which a cut link would bring data."""
        return {peer for peer in self.peers if self.is_cut(peer, Direction.IN)}

    def grant_snapshots(self, merges: int, now: int) -> None:
        """Let a sink that waits for a snapshot load it. One at a time, since after the first the
        others may not need theirs."""
        busy = self.is_loading()
        for sink in self.sinks.values():
            if sink.state is SinkState.WAITING:
                if merges > sink.merges >= 0 or (sink.merges < 0 and not busy):
                    sink.resume(now)
                elif not busy:
                    sink.load()
                    busy = True

    def is_cut(self, peer: str, direction: Direction) -> bool:
        """Return whether that direction is cut."""
        return (peer, direction) in self.cuts

    def list_links(self) -> list[tuple[Peer, Direction, Machine | None]]:
        """Return every link with a peer, both directions, with its end if it is connected."""
        found: list[tuple[Peer, Direction, Machine | None]] = []
        for name, peer in self.peers.items():
            if peer.routes != ():
                found.append((peer, Direction.IN, self.sinks.get(name)))
            if peer.serves:
                found.append((peer, Direction.OUT, self.sources.get(name)))
        return found

    def statistics(self, now: int) -> tuple[LinkStatistics, ...]:
        """Return the figures of every link, both directions, by peer."""
        rows = [self.row(peer, direction, end, now) for peer, direction, end in self.list_links()]
        for end in self.followers:
            followed_by = Peer(end.peer, end.region)
            rows.append(self.row(followed_by, Direction.OUT, end, now))
        return tuple(rows)

    def row(
        self, peer: Peer, direction: Direction, end: Machine | None, now: int
    ) -> LinkStatistics:
        """Return the figures of one link."""
        tally = self.tally(peer.name, direction) if end is None else end.tally
        is_cut = self.is_cut(peer.name, direction)
        return statistics_of((peer, direction), end, tally, is_cut=is_cut, now=now)
