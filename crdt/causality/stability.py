"""What everybody has seen: the ground below which metadata may be forgotten.

Each region reports the vector and the wall clock it has reached. A report counts here once all
that its region wrote before it has been applied: so an effect still under way holds it back, as if
reports travelled in the same queue as the operations. Reports may come by several ways and overtake
each other: a vector that says less than an earlier one is ignored. The component-wise minimum over
all members is stable (rules MEM-2, MEM-3). Of clocks the latest counts, since they may be set back;
if that is an older one, something expires for all a little later.

A region that loses its memory goes on under another origin, and what it reports from then on says
nothing about writes of its earlier life that are still under way. Whoever can tell which lives are
present (`replication.protocol.membership_view` does) says so with `enter`. All reports are void
then, and nothing is stable until the new ones agree on what each life that is over has written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from crdt.causality.dots import Origin, Vector, dominates, meet, region_of

Report: TypeAlias = tuple[Vector, int, Vector]
"""A vector and a clock, and of the vector what the region itself has written."""


class Stability:
    """The latest reports of the other members, by region."""

    __slots__ = ("clocks", "members", "pending", "present", "regions", "reports")

    def __init__(self, members: set[int] | None) -> None:
        """`members` are the other regions; None while they are not known."""
        self.members: set[int] | None = members
        self.present: frozenset[Origin] = frozenset()
        """The lives that go on, of the `regions` of which that is known."""
        self.regions: frozenset[int] = frozenset()
        self.reports: dict[int, Vector] = {}
        self.clocks: dict[int, int] = {}
        self.pending: dict[int, list[Report]] = {}
        """What does not count yet, by region; none of the lists is empty."""

    def enter(self, present: Iterable[Origin]) -> None:
        """These lives are the present ones of their regions. What was reported before is void."""
        self.present = frozenset(present)
        self.regions = frozenset(map(region_of, self.present))
        self.void()

    def void(self) -> None:
        """Forget what was reported."""
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
        """Let `vector` be the latest report of a region, also if it says less than before."""
        self.reports[region] = dict(vector)

    def is_over(self, origin: Origin) -> bool:
        """Whether `origin` is a life of which its region has lost the memory."""
        return origin not in self.present and region_of(origin) in self.regions

    def heard(self, region: int, vector: Vector, clock: int, mine: Vector) -> None:
        """`region` has reached `vector` and `clock` (ms). `mine` is our own vector."""
        queue = self.pending.setdefault(region, [])
        while queue and not dominates(vector, queue[-1][0]):
            queue.pop()  # the region has lost its memory since, and what it told of may never come
        if len(queue) > 1:
            queue.pop()
        written = {origin: seq for origin, seq in vector.items() if region_of(origin) == region}
        queue.append((vector, clock, written))
        self.settle(mine)

    def settle(self, mine: Vector) -> None:
        """Let reports count whose writes have all been applied."""
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
        """What every member has observed; empty while one has not reported, or is unknown, or lives
        that are over have written what not all have. O(members * origins)."""
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
        """The wall clock, in ms, that every member has reached; 0 while one has not reported, or
        is unknown."""
        if self.members is None:
            return 0
        return min([mine, *(self.clocks.get(region, 0) for region in sorted(self.members))])

    def leads(self, region: int) -> bool:
        """Whether `region`, our own, is the lowest of all: what one must do is its duty."""
        return self.members is not None and all(region < other for other in self.members)
