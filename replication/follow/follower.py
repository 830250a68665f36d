"""Replica Of, first form: following other databases one way (section 20 of the specification).

A follower dials its sources over the same link machinery as a region dials its peers, with two
differences. It asks for the ops of *all* origins, as it belongs to none of the regions; and it says
that it is a follower, so nobody waits for its reports: what it has not seen may be forgotten there
(its next attempt then brings a snapshot). It never writes under an origin of a source.

Origins of unrelated databases collide, so each source has a block of region numbers here, and what
comes from it is renamed on its way in (see `renaming`). A follower whose own region number is
higher than any of its only source needs no renaming: 255 is a good one for such an instance.

Following starts with nothing: what was here is deleted (20.1.4), but not before a source has
answered, so that a name which is written wrong costs nothing. When a source turns out to know less
of itself than we have from it, it has lost its memory or is another one by now: then we start anew,
with all sources (20.5). Promotion keeps everything, and what the instance writes from then on is
under its own origin.

A source that has what cannot be renamed is not dialled again: it would bring the same once more.
Its `last_error` says what it was.

What to forget is the sources' to say: a source tells its followers what all its regions have
observed. Expired keys are deleted by a source's region, like any other key.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs

from crdt.causality.dots import Vector, dominates
from crdt.embed.replica import Outcome, Replica
from crdt.store.merge import Incoming
from replication.machines.applier import Direct, Inlet, read_op, with_waiting
from replication.machines.endpoint import NEVER
from replication.machines.origin_map import Renaming, blocks
from replication.machines.sink import Sink, SinkState
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.errors import CannotFollow, CannotRename
from replication.protocol.events import Event, Reported
from replication.protocol.frames import FOLLOWER, Hello
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Member, Peer

SOURCES_MAX: Final = 32  # section 20.1
IN_SYNC_NS: Final = SECOND  # for so long a source may be ahead before it counts as out of step
NOBODY: Final = 0
"""The only member of what we follow, as far as stability goes: it reports what the sources say is
stable, and as it is lower than any region, deleting what has expired is not our duty."""


class SourceStatus(enum.Enum):
    """The words of section 11.4."""

    OUT_OF_SYNC = "out-of-sync"
    SYNCING = "syncing"
    IN_SYNC = "in-sync"


@attrs.frozen
class SourceReport:
    """The state of one source."""

    name: str
    status: SourceStatus
    lag_ms: float
    heard_ms: float | None
    """How long ago it last said something, connected or not; None if it never did."""
    ops: int
    bytes: int
    full: int
    partial_ok: int
    partial_err: int
    last_error: str


class Renamed(Direct):
    """A replica, in the words of one source."""

    def __init__(
        self, replica: Replica, renaming: Renaming, give_up: Callable[[str], object] = str
    ) -> None:
        """`give_up` is called, with the reason, when renaming turns out to be impossible."""
        super().__init__(replica)
        self.renaming = renaming
        self.give_up = give_up

    def vector(self) -> Vector:
        """What has been applied of the source's."""
        return self.renaming.back(self.replica.keyspace.vector)

    def held(self) -> Vector:
        """The same with what waits for its turn."""
        return self.renaming.back(with_waiting(self.replica))

    def lost(self, vector: Vector) -> int:
        """Nobody else knows effects of ours."""
        return 0

    def accept(self, data: bytes) -> Outcome:
        """Take in an op of the source. Raises DecodeError, CannotRename among them."""
        try:
            op = self.renaming.op(read_op(data))
        except CannotRename as error:
            self.give_up(str(error))
            raise
        return self.replica.accept(op)

    def merge(self, incoming: Incoming) -> None:
        """Take in a snapshot of the source. Raises DecodeError, CannotRename among them."""
        try:
            self.renaming.snapshot(incoming)
        except CannotRename as error:
            self.give_up(str(error))
            raise
        self.replica.merge_incoming(incoming)


def check_sources(names: Sequence[str]) -> None:
    """Raises CannotFollow if there are none, too many, or one twice."""
    if not 0 < len(names) <= SOURCES_MAX or len(set(names)) < len(names):
        raise CannotFollow(f"from one to {SOURCES_MAX} different sources can be followed")


class Follower(Links):
    """Follows one or several sources. Drive it like `Links`; it serves nobody.

    `serving` are the links over which the instance serves its own followers: they are closed when
    we start anew. Clients may only read while `following`.
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

        Raises CannotFollow if there are none, too many, or one twice.
        """
        names = list(sources)
        check_sources(names)
        super().__init__(replica, member, [Peer(n, 0, None, False) for n in names], limits=limits)
        self.serving = serving
        if serving is not None:
            serving.upstream = self
        self.following = True
        self.renamings = dict(zip(names, blocks(member.region, len(names)), strict=True))
        self.promises: dict[str, tuple[Vector, Vector]] = {}
        """What a source had, and what was stable there, when it last said so; it counts once we
        have all that it had."""
        self.unfit: dict[str, str] = {}
        """Sources that cannot be followed, and why."""
        self.heard: dict[str, int] = {}
        """When a source whose connection is over last said something."""
        self.stable: Vector = {}
        self.members = replica.stability.members
        replica.stability.members = {NOBODY}
        self.holds_old = replica.keyspace.vector != {}
        """Whether what was here before has not been deleted yet."""
        if not self.holds_old:
            self.empty(0)

    # -- what differs from links between members -------------------------------------------

    def inlet(self, peer: str) -> Inlet:
        return Renamed(self.replica, self.renamings[peer], partial(self.unfit.__setitem__, peer))

    def introduction(self, peer: str) -> Hello:
        member = self.member
        vector = self.renamings[peer].back(self.replica.keyspace.vector)
        return Hello(member.name, member.region, member.origin, "", vector, FOLLOWER)

    def admit(self, end: Machine, hello: Hello, now: int) -> str:
        assert isinstance(end, Sink), "a follower serves nobody"
        if self.holds_old:
            self.holds_old = False
            self.empty(now)
            return "what was here is replaced"
        if dominates(hello.vector, end.inlet.vector()):
            return ""
        if not hello.vector:
            return "the source holds nothing any more: we keep what we have from it"
        self.empty(now)
        return "the source has lost what we have from it: we start anew"

    def hear(self, end: Machine, event: Reported, now: int) -> list[Event]:
        assert isinstance(end, Sink)
        if event.region:
            self.promises.setdefault(event.peer, (end.vector, event.vector))
        promise = self.promises.get(event.peer)
        have = end.inlet.vector()
        if promise is not None and dominates(have, promise[0]):
            stable = {origin: seq for origin, seq in promise[1].items() if origin in have}
            self.stable |= self.renamings[event.peer].vector(stable)
            del self.promises[event.peer]
        return []

    def forget(self, end: Machine) -> None:
        if end.hello is not None:
            self.heard[end.peer] = end.heard_at
        super().forget(end)

    def mend(self, now: int) -> list[Event]:
        """One source brings all of its origins in order: there are no gaps to close."""
        self.repair_at = NEVER
        return []

    def collect(self) -> int:
        self.replica.stability.reports[NOBODY] = dict(self.stable)
        return super().collect()

    # -- following -------------------------------------------------------------------------

    def empty(self, now: int) -> None:
        """Lose what is here, to begin from nothing. All links close, those of our followers
        too."""
        if self.serving is not None:
            self.serving.close_all("what was here is replaced", now)
        self.close_all("we start anew", now)
        self.caught_up.clear()
        self.promises.clear()
        self.stable.clear()
        self.replica.reset()
        for links in (self, self.serving):
            if links is not None:
                links.take_name()

    def promote(self, now: int) -> list[Event]:
        """Follow nobody any more and become writable; the data stays."""
        events = self.close_all("no longer a replica", now)
        self.following = False
        if self.serving is not None:
            self.serving.upstream = None
        self.replica.gate.queues.clear()
        self.replica.gate.bytes = 0
        self.replica.stability.members = self.members
        return events

    def is_cut(self, peer: str, direction: Direction) -> bool:
        return not self.following or peer in self.unfit or super().is_cut(peer, direction)

    def status(self, peer: str, now: int) -> SourceStatus:
        """Where a source stands."""
        sink = self.sinks.get(peer)
        if sink is None or sink.state is SinkState.GREETING:
            return SourceStatus.OUT_OF_SYNC
        if sink.state is SinkState.STREAMING and now - sink.covered_at < IN_SYNC_NS:
            return SourceStatus.IN_SYNC
        return SourceStatus.SYNCING

    def heard_ms(self, peer: str, now: int) -> float | None:
        """How long ago a source last said something; None if it never did."""
        sink, at = self.sinks.get(peer), self.heard.get(peer)
        if sink is not None and sink.hello is not None:
            at = sink.heard_at
        return None if at is None else (now - at) / 1e6

    def reports(self, now: int) -> tuple[SourceReport, ...]:
        """Every source, in the order given."""
        rows: list[SourceReport] = []
        for row in self.statistics(now):
            status = self.status(row.peer, now)
            heard_ms = self.heard_ms(row.peer, now)
            is_lost = status is SourceStatus.OUT_OF_SYNC
            rows.append(
                SourceReport(
                    name=row.peer,
                    status=status,
                    lag_ms=(heard_ms or 0.0) if is_lost else row.lag_ms,
                    heard_ms=heard_ms,
                    ops=row.ops,
                    bytes=row.bytes,
                    full=row.full,
                    partial_ok=row.partial_ok,
                    partial_err=row.partial_err,
                    last_error=row.last_error,
                )
            )
        return tuple(rows)
