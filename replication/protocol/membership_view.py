"""The membership view: the present incarnation of each region, within which reports count.

A report promises that all later writes of its region have seen the reported vector. After a region
has lost its memory, this no longer holds. A third region may still hold writes of the earlier
incarnation, and those have not seen what the new incarnation reports.

So each replica keeps a *view*: the origin of the present incarnation of each member, and its
*epoch*, the number of incarnations that were noticed before it. The Hello of a new incarnation
increases the epoch. Views are sent ahead of reports, and the greater epoch wins. A replica that
finds a newer incarnation of itself in a view takes the next epoch. Epochs need no clock and no
disk, and incarnations need no order.

* A report counts only if it was made in our own view.
* A new view voids all reports, and closes connections with incarnations that are over.
* Nothing is stable until all reports, and we, agree on what those incarnations have written.
* A region that buffers an operation of one of them declares that its reports do not count.

Then no operation that the stable vector covers, or that is concurrent with it, can be under way any
more: docs/design/005 has the proof. Counting messages only within a view is an idea of Birman and
Joseph, *Exploiting Virtual Synchrony in Distributed Systems*, 1987. Epochs are the terms of Raft
(Ongaro, Ousterhout, 2014).
"""

from __future__ import annotations

from typing import TypeAlias

from crdt.causality.dots import Origin
from crdt.embed.replica import Replica
from replication.protocol.frames import EPOCH_MAX, View

Incarnation: TypeAlias = tuple[int, Origin]
"""The epoch of an incarnation and its origin. The greater of two is the later."""


class MembershipView:
    """The view of one replica."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.present: dict[int, Incarnation] = {replica.region: (0, replica.origin)}
        self.view: View = ()
        self.is_withheld = False
        """True if a state is put aside here that may hold operations of incarnations that are
        over."""
        self.rebuild()

    # -- learning --------------------------------------------------------------------------

    def record_origin(self, region: int, origin: Origin) -> bool:
        """Record the Hello of a member's incarnation. Return whether our view has changed."""
        incarnation = self.present.get(region)
        if not self.is_member(region) or (incarnation is not None and incarnation[1] == origin):
            return False
        self.present[region] = (0 if incarnation is None else following(incarnation), origin)
        self.rebuild()
        return True

    def merge_view(self, view: View) -> bool:
        """Merge the view of a peer. Return whether ours has changed."""
        before = self.view
        for region, epoch, origin in view:
            incarnation = (epoch, origin)
            if region == self.replica.region and origin != self.replica.origin:
                if incarnation >= self.present[region]:
                    self.present[region] = following(incarnation), self.replica.origin
            elif self.is_member(region) and incarnation > self.present.get(region, (-1, 0)):
                self.present[region] = incarnation
        self.rebuild()
        return self.view != before

    def renew(self) -> bool:
        """Record the replica's present origin. Return whether it has changed."""
        return self.record_origin(self.replica.region, self.replica.origin)

    def drop_strangers(self) -> None:
        """Drop the regions that are not members any more."""
        self.present = {
            region: incarnation
            for region, incarnation in self.present.items()
            if self.is_member(region)
        }
        self.rebuild()

    def rebuild(self) -> None:
        """Rebuild the view. If it has changed, all reports are void."""
        view = tuple((region, *incarnation) for region, incarnation in sorted(self.present.items()))
        if view != self.view:
            self.view = view
            self.replica.stability.enter(origin for _, _, origin in view)

    # -- asking ----------------------------------------------------------------------------

    def is_member(self, region: int) -> bool:
        """Return whether a region is our own or one whose reports count."""
        members = self.replica.stability.members
        return region == self.replica.region or members is None or region in members

    def view_to_send(self) -> View:
        """Return the view in which our reports count; empty if they count nowhere.

        They do not count while an operation of an incarnation that is over is buffered here, or may
        be in a state that is put aside.
        """
        return () if self.is_withheld or self.replica.awaits_lost_effects else self.view


def following(incarnation: Incarnation) -> int:
    """Return the next epoch. It stays at the greatest, which only a hostile peer can bring about.
    Then nothing becomes stable, which costs memory and nothing else."""
    return min(incarnation[0] + 1, EPOCH_MAX)
