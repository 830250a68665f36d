"""The state that a region puts aside while it finds out whether its origin was used before.

A peer may know more effects of our origin than we have made. Either an earlier incarnation of our
region had the same number, so that one dot names two different writes, or the peer's report is
wrong. In both cases we take a new incarnation, start empty and load what peers have, as after a
restart. Our own state is kept, encoded, until they have answered. Then:

* **Peers have all of it.** It is dropped.
* **No peer has more of the disputed origin than we had.** Its dots mean here what they mean
  elsewhere, since no peer has shown other writes under them. The state is merged back unchanged.
* **A peer has shown more of it.** Then the dots are those of an earlier incarnation, and no
  other region knows what we wrote under them. Our own writes are moved to an unused origin, as if
  we had written under that one from the start, and the state is merged back.

While a state is put aside we announce no view (`replication.protocol.membership_view`). The state
may hold ops of incarnations that are over, and nothing that they have not seen may count as stable
meanwhile. docs/design/006 has the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector, dominates
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.errors import DecodeError, DotReused, IdentityReused
from replication.machines.receiving.origin_map import OriginMap
from replication.protocol.events import DisputedStateResolved

EVERYTHING: Final = tuple(range(1, 256))


class OriginMoves(OriginMap):
    """Gives some origins other names, and keeps all other names."""

    def __init__(self, moves: Mapping[Origin, Origin]) -> None:
        super().__init__(EVERYTHING)
        self.identical = False
        self.moves = moves

    def origin(self, origin: Origin) -> Origin:
        """Return the new name of an origin."""
        return self.moves.get(origin, origin)


@attrs.frozen
class DisputedState:
    """A whole state and the ops that waited in its causal buffer, encoded. `disputed` is the
    origin of which a peer knew more effects, and `written` the number of our own effects."""

    pieces: Sequence[bytes]
    waiting: Sequence[bytes]
    vector: Vector
    disputed: Origin
    written: int
    keys: int

    @property
    def bytes(self) -> int:
        """The size in memory."""
        return sum(map(len, self.pieces)) + sum(map(len, self.waiting))

    def covered_by(self, vector: Vector) -> bool:
        """Return whether a replica at `vector` has everything in this state."""
        return not self.waiting and dominates(vector, self.vector)

    def is_used_elsewhere(self, vector: Vector) -> bool:
        """Return whether `vector` has effects of the disputed origin that we never made."""
        return vector.get(self.disputed, 0) > self.written

    def is_contradicted(self, replica: Replica) -> bool:
        """Return whether `replica` has other effects under the disputed origin than this state."""
        incoming = replica.incoming()
        try:
            incoming.feed(self.pieces[0])
            replica.identities.check_snapshot(incoming.vector, incoming.trails)
        except IdentityReused as error:
            return error.origin == self.disputed
        return False

    def merge_back(
        self, replica: Replica, unused: Callable[[], Origin], peer: str = ""
    ) -> DisputedStateResolved:
        """Merge this state into `replica`, unless it has all of it. `unused` returns an unused
        origin; it raises ValueError if there is none. `peer` was the last to answer."""
        vector = dict(replica.keyspace.vector)
        is_used = self.written > 0 and self.is_used_elsewhere(vector)
        is_used = is_used or self.is_contradicted(replica)
        if not is_used and self.covered_by(vector):
            return DisputedStateResolved(peer)
        try:
            moving = OriginMoves({self.disputed: unused()} if is_used else {})
            incoming = replica.incoming()
            for piece in self.pieces:
                incoming.feed(piece)
            moving.snapshot(incoming)
            replica.merge_incoming(incoming)
            for data in self.waiting:
                replica.accept(moving.op(Op.from_bytes(data)))
        except (
            DecodeError,
            DotReused,
            ValueError,
        ):  # types of others, no origin left, too many origins
            return DisputedStateResolved(peer, lost_keys=self.keys)
        return DisputedStateResolved(peer, merged=True, moved=is_used)


def put_aside(replica: Replica) -> DisputedState:
    """Encode the whole state of a replica whose origin is disputed. O(its size)."""
    pieces = tuple(replica.snapshot())
    buffer = replica.causal_buffer
    waiting = [op.to_bytes() for origin in buffer.origins() for op in buffer.waiting(origin)]
    return DisputedState(
        pieces=pieces,
        waiting=waiting,
        vector=dict(replica.keyspace.vector),
        disputed=replica.origin,
        written=replica.keyspace.seq,
        keys=replica.keyspace.size(),
    )
