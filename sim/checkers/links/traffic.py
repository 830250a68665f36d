"""Check that hardly anything is sent twice, and that repair peers stop when they are not needed.

Of all effects that a region receives at most 5 % are such as it has applied, or hold its turn,
already. Not counted are those that a fault held up on their way when the region asked a repair peer
for them: they arrive when the fault is over, and by then that peer has sent them too. Data that is
under way and arrives, however slowly, gives no reason to ask.

A source goes on behind what its sink has acknowledged, even if that came another way.
When all is quiet, no region is helped with an origin that a regular link brings. And no region
writes what no client has asked for, except that it deletes what has expired, forgets deadlines, and
serves clients who wait for an element of a list or a sorted set: an effect that an effect from
elsewhere causes would echo for ever.

Not checked: how many bytes messages without effects take; snapshots, which repeat what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, name_origin
from crdt.causality.effect import ANY_TYPE, DELETE, FORGET, Effect
from crdt.types.registry import BUILT_IN
from replication.machines.applier import with_waiting
from replication.machines.pacing import FIRST_BYTES
from replication.machines.sink import SinkState
from replication.machines.source import Source
from sim.checkers.replicas.unasked import UnaskedChecker
from sim.engine.checker import Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SHARE_MAX: Final = 5  # per cent
SAMPLE: Final = 8  # of so many turns of all regions, sources are looked at in one
FEW: Final = 40  # in a run, whatever it received
COLLECTED: Final = ((ANY_TYPE, DELETE), (ANY_TYPE, FORGET))


class TrafficChecker(UnaskedChecker):
    """Checks how many effects are sent twice."""

    promise: ClassVar[str] = "traffic"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.fresh = 0
        self.repeated = 0
        self.requests = 0
        self.turns = 0
        self.held_up = 0
        """The number of effects that were held up when somebody else was asked for them."""
        self.regions: dict[str, Watched] = {}
        self.known: dict[tuple[str, Origin, Source], int] = {}
        """By region, origin and connection: the last effect that counts as held up there."""

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region

    def on_repair_asked(self, region: Watched, origin: Origin) -> None:
        """Count the effects of `origin` that have been sent to `region` and are held up."""
        held = with_waiting(region.replica).get(origin, 0)
        for name, other in self.regions.items():
            source = other.links.sources.get(region.name)
            if name != region.name and source is not None and region.is_held_up(name):
                key = region.name, origin, source
                sent = source.sent.get(origin, 0)
                self.held_up += max(0, sent - max(held, self.known.get(key, 0)))
                self.known[key] = max(sent, self.known.get(key, 0))

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
        self.turns += 1
        if self.turns % SAMPLE == 0:
            for source in region.links.sources.values():
                self.check_place(region, source)

    def check_place(self, region: Watched, source: Source) -> None:
        """Check that a source does not send what its sink has acknowledged, over whichever link."""
        for origin, seq in source.progress.acknowledged.items():
            sent = source.sent.get(origin, 0)
            if sent < seq and source.wants(origin):
                raise self.violation(
                    f"{region.name} is to send {name_origin(origin)}:{sent + 1} to {source.peer},"
                    f" which has acknowledged {seq}"
                )

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.count_duplicates(region)

    def count_duplicates(self, region: Watched) -> None:
        """Add up what one incarnation of a region has received. Where less may wait than a new link
        sends initially, the rest is dropped, and sent again by design."""
        if region.replica.causal_buffer.limit < FIRST_BYTES:
            return
        self.fresh += region.replica.applied
        self.repeated += region.replica.effects_duplicate
        self.requests += region.links.repair.requests

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        for region in regions:
            self.count_duplicates(region)
            self.check_repair_peers(region)
        received = self.fresh + self.repeated
        self.looked += received
        room = received * SHARE_MAX // 100 + FEW + self.held_up
        if self.repeated > room:
            raise self.violation(
                f"{self.repeated} of {received} effects came twice, with {self.requests} requests"
                f" to helpers and {self.held_up} effects held up; at most {room} may"
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
