"""Decide when a region that has lost its data may write again (rules STL-1 to STL-3).

A region starts with no data. If it has run before, it has lost what it wrote. It takes an
incarnation that it has never had, so no dot is issued twice. But a write made now would not have
seen the writes of earlier incarnations: a counter would start from zero, and a value that its
client had replaced could win. So the region is read-only (STL-2) until it has recovered:

    it has all that each *reachable* peer had at the handshake,
    and there is at least one such peer.

A peer is reachable until an attempt to reach it has failed, or its link is cut by command. Its data
then arrives later, by normal replication. One peer is not enough while another may answer: the
second may hold our last writes, and the first may have lost its data as well.

A region that knows that it has held data (`RecoveryState.expects_data`) does not accept an empty
result while any peer has not answered. As long as the others bring nothing, it waits for all peers,
also for unreachable ones. An operator can start it empty.

No region waits for the permission of another, only for data. So if all regions start together, they
find that none has any data, and accept writes. A region that reaches no peer stays read-only, since
its earlier writes may exist elsewhere. (It accepts writes when it is configured without peers.)

A region without a state directory does not know whether it has run before. It accepts writes
immediately, like a region that starts for the first time (STL-3). If a peer shows, before the
recovery is over, that it holds writes of an earlier incarnation, the region becomes read-only.
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
from replication.mesh.absence import CUT


class Recovery:
    """The recovery of one region: the peers that it waits for. `peers` are those that it dials."""

    def __init__(self, peers: Iterable[str]) -> None:
        self.peers = frozenset(peers)
        self.linked: set[str] = set()
        self.missed: set[str] = set()
        """Peers that cannot be reached."""
        self.refused: dict[str, str] = {}
        """Peers of which one side refused the link, and the reason."""
        self.reasons: dict[str, str] = {}
        """The reasons for which the latest connection with each peer ended."""
        self.done: set[str] = set()
        """Peers whose data is here, or that had none."""
        self.last = ""
        """The latest of these."""
        self.is_over = False
        self.has_shown_earlier = False
        """True if a peer has shown that it holds writes of an earlier incarnation."""

    @property
    def has_all_answers(self) -> bool:
        """Return whether the data of every peer is here."""
        return self.peers <= self.done

    def record_hello(self, peer: str) -> None:
        """Record that a peer that we dialled has answered."""
        self.linked.add(peer)
        self.missed.discard(peer)
        self.refused.pop(peer, None)

    def record_failure(
        self, peer: str, reason: str = "", *, is_refusal: bool = False, is_reachable: bool = False
    ) -> None:
        """Record a failed attempt to reach a peer, or the end of a connection. If the peer had
        answered, the next attempt will show whether it is still up. `is_reachable`: it accepts us
        as soon as an earlier process of our region is gone, so it is waited for."""
        self.reasons[peer] = reason
        if is_refusal:
            self.refused[peer] = reason
        else:
            self.refused.pop(peer, None)
        if peer not in self.linked and not is_reachable:
            self.missed.add(peer)
        self.linked.discard(peer)

    def expect_peer(self, peer: str) -> bool:
        """Record that a link was healed, or that a peer has dialled us. The next attempt will show
        whether it can be reached. Return whether it was unreachable before."""
        if peer not in self.missed:
            return False
        self.missed.discard(peer)
        return True

    def record_caught_up(self, peer: str) -> None:
        """Record that we hold what a peer had when it answered."""
        self.done.add(peer)
        self.last = peer

    def is_recovered_now(self, cut: Set[str], *, has_aside: bool = False) -> bool:
        """Return True once, as soon as the recovery is over. Links with the peers in `cut` are cut.
        A region with a state put aside (`has_aside`) needs no reachable peer."""
        if self.is_over or self.peers - self.done - self.missed - cut:
            return False
        if not self.done and not has_aside:
            return False
        self.is_over = True
        return True

    def awaited_peers(self, cut: Set[str]) -> dict[str, str]:
        """Return the peers whose data is not here, with the reason. Links with the peers in `cut`
        are cut."""
        waits: dict[str, str] = {}
        for peer in sorted(self.peers - self.done):
            if peer in cut:
                waits[peer] = CUT
            elif peer in self.linked:
                waits[peer] = "it has not sent all that it has"
            else:
                waits[peer] = self.reasons.get(peer) or "it has not answered yet"
        return waits

    def shows_earlier_incarnation(self, theirs: Vector, mine: Vector, origin: Origin) -> bool:
        """Return whether a peer's vector shows, for the first time, writes that an earlier
        incarnation of our region made and that are not here. False after the recovery."""
        if self.is_over or self.has_shown_earlier:
            return False
        self.has_shown_earlier = any(
            mine.get(other, 0) < seq
            for other, seq in theirs.items()
            if region_of(other) == region_of(origin) and other != origin
        )
        return self.has_shown_earlier


def unused_origin(region: int, least: int, known: Iterable[Mapping[Origin, int]]) -> Origin:
    """Return an origin of `region` that is in none of the vectors `known`.

    It is the one after the newest of these, or incarnation `least` if that is newer. After the last
    number comes the lowest free one. Raises ValueError if all incarnations are in use.
    """
    taken = {incarnation_of(o) for vector in known for o in vector if region_of(o) == region}
    begin = max([least, *(incarnation + 1 for incarnation in taken)])
    for incarnation in [*range(begin, INCARNATION_MAX + 1), *range(INCARNATION_MAX + 1)]:
        if incarnation not in taken:
            return make_origin(region, incarnation)
    raise ValueError(f"all incarnations of region {region} are in use")
