"""Which life of each region is the present one, so that what is *stable* is.

A report promises that whatever its region writes from then on has seen the reported vector. A
region that has lost its memory breaks it without a lie: its earlier life has promised nothing about
the writes that only a third region still holds, and they have not seen what the new life reports.

So each replica keeps a *view*: for each member the origin of its present life, and the *term* of
that life, the number of lives that were noticed before it. A greeting proves that a life is there:
if another one was in the view, the term grows. Views travel ahead of reports and the greater term
wins; a replica that finds itself declared dead by it takes the next term. Terms need no clock and
no disk, and incarnations no order.

    A report counts only if it was made in the view that we have ourselves.
    A new view voids all reports, and closes connections with lives that are over.
    Nothing is stable until all reports, and we, say the same of the lives that are over.
    Who still holds back an operation of such a life says that its reports do not count.

Then no operation below or beside what is stable can be under way any more: docs/design/005 proves
it. The idea of counting messages only within a view is that of Birman and Joseph, *Exploiting
Virtual Synchrony in Distributed Systems*, 1987; terms are those of Raft (Ongaro, Ousterhout, 2014).
"""

from __future__ import annotations

from typing import TypeAlias

from crdt.causality.dots import Origin
from crdt.embed.replica import Replica
from replication.protocol.frames import TERM_MAX, View

Incarnation: TypeAlias = tuple[int, Origin]
"""The term of a life and its origin. The greater of two is the later."""


class MembershipView:
    """The view of one replica."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.present: dict[int, Incarnation] = {replica.region: (0, replica.origin)}
        self.view: View = ()
        self.is_withheld = False
        """True if a state is put aside here that may hold operations of incarnations that are
        over."""
        self.settle()

    # -- learning --------------------------------------------------------------------------

    def greeted(self, region: int, origin: Origin) -> bool:
        """A life of a member has greeted us; whether our view is another now."""
        incarnation = self.present.get(region)
        if not self.is_member(region) or (incarnation is not None and incarnation[1] == origin):
            return False
        self.present[region] = (0 if incarnation is None else following(incarnation), origin)
        self.settle()
        return True

    def heard(self, view: View) -> bool:
        """Somebody else has this view; whether ours is another now."""
        before = self.view
        for region, term, origin in view:
            incarnation = (term, origin)
            if region == self.replica.region and origin != self.replica.origin:
                if incarnation >= self.present[region]:
                    self.present[region] = following(incarnation), self.replica.origin
            elif self.is_member(region) and incarnation > self.present.get(region, (-1, 0)):
                self.present[region] = incarnation
        self.settle()
        return self.view != before

    def renew(self) -> bool:
        """The replica writes under another origin now; whether it does."""
        return self.greeted(self.replica.region, self.replica.origin)

    def drop_strangers(self) -> None:
        """Forget those that are no members any more."""
        self.present = {
            region: incarnation
            for region, incarnation in self.present.items()
            if self.is_member(region)
        }
        self.settle()

    def settle(self) -> None:
        """Let the view say what is known, and reports be void if it is another one."""
        view = tuple((region, *incarnation) for region, incarnation in sorted(self.present.items()))
        if view != self.view:
            self.view = view
            self.replica.stability.enter(origin for _, _, origin in view)

    # -- asking ----------------------------------------------------------------------------

    def is_member(self, region: int) -> bool:
        """Whether a region is we ourselves or one whose reports count."""
        members = self.replica.stability.members
        return region == self.replica.region or members is None or region in members

    def to_tell(self) -> View:
        """The view that our reports count in; empty, so that they count nowhere, while an
        operation of a life that is over waits here for its turn, or may stand in a state that is
        put aside."""
        return () if self.is_withheld or self.replica.awaits_lost_effects else self.view


def following(incarnation: Incarnation) -> int:
    """The term after that of a life. It stays at the greatest: nothing will be stable then, which
    does no harm but to memory; only a peer that lies can bring it about."""
    return min(incarnation[0] + 1, TERM_MAX)
