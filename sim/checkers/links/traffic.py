"""Check that hardly anything is sent twice, and that repair peers stop when they are not needed.

Of all effects that a region receives at most 5 % are such as it has applied already. An effect does
not count, once for each connection that brings it, if its sender could not know in time that the
region gets it another way, and the region could not know that this connection brings it in time.
That is so for effects that are under way over a connection when another way brings them:

* A repair peer was asked, or is sending effects of their origin, while a fault holds the connection
  up. Data that is under way and arrives, however slowly, gives no reason to ask.
* A repair peer was asked when nobody was sending them. A peer that has them since may send them
  too, until it has been told that they are here. A source whose window is full sends nothing while
  the acknowledgements of all that it has sent are under way.
* A snapshot that contains them was merged. The other peers go on until they have been told.

A source goes on behind what its sink has acknowledged, even if that came another way.
When all is quiet, no region is helped with an origin that a regular link brings. And no region
writes what no client has asked for, except that it deletes what has expired, forgets deadlines, and
serves clients who wait for an element of a list or a sorted set: an effect that an effect from
elsewhere causes would echo for ever.

Not checked: how many bytes messages without effects take; snapshots, which repeat what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, Vector, dominates, name_origin
from crdt.causality.effect import ANY_TYPE, DELETE, FORGET, Effect
from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from crdt.types.registry import BUILT_IN
from replication.machines.endpoint import Tally
from replication.machines.receiving.applier import LocalApplier, with_waiting
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.pacing import FIRST_BYTES
from replication.machines.sending.source import Source
from replication.protocol.frames import Frame
from replication.protocol.peers import Direction
from sim.checkers.replicas.unasked import UnaskedChecker
from sim.engine.checker import Watched
from sim.engine.frame_checker import Linked
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SHARE_MAX: Final = 5  # per cent
SAMPLE: Final = 8  # of so many turns of all regions, sources are looked at in one
FEW: Final = 40  # in a run, whatever it received
COLLECTED: Final = ((ANY_TYPE, DELETE), (ANY_TYPE, FORGET))

NO_TALLY: Final = Tally()


class TrafficChecker(UnaskedChecker):
    """Checks how many effects are sent twice."""

    promise: ClassVar[str] = "traffic"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.fresh = 0
        self.repeated = 0
        """The number of effects that came twice without an excuse."""
        self.excused = 0
        """The number of those that had one."""
        self.requests = 0
        self.turns = 0
        self.regions: dict[str, Watched] = {}
        self.down: set[str] = set()
        self.excuses: dict[str, Counter[tuple[Origin, int]]] = {}
        """By region, how often an effect may come once more."""
        self.known: dict[tuple[str, Origin, Source | None], int] = {}
        """By region, origin and connection: the last effect that is excused there. The connection
        is None for what nobody was sending."""
        self.sent: dict[tuple[str, Origin, Source], int] = {}
        """The same for each origin that a repair peer sends: the last effect that was sent there
        when `excuse_delayed` was last called."""
        self.before: dict[str, tuple[int, Vector]] = {}
        """By region the number of merged snapshots, and what it held, after its last turn."""
        self.snapshots: dict[tuple[str, str], int] = {}
        """By region and peer the number of snapshots that it has merged."""
        self.unaware: dict[Source, tuple[Vector, Vector]] = {}
        """The sources whose sink has merged a snapshot of another peer and has not told them so,
        each with the vectors of the sink before and after the merge."""
        self.appliers: dict[str, LocalApplier] = {}

    def on_region_started(self, region: Watched) -> None:
        name = region.name
        self.regions[name] = region
        self.down.discard(name)
        self.excuses[name] = Counter()
        for key in [key for key in self.known if key[0] == name]:
            del self.known[key]
        for pair in [pair for pair in self.snapshots if pair[0] == name]:
            del self.snapshots[pair]
        self.before[name] = region.replica.merges, with_waiting(region.replica)
        if self.appliers.get(name) is not region.links.local_applier:
            self.appliers[name] = region.links.local_applier
            self.watch_applier(region, region.links.local_applier)

    def watch_applier(self, region: Watched, applier: LocalApplier) -> None:
        """Count the effects that a region receives over its links a second time."""
        take = applier.accept

        def accept(data: bytes) -> Outcome:
            outcome = take(data)
            if outcome is Outcome.DUPLICATE:
                self.record_duplicate(region, Op.from_bytes(data))
            return outcome

        applier.accept = accept  # type: ignore[method-assign]

    def record_duplicate(self, region: Watched, op: Op) -> None:
        """Count an operation that a region has applied before. Where less may wait than a new link
        sends initially, the rest is dropped, and sent again by design."""
        if region.replica.causal_buffer.limit < FIRST_BYTES:
            return
        excuses = self.excuses[region.name]
        for seq in range(op.first, op.last + 1):
            if excuses[op.origin, seq]:
                excuses[op.origin, seq] -= 1
                self.excused += 1
            else:
                self.repeated += 1

    def on_repair_asked(self, region: Watched, origin: Origin) -> None:
        """Excuse effects of `origin` that are held up, or that nobody is sending to `region`."""
        held = sent = with_waiting(region.replica).get(origin, 0)
        for name, source in self.sources_to(region):
            if region.is_held_up(name):
                sent = max(sent, source.cursor.sent.get(origin, 0))
                self.excuse_under_way(region, origin, source, held)
        asked = region.links.repair.repair_peers[origin].peer
        others = [name for name in self.regions if name != asked]
        helper = self.regions[asked].replica
        is_kept = helper.history.floor.get(origin, 0) <= held
        if is_kept and not any(self.is_sending(region, each, origin, held) for each in others):
            self.excuse((region.name, origin, None), sent, helper.keyspace.vector.get(origin, 0))
        self.excuse_delayed()

    def sources_to(self, region: Watched) -> Iterator[tuple[str, Source]]:
        """Yield the peers that are connected to `region`, each with the source that sends there."""
        for name, other in self.regions.items():
            source = other.links.sources.get(region.name)
            if source is not None and is_connected(source, region):
                yield name, source

    def excuse_delayed(self) -> None:
        """Excuse what was sent since the last call over a way that is held up, if the region lacks
        it and a repair peer is sending effects of its origin."""
        now: dict[tuple[str, Origin, Source], int] = {}
        for region in self.regions.values():
            sources = list(self.sources_to(region))
            for origin, helper in helpers(region, sources):
                held = with_waiting(region.replica).get(origin, 0)
                for name, source in sources:
                    key = region.name, origin, source
                    now[key] = source.cursor.sent.get(origin, 0)
                    if name != helper and region.is_held_up(name):
                        before = self.sent.get(key, now[key])
                        self.excuse_under_way(region, origin, source, max(before, held))
        self.sent = now

    def excuse_under_way(self, region: Watched, origin: Origin, source: Source, after: int) -> None:
        """Excuse the effects after `after` that a connection has sent to `region`."""
        sent = source.cursor.sent.get(origin, 0)
        self.excuse((region.name, origin, source), after, sent)

    def excuse(self, key: tuple[str, Origin, Source | None], after: int, until: int) -> None:
        """Excuse the effects after `after` up to `until` that are not excused already."""
        name, origin, _ = key
        known = self.known.get(key, 0)
        self.excuses[name].update((origin, seq) for seq in range(max(after, known) + 1, until + 1))
        self.known[key] = max(until, known)

    def is_sending(self, region: Watched, name: str, origin: Origin, held: int) -> bool:
        """Return whether another region sends more than `held` effects of `origin` to `region`, or
        has reported that it is to send them, and no fault holds them up."""
        sink, other = region.links.sinks.get(name), self.regions[name]
        if sink is None or name in self.down or other.was_paused or region.is_held_up(name):
            return False
        if not (sink.carries(origin) or origin in sink.asked) or not is_live(sink):
            return False
        source = other.links.sources.get(region.name)
        if source is not None and source.cursor.sent.get(origin, 0) > held:
            return True
        has_reported = sink.vector.get(origin, 0) > held
        return has_reported and (source is None or not is_held_back(source, sink))

    def excuse_merged(self, region: Watched, before: Vector) -> None:
        """Excuse what was under way to `region` when it merged a snapshot that contains it. The
        peer that has sent the snapshot has sent nothing else meanwhile."""
        now = region.replica.keyspace.vector
        for name, other in self.regions.items():
            tally = region.links.tallies.get((name, Direction.IN), NO_TALLY)
            has_sent = tally.full != self.snapshots.get((region.name, name), 0)
            self.snapshots[region.name, name] = tally.full
            source = other.links.sources.get(region.name)
            if has_sent or source is None or not is_connected(source, region):
                continue
            self.unaware[source] = before, dict(now)
            self.excuse_before_told(source)

    def excuse_before_told(self, source: Source) -> None:
        """Excuse what a source has sent of a snapshot that its sink has merged meanwhile."""
        before, now = self.unaware[source]
        for origin, sent in source.cursor.sent.items():
            until = min(sent, now.get(origin, 0))
            self.excuse((source.peer, origin, source), before.get(origin, 0), until)

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Excuse what a source sends until it has been told that its sink has merged it."""
        if not isinstance(end, Source) or end not in self.unaware:
            return
        if end.closed or dominates(end.progress.acknowledged, self.unaware[end][1]):
            del self.unaware[end]
        else:
            self.excuse_before_told(end)

    def on_unasked_op(self, region: Watched, effect: Effect) -> None:
        kind = effect[:2]
        operation = BUILT_IN.operations.get(kind)
        is_served = operation is not None and operation.serves_waiters
        if kind not in COLLECTED and not is_served:
            raise self.violation(
                f"{region.name} writes to {effect[2]!r}, and nobody has asked it to"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check now and then what is still to be sent."""
        merges, before = self.before[region.name]
        if region.replica.merges != merges:
            self.excuse_merged(region, before)
        self.before[region.name] = region.replica.merges, with_waiting(region.replica)
        self.excuse_delayed()
        self.turns += 1
        if self.turns % SAMPLE == 0:
            for source in region.links.sources.values():
                self.check_place(region, source)

    def check_place(self, region: Watched, source: Source) -> None:
        """Check that a source does not send what its sink has acknowledged, over whichever link."""
        for origin, seq in source.progress.acknowledged.items():
            sent = source.cursor.sent.get(origin, 0)
            if sent < seq and source.cursor.wants(origin):
                raise self.violation(
                    f"{region.name} is to send {name_origin(origin)}:{sent + 1} to {source.peer},"
                    f" which has acknowledged {seq}"
                )

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.count_received(region)
        self.down.add(region.name)

    def count_received(self, region: Watched) -> None:
        """Add up what one incarnation of a region has received."""
        if region.replica.causal_buffer.limit >= FIRST_BYTES:
            self.fresh += region.replica.applied
            self.requests += region.links.repair.requests

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        for region in regions:
            self.count_received(region)
            self.check_repair_peers(region)
        received = self.fresh + self.repeated + self.excused
        self.looked += received
        room = received * SHARE_MAX // 100 + FEW
        if self.repeated > room:
            raise self.violation(
                f"{self.repeated} of {received} effects came twice, with {self.requests} requests"
                f" to repair peers, and {self.excused} more with an excuse; at most {room} may"
            )

    def check_repair_peers(self, region: Watched) -> None:
        """Check which repair peers still send."""
        for origin, repair_peer in region.links.repair.repair_peers.items():
            for sink in region.links.sinks.values():
                if sink.state is SinkState.STREAMING and sink.carries(origin):
                    raise self.violation(
                        f"{repair_peer.peer} still sends {region.name} what {name_origin(origin)}"
                        f" writes, though {sink.peer} does"
                    )


def helpers(region: Watched, sources: Sequence[tuple[str, Source]]) -> set[tuple[Origin, str]]:
    """Return the origins for which `region` has asked a repair peer, each with that peer, and those
    whose repair peer has not been told to stop."""
    asked = region.links.repair.repair_peers
    found = {(origin, repair_peer.peer) for origin, repair_peer in asked.items()}
    return found | {(origin, name) for name, source in sources for origin in source.cursor.extra}


def is_live(sink: Sink) -> bool:
    """Return whether a connection brings data, or will as soon as both ends have greeted."""
    if sink.state is SinkState.AWAITING_HELLO:
        return sink.is_answered
    return sink.state in (SinkState.STREAMING, SinkState.RESUMING)


def is_held_back(source: Source, sink: Sink) -> bool:
    """Return whether a source may send nothing more, and its sink has received all that it has sent
    but the acknowledgements have not arrived. They may queue behind data of the other direction."""
    is_full = source.in_flight >= source.pace.window_bytes
    return is_full and source.sent_bytes == sink.received_bytes


def is_connected(source: Source, region: Watched) -> bool:
    """Return whether a source sends to the present incarnation of a region."""
    return source.hello is not None and source.hello.origin == region.replica.origin
