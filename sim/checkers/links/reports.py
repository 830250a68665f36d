"""Check that reports of what regions have applied count in time, and that no region is sent its own
one.

Metadata is forgotten, and an expired key is deleted, when all regions have reported that they have
seen it. A report that never counts keeps it for ever.

* A report counts as soon as everything has come that its region had written before it. Of those
  that wait for this, the oldest and the latest are kept. Without the oldest, no report would count
  over a link on which data is always a little behind.
* No region is sent its own reports.

Not checked: reports of another membership view, and those that a region has taken back since.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from crdt.causality.dots import Vector, dominates, region_of
from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import Ack, Frame, Heartbeat, View
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory


@attrs.define
class PendingReports:
    """The reports of other regions that one region keeps until they count, within one view of the
    members: of each region the oldest and the latest."""

    replica: Replica
    members: set[int] | None
    view: View
    waiting: dict[int, list[Vector]]

    def is_void(self, region: Watched) -> bool:
        """Return whether the region has forgotten all reports since."""
        return (
            self.replica is not region.replica
            or self.view != region.links.membership.view
            or self.members != region.replica.stability.members
        )


class ReportChecker(FrameChecker):
    """Checks reports of vectors."""

    promise: ClassVar[str] = "reports"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.pending: dict[str, PendingReports] = {}

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region
        self.pending.pop(region.name, None)

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check whom a heartbeat informs about which region."""
        if not isinstance(frame, Heartbeat) or isinstance(end, Sink) or end.is_follower:
            return
        for region, _, _ in frame.reports:
            self.looked += 1
            if region == end.region:
                raise self.violation(f"{process.name} sends {end.peer} a report of its own")

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check that the reports in a regular message count when they must."""
        region = self.regions.get(process.name)
        if region is None or not isinstance(frame, Heartbeat | Ack):
            return
        links = region.links
        pending = self.pending.get(region.name)
        if pending is None or pending.is_void(region):
            members, view = region.replica.stability.members, links.membership.view
            pending = self.pending[region.name] = PendingReports(region.replica, members, view, {})
        if end.closed or not end.counts or end.view_received != pending.view:
            return
        reports = [(end.region, frame.vector)]
        if isinstance(frame, Heartbeat):
            reports += [(number, vector) for number, vector, _ in frame.reports]
        for number, vector in reports:
            if number != region.replica.region and links.membership.is_member(number):
                self.check_report(region, pending, number, vector)

    def check_report(
        self, region: Watched, pending: PendingReports, number: int, vector: Vector
    ) -> None:
        """Check that the reports of a region count of which nothing is still to come."""
        self.looked += 1
        waiting = pending.waiting.setdefault(number, [])
        mine = region.replica.keyspace.vector
        while waiting and is_here(waiting[0], number, mine):
            self.check_counted(region, number, waiting.pop(0))
        while waiting and not dominates(vector, waiting[-1]):
            waiting.pop()
        waiting[1:] = [vector]
        while waiting and is_here(waiting[0], number, mine):
            self.check_counted(region, number, waiting.pop(0))

    def check_counted(self, region: Watched, number: int, vector: Vector) -> None:
        """Check that a report counts."""
        counted = region.replica.stability.report_of(number)
        if counted is None or not dominates(counted, vector):
            raise self.violation(
                f"{region.name} has all that region {number} had written when it reported"
                f" {shown(vector)}, and counts {'nothing' if counted is None else shown(counted)}"
            )


def is_here(report: Vector, number: int, vector: Vector) -> bool:
    """Return whether `vector` covers what a region had written when it reported."""
    for origin, seq in report.items():
        if region_of(origin) == number and vector.get(origin, 0) < seq:
            return False
    return True
