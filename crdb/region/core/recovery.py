"""The return of a region after a restart, and its reports to the operator. Pure.

Until a restarted region has caught up, clients get LOADING (`crdb.region.core.staleness`). `held`
is the last vector that its earlier incarnation wrote to disk. Compared with what peers bring, it
shows whether data is lost. None means that no vector was written, so the loss is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.engine.events.event_bases import Report
from crdb.engine.events.operator_events import (
    DataLostEvent,
    KeptEvent,
    LoadingEvent,
    RegionRunsTwiceEvent,
    WaitingEvent,
)
from crdb.region.core.staleness import Staleness
from crdt.causality.dots import Vector, join, lacking
from replication.mesh.links import Links
from replication.protocol.events import DisputedStateResolved
from replication.protocol.limits import SECOND

FIRST_REPORT_NS: Final = 3 * SECOND
"""The time for which a region waits for its peers before it reports that it waits."""
REPEAT_NS: Final = 60 * SECOND
REPEAT_NS_MAX: Final = 3600 * SECOND
NOBODY: Final = "No peer brings its data, so it does not serve"
REMEDY: Final = "start a peer, or start this region with --start-empty and lose what it held"
SOME_ANSWER: Final = "The peers that have answered hold nothing, so it waits for the others"
REMEDY_FOR_OTHERS: Final = (
    "start the others, or remove from the files those that are gone for good, or start this region "
    "with --start-empty and lose what it held"
)
STOP_ONE: Final = (
    "stop this process or the other one; if they are different regions, give each its own id in "
    "all files; if the other one has just died with its host, wait: peers notice it within 5 s"
)


class RegionRecovery:
    """The return of one region."""

    def __init__(self, staleness: Staleness, links: Links, report: Report) -> None:
        self.staleness = staleness
        self.links = links
        self.report = report
        self.held: Vector | None = {}
        self.is_blocked = False
        """True if the region must not write although it has recovered; see `block`."""
        self.report_at: int | None = None
        """The time (ns) of the next report; None until `report_waiting` has been called."""
        self.pause_ns = REPEAT_NS
        self.on_ready: Callable[[], None] = do_nothing

    @property
    def is_ready(self) -> bool:
        """True if clients get correct answers."""
        return self.is_recovered and not self.staleness.has_rival

    @property
    def is_recovered(self) -> bool:
        """True if the region does not lack what it has held."""
        return not self.staleness.instance.is_stale

    def begin(self, reason: str, held: Vector | None = None) -> None:
        """Refuse clients, because the region lacks data that it has held (`held`)."""
        self.held = held
        self.links.memory.expects_data = held is None or held != {}
        self.report_at = None
        self.pause_ns = REPEAT_NS
        if self.is_recovered:
            self.staleness.begin()
            self.report(LoadingEvent(reason=reason))

    def begin_again(self, reason: str) -> None:
        """Refuse clients, because a running region has found that it lacks data.

        If it waits already, it then waits for that data and for what it held before.
        """
        known = self.links.memory.known_vector()
        if self.is_recovered:
            self.begin(reason, known)
        else:
            self.begin(reason, None if self.held is None else join(self.held, known))

    def recover(self) -> None:
        """Serve clients again: the region has all data of the peers that it can reach."""
        if self.is_recovered or self.is_blocked:
            return
        have = self.links.replica.keyspace.vector
        lost = lacking(have, self.held or {})
        if lost or (self.held is None and not have):
            reached = sorted(self.links.recovery.done)
            self.report(DataLostEvent(everything=not have, peers=reached, writes=lost or None))
        self.finish()

    def finish(self) -> None:
        """Let clients read and write again."""
        self.links.memory.expects_data = False
        self.staleness.end()
        if self.is_ready:
            self.on_ready()

    def begin_rivalry(self, peer: str) -> None:
        """Refuse clients, because `peer` accepts another process in place of this one."""
        self.staleness.set_rival(has_rival=True)
        keys = self.links.replica.keyspace.estimate_size()
        self.report(RegionRunsTwiceEvent(peer=peer, keys=keys, remedy=STOP_ONE))

    def end_rivalry(self) -> None:
        """Serve clients again, because all peers accept this process."""
        self.staleness.set_rival(has_rival=False)
        if self.is_ready:
            self.on_ready()

    def report_merge(self, event: DisputedStateResolved) -> None:
        """Report whether the state that was put aside could be merged."""
        if event.lost_keys:
            self.report(DataLostEvent(keys=event.lost_keys, everything=False))
        elif event.merged:
            self.report(KeptEvent(moved=event.moved))

    def block(self) -> None:
        """Refuse writes, even after the recovery, until `unblock`."""
        self.is_blocked = True

    def unblock(self) -> None:
        """Undo `block`. Serve clients if the recovery is over."""
        self.is_blocked = False
        if self.links.recovery.is_over:
            self.recover()

    def report_waiting(self, now: int) -> None:
        """Report what the region waits for, at growing intervals. Call this once a second; `now` is
        in nanoseconds of a monotonic clock."""
        if self.is_recovered:
            return
        if self.links.recovery.is_over:  # an operator's cut may have ended the recovery
            self.recover()
            return
        if self.report_at is None:
            self.report_at = now + FIRST_REPORT_NS
        if now < self.report_at:
            return
        self.report_at = now + self.pause_ns
        self.pause_ns = min(2 * self.pause_ns, REPEAT_NS_MAX)
        waits = self.links.awaited()
        is_linked = any(sink.is_open for sink in self.links.sinks.values())
        reason, remedy = None, None
        if not is_linked:
            reason, remedy = NOBODY, REMEDY
        elif self.links.recovery.done and self.links.memory.awaits_all():
            reason, remedy = SOME_ANSWER, REMEDY_FOR_OTHERS
        self.report(WaitingEvent(peers=waits, reason=reason, remedy=remedy))


def do_nothing() -> None:
    """Do nothing, by default, when the region is ready."""
