"""Where a sink puts what comes in: a replica. A follower puts a translation in between."""

from __future__ import annotations

from typing import Protocol

from crdt.causality.dots import Origin, Vector
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from crdt.errors import DecodeError
from crdt.store.merge import Incoming


class Inlet(Protocol):
    """What a sink needs of the replica behind it."""

    def vector(self) -> Vector:
        """What has been applied, in the words of the source."""
        ...

    def held(self) -> Vector:
        """The same with what only waits for its turn: nobody needs to send that again."""
        ...

    def origin(self) -> Origin:
        """The id that our own effects carry."""
        ...

    def lost(self, vector: Vector) -> Origin:
        """Our origin if `vector` stands for effects of it that we have not made, else 0."""
        ...

    def applied(self) -> int:
        """How many effects have been applied so far."""
        ...

    def clock(self) -> int:
        """Our wall clock, in ms."""
        ...

    def accept(self, data: bytes) -> Outcome:
        """Take in an encoded op. Raises DecodeError, DotReused."""
        ...

    def incoming(self) -> Incoming:
        """Room for a snapshot."""
        ...

    def merge(self, incoming: Incoming) -> None:
        """Take in a snapshot. Raises DecodeError, DotReused."""
        ...


class Direct:
    """A replica, as it is."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def vector(self) -> Vector:
        """What has been applied."""
        return dict(self.replica.keyspace.vector)

    def held(self) -> Vector:
        """What has been applied or waits for its turn."""
        return with_waiting(self.replica)

    def origin(self) -> Origin:
        """The id that our own effects carry."""
        return self.replica.origin

    def lost(self, vector: Vector) -> Origin:
        """Our origin if `vector` stands for effects of it that we have not made, else 0."""
        db = self.replica.keyspace
        return db.origin if vector.get(db.origin, 0) > db.seq else 0

    def applied(self) -> int:
        """How many effects have been applied so far."""
        return self.replica.applied

    def clock(self) -> int:
        """Our wall clock, in ms."""
        return self.replica.keyspace.expiry_clock

    def accept(self, data: bytes) -> Outcome:
        """Take in an encoded op. Raises DecodeError, DotReused."""
        return self.replica.accept(read_op(data))

    def incoming(self) -> Incoming:
        """Room for a snapshot."""
        return self.replica.incoming()

    def merge(self, incoming: Incoming) -> None:
        """Take in a snapshot. Raises DecodeError, DotReused."""
        self.replica.merge_incoming(incoming)


def read_op(data: bytes) -> Op:
    """Return the op that was encoded as `data`. Raises DecodeError, also for want of memory."""
    try:
        return Op.from_bytes(data)
    except MemoryError as error:
        raise DecodeError("an op needs more memory than there is") from error


def read_piece(incoming: Incoming, data: bytes) -> None:
    """Read a piece of a snapshot. Raises DecodeError, also for want of memory."""
    try:
        incoming.feed(data)
    except MemoryError as error:
        raise DecodeError("a snapshot needs more memory than there is") from error


def with_waiting(replica: Replica) -> Vector:
    """Return what has been applied or waits without a gap in the causal buffer."""
    return replica.causal_buffer.reached(replica.keyspace.vector)
