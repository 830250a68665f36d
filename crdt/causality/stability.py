"""Stability: the vector that all members have seen, below which metadata may be forgotten.

Each region reports its vector and its wall clock. A report counts here once all that its region
wrote before it has been applied. So an effect that is under way holds the report back, as if both
travelled in one queue. Reports may come over several paths and overtake each other: a vector that
covers less than an earlier one is ignored. The component-wise minimum over all members is stable
(rules MEM-2, MEM-3). The latest clock of a region counts, since clocks may be set back. If it is an
older one, keys expire everywhere a little later.

A region that loses its memory continues under another origin. Its reports from then on do not cover
writes of its earlier incarnation that are still under way. `replication.protocol.membership_view`
knows the present incarnations and passes them to `enter`. All reports are void then, and nothing is
stable until the new ones agree on what each incarnation that is over has written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from crdt.causality.dots import Origin, Vector, dominates, meet, region_of

Report: TypeAlias = tuple[Vector, int, Vector]
"""A vector, a clock, and the part of the vector that the region itself has written."""


class Stability:
    """The latest reports of the other members, by region."""

    __slots__ = ("clocks", "members", "pending", "present", "regions", "reports")

    def __init__(self, members: set[int] | None) -> None:
        """`members` are the other regions; None while they are not known."""
        self.members: set[int] | None = members
        self.present: frozenset[Origin] = frozenset()
        """The present incarnations of `regions`, as far as they are known."""
        self.regions: frozenset[int] = frozenset()
        self.reports: dict[int, Vector] = {}
        self.clocks: dict[int, int] = {}
        self.pending: dict[int, list[Report]] = {}
        """The reports that do not count yet, by region; none of the lists is empty."""

    def enter(self, present: Iterable[Origin]) -> None:
        """Set the present incarnations of their regions. Earlier reports are void."""
        self.present = frozenset(present)
        self.regions = frozenset(map(region_of, self.present))
        self.void()

    def void(self) -> None:
        """Forget all reports."""
        self.reports.clear()
        self.clocks.clear()
        self.pending.clear()

    def list_members(self, members: set[int] | None) -> None:
        """Count these other regions as the members from now on; None while they are not known."""
        self.members = members

    def report_of(self, region: int) -> Vector | None:
        """Return the vector by the latest report of a region that counts, None if there is none."""
        return self.reports.get(region)

    def clock_of(self, region: int) -> int:
        """Return the wall clock (ms) by the latest report of a region that counts, 0 if there is
        none."""
        return self.clocks.get(region, 0)

    def vectors_of(self, region: int) -> list[Vector]:
        """Return all vectors that a region has reported and that are not superseded, also those
        that do not count yet."""
        vectors = [report[0] for report in self.pending.get(region, ())]
        if region in self.reports:
            vectors.append(self.reports[region])
        return vectors

    def replace_report(self, region: int, vector: Vector) -> None:
        """Set the latest report of a region, even if it covers less than before."""
        self.reports[region] = dict(vector)

    def is_over(self, origin: Origin) -> bool:
        """Return whether `origin` is an earlier incarnation of its region."""
        return origin not in self.present and region_of(origin) in self.regions

    def record_report(self, region: int, vector: Vector, clock: int, mine: Vector) -> None:
        """Record that `region` has reached `vector` and `clock` (ms). `mine` is our own vector."""
        queue = self.pending.setdefault(region, [])
        while queue and not dominates(vector, queue[-1][0]):
            queue.pop()  # the region has lost its memory since, and what it reported may never come
        if len(queue) > 1:
            queue.pop()
        written = {origin: seq for origin, seq in vector.items() if region_of(origin) == region}
        queue.append((vector, clock, written))
        self.count_reports(mine)

    def count_reports(self, mine: Vector) -> None:
        """Count the reports whose writes have all been applied."""
        for region in sorted(self.pending):
            queue = self.pending[region]
            while queue and dominates(mine, queue[0][2]):
                report, clock, _ = queue.pop(0)
                if not dominates(self.reports.get(region, {}), report) or not report:
                    self.reports[region] = report
                self.clocks[region] = clock or self.clocks.get(region, 0)
            if not queue:
                del self.pending[region]

    def stable(self, mine: Vector) -> Vector:
        """Return the vector that every member has observed. O(members * origins).

        It is empty while a member is unknown or has not reported, and while not all have what an
        incarnation that is over has written.
        """
        if self.members is None:
            return {}
        common = mine
        for region in sorted(self.members):
            report = self.reports.get(region)
            if report is None:
                return {}
            common = meet(common, report)
        for vector in (mine, *self.reports.values()):
            for origin, seq in vector.items():
                if common.get(origin, 0) < seq and self.is_over(origin):
                    return {}
        return common

    def clock(self, mine: int) -> int:
        """Return the wall clock (ms) that every member has reached; 0 while one is unknown or has
        not reported."""
        if self.members is None:
            return 0
        return min([mine, *(self.clocks.get(region, 0) for region in sorted(self.members))])

    def leads(self, region: int) -> bool:
        """Return whether our own `region` is the lowest of all. It does what only one may do."""
        return self.members is not None and all(region < other for other in self.members)
