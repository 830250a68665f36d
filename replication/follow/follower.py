"""Replica Of, first form: following other databases one way (section 20 of the specification).

A follower dials its sources over the same link machinery as a region dials its peers, with two
differences. It asks for the ops of *all* origins, since it belongs to none of the regions. And its
Hello says that it is a follower, so its reports do not count for stability: metadata that it has
not seen may be collected (its next connection then loads a snapshot). It never writes under an
origin of a source.

Origins of unrelated databases collide, so each source has a block of region numbers here, and what
comes from it is renamed on its way in (see `origin_map`). A follower whose own region number is
higher than any of its only source needs no renaming: 255 is a good one for such an instance.

What a source has replaces the earlier data (20.1.4), at the moment at which its whole snapshot is
here. Until then the earlier data stays, so that a name that is mistyped, a source that goes away
and two instances that are told to follow each other lose nothing. A source that has never held
anything replaces nothing.

If a source has less of its own operations than we have from it, it has lost its data or is another
instance. Then its snapshot replaces all data too, and the other sources send theirs again (20.5).
That waits until all sources whose data we have are there to send it. Promotion keeps all data, and
later writes are under our own origin.

A source with origins that cannot be renamed is not dialled again, since the result would be the
same. Its `last_error` contains the reason.

The sources decide what is stable: a source reports to its followers what all its regions have
observed. A source's region deletes expired keys, as it deletes any other key.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Final

import attrs

from crdt.causality.dots import REGION_MAX, Vector, dominates
from crdt.embed.replica import Outcome, Replica
from crdt.errors import DecodeError
from crdt.store.merge import Incoming
from replication.machines.endpoint import NEVER, always_false
from replication.machines.receiving.applier import (
    Applier,
    Arrival,
    LocalApplier,
    WholeOp,
    read_op,
    with_waiting,
)
from replication.machines.receiving.origin_map import OriginMap, blocks
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.errors import CannotFollow, CannotRename
from replication.protocol.events import Event, Reported
from replication.protocol.frames import FOLLOWER, Frame, Hello
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Member, Peer

SOURCES_MAX: Final = 32  # section 20.1
IN_SYNC_NS: Final = SECOND  # a source may be ahead for so long before the status is "syncing"
LINEAGE_MAX: Final = REGION_MAX  # instances in a Hello
NOBODY: Final = 0
"""The only member while we follow. Its reports are what the sources call stable. It is lower than
any region, so we do not delete expired keys."""


class SourceStatus(enum.Enum):
    """The states of section 11.4."""

    OUT_OF_SYNC = "out-of-sync"
    SYNCING = "syncing"
    IN_SYNC = "in-sync"


@attrs.frozen
class SourceReport:
    """The state of one source."""

    name: str
    status: SourceStatus
    lag_ms: float
    last_io_ms: float | None
    """The time since its last frame, connected or not; None before the first."""
    ops: int
    bytes: int
    full: int
    partial_ok: int
    partial_err: int
    last_error: str


class MappedApplier(LocalApplier):
    """A replica as seen by one source: origins are renamed in both directions."""

    def __init__(
        self, replica: Replica, origin_map: OriginMap, report_unfit: Callable[[str], object] = str
    ) -> None:
        """`report_unfit` is called, with the reason, when renaming turns out to be impossible."""
        super().__init__(replica)
        self.origin_map = origin_map
        self.report_unfit = report_unfit
        self.empty: Callable[[], object] | None = None
        """Deletes all data when the snapshot of the source is here; None if that is merged with the
        present data. Until then the source is told that we have nothing, and its operations are
        ignored, since the snapshot holds them."""

    def vector(self) -> Vector:
        """Return the vector of the source's operations that were applied."""
        return self.origin_map.back(self.replica.keyspace.vector) if self.empty is None else {}

    def held(self) -> Vector:
        """Return the same vector with buffered operations."""
        return self.origin_map.back(with_waiting(self.replica)) if self.empty is None else {}

    def lost(self, vector: Vector) -> int:
        """Return 0: the source holds none of our effects."""
        return 0

    def accept(self, data: bytes) -> Outcome:
        """Apply or buffer an op of the source. Raises DecodeError; CannotRename is one."""
        try:
            op = self.origin_map.op(read_op(data))
        except CannotRename as error:
            self.report_unfit(str(error))
            raise
        return self.replica.accept(op) if self.empty is None else Outcome.DUPLICATE

    def begin_op(self) -> Arrival:
        """Return an op of which no part has come. It is renamed as a whole."""
        return WholeOp(self.accept)

    def merge(self, incoming: Incoming) -> None:
        """Merge a snapshot of the source. Raises DecodeError; CannotRename is one."""
        if not incoming.complete:
            raise DecodeError("a snapshot was cut off")
        try:
            self.origin_map.snapshot(incoming)
        except CannotRename as error:
            self.report_unfit(str(error))
            raise
        if self.empty is not None:
            self.empty()
            self.empty = None
        self.replica.merge_incoming(incoming)


def check_sources(names: Sequence[str]) -> None:
    """Check names of sources. Raises CannotFollow if there are none, too many, or duplicates."""
    if not 0 < len(names) <= SOURCES_MAX or len(set(names)) < len(names):
        raise CannotFollow(f"from one to {SOURCES_MAX} different sources can be followed")


class Follower(Links):
    """Follows one or several sources. Drive it like `Links`; it serves nobody.

    `serving` are the links over which the instance serves its own followers: they are closed when
    we start again from empty. Clients may only read while `following`.
    """

    def __init__(
        self,
        replica: Replica,
        member: Member,
        sources: Iterable[str],
        *,
        limits: Limits | None = None,
        serving: Links | None = None,
    ) -> None:
        """`sources` are names by which the caller knows where to dial, such as `host:port`.

        Raises CannotFollow if there are none, too many, or duplicates.
        """
        names = list(sources)
        check_sources(names)
        super().__init__(replica, member, [Peer(n, 0, None, False) for n in names], limits=limits)
        self.serving = serving
        if serving is not None:
            serving.upstream = self
        self.following = True
        self.origin_maps = dict(zip(names, blocks(member.region, len(names)), strict=True))
        self.promises: dict[str, tuple[Vector, Vector]] = {}
        """The vector of a source and its stable vector, from its latest report. The stable vector
        counts when we have all of the other."""
        self.unfit: dict[str, str] = {}
        """Sources that cannot be followed, and why."""
        self.last_received_at: dict[str, int] = {}
        """The time of the last frame of each source whose connection is closed."""
        self.stable: Vector = {}
        self.members = replica.stability.members
        replica.stability.list_members({NOBODY})
        self.ended: list[Event] = []
        """The ends of links that were closed when the data was replaced, until they are told."""
        self.shrunk: set[str] = set()
        """Sources that have answered lately, and had lost data that we have from them."""
        self.received_at = 0
        self.holds_old = replica.keyspace.vector != {}
        """True while the data from before following has not been replaced yet."""
        if not self.holds_old:
            self.empty()

    # -- what differs from links between members -------------------------------------------

    def dial(self, peer: str, now: int) -> Sink:
        """Return a machine for a new connection to a source. It does not wait for the snapshot of
        another source, which need not hold the same data."""
        sink = super().dial(peer, now)
        sink.defers = always_false
        return sink

    def applier_for(self, peer: str) -> Applier:
        report_unfit = partial(self.unfit.__setitem__, peer)
        applier = MappedApplier(self.replica, self.origin_maps[peer], report_unfit)
        applier.empty = partial(self.replace_data, peer) if self.holds_old else None
        return applier

    def make_hello(self, peer: str) -> Hello:
        member = self.member
        vector = self.origin_maps[peer].back(self.replica.keyspace.vector)
        vector = {} if self.holds_old else vector
        return Hello(member.name, member.region, member.origin, "", vector, FOLLOWER)

    def admit_peer(self, end: Machine, hello: Hello, now: int) -> str:
        applier = applier_of(end)
        self.record_lineage(end.peer, hello)
        if applier.empty is None and dominates(hello.vector, applier.vector()):
            return ""
        if not hello.vector:
            return "the source is empty: we keep the data that we have"
        if applier.empty is None:
            self.shrunk.add(end.peer)
            if absent := [name for name in self.peers if self.lacks(name)]:
                return (
                    "the source has lost data that we have from it: we keep our data until "
                    f"{absent[0]} can send its own again"
                )
            applier.empty = partial(self.replace_data, end.peer)
        return ""

    def record_lineage(self, peer: str, hello: Hello) -> None:
        """Remember whom a source follows. Our own followers are told when they connect."""
        self.lineages[peer] = ((hello.origin, hello.name), *hello.lineage)
        if self.serving is not None:
            known = dict.fromkeys(chain.from_iterable(self.lineages.values()))
            self.serving.log_reader.lineage = tuple(known)[:LINEAGE_MAX]

    def lacks(self, peer: str) -> bool:
        """Return whether we have data of a source that is not there to send it again."""
        sink = self.sinks.get(peer)
        is_there = peer in self.shrunk or (sink is not None and sink.is_open)
        return not is_there and self.origin_maps[peer].back(self.replica.keyspace.vector) != {}

    def on_connected(self, end: Machine, hello: Hello) -> list[Event]:
        events = super().on_connected(end, hello)
        self.promises.pop(end.peer, None)  # the source may have lost what it had then
        if applier_of(end).empty is not None:
            assert isinstance(end, Sink)
            end.load(replaces=True)
        return events

    def receive(self, end: Machine, frame: Frame, now: int) -> list[Event]:
        self.received_at = now
        events = super().receive(end, frame, now)
        events += self.ended
        self.ended = []
        return events

    def record_report(self, end: Machine, event: Reported, now: int) -> list[Event]:
        assert isinstance(end, Sink)
        if event.region:
            self.promises.setdefault(event.peer, (end.vector, event.vector))
        promise = self.promises.get(event.peer)
        have = end.applier.vector()
        if promise is not None and dominates(have, promise[0]):
            stable = {origin: seq for origin, seq in promise[1].items() if origin in have}
            self.stable |= self.origin_maps[event.peer].vector(stable)
            del self.promises[event.peer]
        return []

    def remove_end(self, end: Machine) -> None:
        if end.hello is not None:
            self.last_received_at[end.peer] = end.last_received_at
        else:
            self.shrunk.discard(end.peer)
        super().remove_end(end)

    def repair_gaps(self, now: int) -> list[Event]:
        """Do nothing: a source sends all of its origins in order, so there are no gaps."""
        self.repair_at = NEVER
        return []

    def collect(self) -> int:
        self.replica.stability.replace_report(NOBODY, self.stable)
        return super().collect()

    # -- following -------------------------------------------------------------------------

    def replace_data(self, peer: str) -> None:
        """Delete all data, since the snapshot of `peer` is here. Links that have data of other
        sources connect again, and those that load it go on."""
        self.holds_old = False
        for end in list(self.sinks.values()):
            applier = applier_of(end)
            if applier.empty is None or end.state is SinkState.AWAITING_HELLO:
                closed = end.close(f"our data is replaced by that of {peer}")
                self.ended += self.handle(end, closed, self.received_at)
            elif end.peer != peer:
                applier.empty = None
        self.empty()

    def empty(self) -> None:
        """Delete all data. The links of our followers close."""
        if self.serving is not None:
            self.serving.close_all("our data is replaced by that of a source", self.received_at)
        self.caught_up.clear()
        self.shrunk.clear()
        self.promises.clear()
        self.stable.clear()
        self.replica.reset()
        for links in (self, self.serving):
            if links is not None:
                links.adopt_origin()

    def promote(self, now: int) -> list[Event]:
        """Stop following, and become writable. The data stays."""
        events = self.close_all("no longer a replica", now)
        self.following = False
        if self.serving is not None:
            self.serving.upstream = None
            self.serving.log_reader.lineage = ()
        self.replica.causal_buffer.clear()
        self.replica.stability.list_members(self.members)
        return events

    def is_cut(self, peer: str, direction: Direction) -> bool:
        return not self.following or peer in self.unfit or super().is_cut(peer, direction)

    def status(self, peer: str, now: int) -> SourceStatus:
        """Return the status of a source."""
        sink = self.sinks.get(peer)
        if sink is None or sink.state is SinkState.AWAITING_HELLO:
            return SourceStatus.OUT_OF_SYNC
        if sink.state is SinkState.STREAMING and now - sink.age.covered_at < IN_SYNC_NS:
            return SourceStatus.IN_SYNC
        return SourceStatus.SYNCING

    def last_io_ms(self, peer: str, now: int) -> float | None:
        """Return the time (ms) since the last frame of a source; None before the first."""
        sink, at = self.sinks.get(peer), self.last_received_at.get(peer)
        if sink is not None and sink.hello is not None:
            at = sink.last_received_at
        return None if at is None else (now - at) / 1e6

    def reports(self, now: int) -> tuple[SourceReport, ...]:
        """Return the state of every source, in the order given."""
        rows: list[SourceReport] = []
        for row in self.statistics(now):
            status = self.status(row.peer, now)
            last_io_ms = self.last_io_ms(row.peer, now)
            is_lost = status is SourceStatus.OUT_OF_SYNC
            rows.append(
                SourceReport(
                    name=row.peer,
                    status=status,
                    lag_ms=(last_io_ms or 0.0) if is_lost else row.lag_ms,
                    last_io_ms=last_io_ms,
                    ops=row.ops,
                    bytes=row.bytes,
                    full=row.full,
                    partial_ok=row.partial_ok,
                    partial_err=row.partial_err,
                    last_error=row.last_error,
                )
            )
        return tuple(rows)


def applier_of(end: Machine) -> MappedApplier:
    """Return the applier of a link to a source."""
    assert isinstance(end, Sink), "a follower serves nobody"
    assert isinstance(end.applier, MappedApplier)
    return end.applier
