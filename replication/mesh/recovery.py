"""When a region that has lost its memory may write again (rules STL-1 to STL-3; design section 3).

Whoever starts has nothing, and if it has lived before, it has forgotten what it had written. It
takes an incarnation that it has never had, so no dot is issued twice whatever follows. But a write
made now would not have seen those of its earlier lives: a counter would start from nothing, a value
that its client had replaced could win. So it only reads (STL-2) until it has recovered:

    it has all that each peer *within reach* had when the two greeted each other,
    and there is at least one such peer.

A peer is within reach until an attempt to reach it has failed, or its link is cut by command. What
it has comes later then, like any other news. One peer alone is not enough while another may answer:
that one may know our last writes, and the first may have lost its memory as well.

A region that knows that it has held something (`Memory.expects_data`) does not believe that it is
lost while any peer has not answered: as long as the others bring nothing, it waits for all of them,
also for those out of reach. An operator can tell it to start empty.

Nobody waits for anybody's leave, only for what somebody has. So if all regions start at once, they
find that none of them has anything, and write. A region that reaches nobody goes on reading only:
nobody can tell it what it had written. (It writes once it is configured without peers.)

A region that does not know whether it has lived before, because nothing was kept on disk, writes at
once, as one that starts for the first time does (STL-3). If, before it has recovered, a peer turns
out to know of an earlier life, it has lost its memory too, and reads only from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from crdt.causality.dots import (
    INCARNATION_MAX,
    Origin,
    Vector,
    incarnation_of,
    make_origin,
    region_of,
)


class Recovery:
    """What a region that has just started still waits for. `peers` are those that it dials."""

    def __init__(self, peers: Iterable[str]) -> None:
        self.peers = frozenset(peers)
        self.linked: set[str] = set()
        self.missed: set[str] = set()
        """Those out of reach."""
        self.refused: dict[str, str] = {}
        """Peers that answered and would not be linked with us, or we with them, and why."""
        self.reasons: dict[str, str] = {}
        """The reasons for which the latest connection with each peer ended."""
        self.done: set[str] = set()
        """Those that had nothing, or have told us all."""
        self.last = ""
        """The peer that was the last to tell us what we lacked."""
        self.is_over = False
        self.is_told = False
        """Whether a peer has turned out to know of an earlier life."""

    @property
    def has_all_answers(self) -> bool:
        """Return whether each peer has had nothing, or has told us all."""
        return self.peers <= self.done

    def greeted(self, peer: str) -> None:
        """A peer that we dialled has answered."""
        self.linked.add(peer)
        self.missed.discard(peer)
        self.refused.pop(peer, None)

    def lost(self, peer: str, reason: str = "", *, is_refusal: bool = False) -> None:
        """An attempt to reach a peer has failed, or a connection is over. If the peer had answered,
        the next attempt will show whether it is still there."""
        self.reasons[peer] = reason
        if is_refusal:
            self.refused[peer] = reason
        else:
            self.refused.pop(peer, None)
        if peer not in self.linked:
            self.missed.add(peer)
        self.linked.discard(peer)

    def expect(self, peer: str) -> bool:
        """The link with a peer was healed, or the peer has come to us: the next attempt will show
        whether it is within reach. Whether it was not."""
        if peer not in self.missed:
            return False
        self.missed.discard(peer)
        return True

    def caught_up(self, peer: str) -> None:
        """We have what a peer had when it answered."""
        self.done.add(peer)
        self.last = peer

    def look(self, cut: Set[str], *, has_aside: bool = False) -> bool:
        """Return whether we have recovered just now, the links with some peers being `cut`. Only
        once. Who has put its state aside goes on with that if no peer is within reach."""
        if self.is_over or self.peers - self.done - self.missed - cut:
            return False
        if not self.done and not has_aside:
            return False
        self.is_over = True
        return True

    def awaited(self, cut: Set[str]) -> dict[str, str]:
        """Return the peers whose data we do not have, and why not, the links with some being
        `cut`."""
        waits: dict[str, str] = {}
        for peer in sorted(self.peers - self.done):
            if peer in cut:
                waits[peer] = "the link is cut"
            elif peer in self.linked:
                waits[peer] = "it has not sent all that it has"
            else:
                waits[peer] = self.reasons.get(peer) or "it has not answered yet"
        return waits

    def shows_earlier_life(self, theirs: Vector, mine: Vector, origin: Origin) -> bool:
        """Whether a peer's vector shows, for the first time, that our region has written something
        in an earlier life that is not here. Of no interest once we have recovered."""
        if self.is_over or self.is_told:
            return False
        self.is_told = any(
            mine.get(other, 0) < seq
            for other, seq in theirs.items()
            if region_of(other) == region_of(origin) and other != origin
        )
        return self.is_told


def unused_origin(region: int, least: int, known: Iterable[Mapping[Origin, int]]) -> Origin:
    """An origin of `region` that stands in none of the vectors: the next after the newest in them,
    or incarnation `least` if that is newer; or else one that is free.

    Raises ValueError if there is none.
    """
    taken = {incarnation_of(o) for vector in known for o in vector if region_of(o) == region}
    begin = max([least, *(life + 1 for life in taken)])
    for incarnation in [*range(begin, INCARNATION_MAX + 1), *range(INCARNATION_MAX + 1)]:
        if incarnation not in taken:
            return make_origin(region, incarnation)
    raise ValueError(f"all incarnations of region {region} are in use")
