"""Gap repair: request missing operations from another peer than the one that should send them.

Missing operations show in two ways. An op in the causal buffer names the effects that it waits for,
and heartbeats contain the vectors of peers. If our vector does not grow for longer than the repair
delay, a peer that has the ops is asked (the repair peer). It sends the ops of that origin until the
regular link does so again. So a cut between two regions stalls neither while a third is connected
to both (rules CAU-2, CAU-3), without the relay traffic of CAU-4 in normal operation. Earlier
incarnations of our own region, and regions without a link to us, are supplied the same way.

Ops that are on their way are not requested. A source sends all ops of its link in order, and a
repair peer all that it was asked for. So while data comes from one that has the missing ops, they
will come too, perhaps after the rest of a backlog over a slow link.

If the ops are in no peer's backlog any more, a snapshot is requested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector
from replication.machines.endpoint import NEVER
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.events import Event, GapFound
from replication.protocol.limits import Limits

# Also a stalled link: the ops in the buffer that stalls it often wait for the gap.
ASKABLE: Final = (SinkState.STREAMING, SinkState.STALLED, SinkState.RESUMING)
# Also a link that resumes: its source sends what a repair peer still sends then.
SUPPLYING: Final = (SinkState.STREAMING, SinkState.RESUMING)
# Doublings of the repair delay, so that a saturated link is not asked again and again.
BACKOFF_MAX: Final = 6


@attrs.define
class Gap:
    """The state of an origin of which peers have more than we do."""

    seq: int
    since: int
    began: int
    attempts: int = 0


@attrs.frozen
class RepairPeer:
    """The peer that was asked for the ops of an origin, and when."""

    peer: str
    since: int


class Repair:
    """The gaps of one replica."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.gaps: dict[Origin, Gap] = {}
        self.repair_peers: dict[Origin, RepairPeer] = {}
        """The peers that go on sending the ops of each origin."""
        self.due_at = NEVER
        """The time (ns) at which a gap must be looked at again. It becomes earlier only by what
        the links receive, or by a link that ends."""
        self.requests = 0
        """The number of requests to repair peers."""
        self.refused: set[tuple[str, Origin]] = set()

    def check_gaps(
        self, have: Vector, wanted: Vector, sinks: Mapping[str, Sink], now: int
    ) -> tuple[list[Event], str]:
        """Request ops that have been missing for too long.

        `have` covers the ops that were applied or are buffered, `wanted` those that buffered ops
        wait for. Return the events, and the name of a peer whose snapshot is needed, or "".
        """
        self.release_repair_peers(have, sinks)
        lacking = find_lacking(have, wanted, sinks)
        self.gaps = {origin: gap for origin, gap in self.gaps.items() if origin in lacking}
        self.due_at = NEVER
        events: list[Event] = []
        snapshot_peer = ""
        for origin in sorted(lacking):
            seq = have.get(origin, 0)
            gap = self.gaps.get(origin)
            if gap is None or gap.seq != seq:
                gap = self.gaps[origin] = Gap(seq, now, now)
            due = self.gap_due_at(origin, gap, sinks)
            if now >= due:
                gap.since = now
                gap.attempts += 1
                is_old = now - gap.began >= self.limits.idle_ns_max
                asked, snapshot = self.request_ops(origin, seq, sinks, now, is_old=is_old)
                snapshot_peer = snapshot_peer or snapshot
                if asked or snapshot or not any(origin in s.asked for s in sinks.values()):
                    events.append(GapFound(snapshot or asked, origin, asked))
                due = self.gap_due_at(origin, gap, sinks)
            self.due_at = min(self.due_at, due)
        return events, snapshot_peer

    def gap_due_at(self, origin: Origin, gap: Gap, sinks: Mapping[str, Sink]) -> int:
        """Return the time (ns) at which a peer is to be asked, if nothing comes before."""
        delay = self.repair_delay(origin, sinks) << min(gap.attempts, BACKOFF_MAX)
        coming = min(self.coming_until(origin, gap.seq, sinks), gap.began + self.limits.idle_ns_max)
        return max(gap.since + delay, coming)

    def repair_delay(self, origin: Origin, sinks: Mapping[str, Sink]) -> int:
        """Return how long (ns) a gap may last before a peer is asked. It is longer if a live link
        carries the origin."""
        trips = [3 * s.rtt for s in sinks.values() if s.is_open and s.carries(origin)]
        return max(self.limits.repair_delay_ns, *trips) if trips else self.limits.no_link_delay_ns

    def coming_until(self, origin: Origin, seq: int, sinks: Mapping[str, Sink]) -> int:
        """Return until when (ns) data counts as coming from a peer that is to send what follows
        `seq`, or that was asked for it a moment ago; 0 if there is none."""
        until = 0
        for sink in sinks.values():
            if sink.brings(origin, seq):
                until = max(until, sink.data_at + max(self.limits.repair_delay_ns, sink.trips_ns))
        return until

    def request_ops(
        self, origin: Origin, seq: int, sinks: Mapping[str, Sink], now: int, *, is_old: bool
    ) -> tuple[str, str]:
        """Request the ops of `origin` after `seq` from a peer.

        Return the peer that was asked, and a peer that can send a snapshot if all that have the
        ops have refused; "" for none. A peer whose link carries the origin, or that was asked over
        the same connection before, is asked only if the gap `is_old`.
        """
        repair_peer = self.repair_peers.get(origin)
        name = "" if repair_peer is None else repair_peer.peer
        able = [s for s in sinks.values() if s.is_open and s.vector.get(origin, 0) > seq]
        able.sort(key=lambda s: (s.carries(origin), s.peer == name, s.rtt, s.peer))
        for sink in able:
            if (sink.peer, origin) in self.refused or sink.is_swamped:
                continue
            if origin in sink.asked and not is_old:
                continue  # the connection brings it, or ends
            if sink.state in ASKABLE and (is_old or not sink.carries(origin)):
                if name != sink.peer and name in sinks:
                    sinks[name].unfill(origin)
                self.repair_peers[origin] = RepairPeer(sink.peer, now)
                sink.fill(origin, seq, now)
                self.requests += 1
                return sink.peer, ""
        if able and all((sink.peer, origin) in self.refused for sink in able):
            return "", able[0].peer
        return "", ""

    def release_repair_peers(self, have: Vector, sinks: Mapping[str, Sink]) -> None:
        """Stop the repair peers that are not needed any more."""
        for origin, asked in list(self.repair_peers.items()):
            repair_peer = sinks.get(asked.peer)
            if (
                repair_peer is None
                or origin not in repair_peer.asked
                or any(
                    sink.state in SUPPLYING
                    and sink.carries(origin)
                    and is_supplied(origin, have, sink, repair_peer, asked.since)
                    for sink in sinks.values()
                )
            ):
                self.release(origin, repair_peer)

    def release_for_snapshot(self, sinks: Mapping[str, Sink]) -> None:
        """Stop the repair peers that send what a snapshot that is being loaded contains."""
        loading = [sink for sink in sinks.values() if sink.state is SinkState.LOADING]
        for origin, asked in list(self.repair_peers.items()):
            repair_peer = sinks.get(asked.peer)
            if repair_peer is None or repair_peer in loading:
                continue
            offered = repair_peer.vector.get(origin, 0)
            if any(sink.vector.get(origin, 0) >= offered for sink in loading):
                self.release(origin, repair_peer)

    def release(self, origin: Origin, repair_peer: Sink | None) -> None:
        """Stop the repair peer of `origin`, which is None if its link has closed."""
        if repair_peer is not None:
            repair_peer.unfill(origin)
        del self.repair_peers[origin]

    def record_refusal(self, peer: str, origin: Origin) -> None:
        """Record that `peer` no longer holds the ops of `origin` that it was asked for."""
        self.refused.add((peer, origin))
        gap = self.gaps.get(origin)
        if gap is not None:
            gap.attempts = 0
            gap.since = 0

    def forget_refusals(self, peer: str = "") -> None:
        """Forget the refusals of `peer`, or of all peers, so that they are asked again."""
        self.refused = {pair for pair in self.refused if peer and pair[0] != peer}


def find_lacking(have: Vector, wanted: Vector, sinks: Mapping[str, Sink]) -> set[Origin]:
    """Return the origins of which `wanted` or a peer's vector has more than `have`."""
    lacking: set[Origin] = set()
    for vector in (wanted, *[sink.vector for sink in sinks.values()]):
        for origin, seq in vector.items():
            if have.get(origin, 0) < seq:
                lacking.add(origin)
    return lacking


def is_supplied(origin: Origin, have: Vector, regular: Sink, repair_peer: Sink, since: int) -> bool:
    """Return whether a link that carries `origin` can go on without the peer that was asked at
    `since`. It can if it brings data again and its source has all that the repair peer has, or if
    we have all that both have. A source may itself have lost what it should bring."""
    theirs, offered = regular.vector.get(origin, 0), repair_peer.vector.get(origin, 0)
    held = have.get(origin, 0)
    return theirs >= offered if regular.data_at > since else held >= max(theirs, offered)
