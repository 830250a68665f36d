"""Apply what a sink receives to a replica. A follower maps the origins before that."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Protocol

from crdt.causality.dots import Origin, Vector
from crdt.causality.op import Op
from crdt.embed.arriving import NO_MEMORY, ArrivingOp
from crdt.embed.replica import Outcome, Replica
from crdt.errors import DecodeError
from crdt.store.merge import Incoming


class Arrival(Protocol):
    """An op that comes in parts."""

    def feed(self, data: bytes) -> None:
        """Take the next part. Raises DecodeError."""
        ...

    def finish(self) -> Outcome:
        """Apply or buffer the op. Raises DecodeError, DotReused."""
        ...

    def drop(self) -> None:
        """Give the op up: the link has closed before the last part."""
        ...


class WholeOp:
    """An op that is read when all of it has come. `accept` gets it encoded."""

    def __init__(self, accept: Callable[[bytes], Outcome]) -> None:
        self.accept = accept
        self.buffer = BytesIO()

    def feed(self, data: bytes) -> None:
        """Keep the next part."""
        self.buffer.write(data)

    def finish(self) -> Outcome:
        """Apply or buffer the op. Raises DecodeError, DotReused."""
        return self.accept(self.buffer.getvalue())

    def drop(self) -> None:
        """Give the op up."""
        self.buffer = BytesIO()


class Applier(Protocol):
    """The part of a replica that a sink uses."""

    def vector(self) -> Vector:
        """Return the vector of what has been applied, with the origins of the source."""
        ...

    def held(self) -> Vector:
        """Return the same vector with buffered operations, which need not be sent again."""
        ...

    def origin(self) -> Origin:
        """Return the origin of our own effects."""
        ...

    def lost(self, vector: Vector) -> Origin:
        """Return our origin if `vector` covers effects of it that we have not made, else 0."""
        ...

    def applied(self) -> int:
        """Return the number of effects that have been applied."""
        ...

    def clock(self) -> int:
        """Return our wall clock, in ms."""
        ...

    def accept(self, data: bytes) -> Outcome:
        """Apply or buffer an encoded op. Raises DecodeError, DotReused."""
        ...

    def begin_op(self) -> Arrival:
        """Return an op of which no part has come."""
        ...

    def incoming(self) -> Incoming:
        """Return an empty buffer for a snapshot."""
        ...

    def merge(self, incoming: Incoming) -> None:
        """Merge a snapshot. Raises DecodeError, DotReused."""
        ...


class LocalApplier:
    """Applies what comes in to a replica, without changes."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def vector(self) -> Vector:
        """Return the vector of what has been applied."""
        return dict(self.replica.keyspace.vector)

    def held(self) -> Vector:
        """Return the vector of what has been applied or is buffered."""
        return with_waiting(self.replica)

    def origin(self) -> Origin:
        """Return the origin of our own effects."""
        return self.replica.origin

    def lost(self, vector: Vector) -> Origin:
        """Return our origin if `vector` covers effects of it that we have not made, else 0."""
        db = self.replica.keyspace
        return db.origin if vector.get(db.origin, 0) > db.seq else 0

    def applied(self) -> int:
        """Return the number of effects that have been applied."""
        return self.replica.applied

    def clock(self) -> int:
        """Return our wall clock, in ms."""
        return self.replica.keyspace.expiry_clock

    def accept(self, data: bytes) -> Outcome:
        """Apply or buffer an encoded op. Raises DecodeError, DotReused."""
        return self.replica.accept(read_op(data))

    def begin_op(self) -> Arrival:
        """Return an op of which no part has come."""
        return ArrivingOp(self.replica)

    def incoming(self) -> Incoming:
        """Return an empty buffer for a snapshot."""
        return self.replica.incoming()

    def merge(self, incoming: Incoming) -> None:
        """Merge a snapshot. Raises DecodeError, DotReused."""
        self.replica.merge_incoming(incoming)


def finish_op(op: Arrival) -> Outcome:
    """Apply or buffer an op whose last part has come. Raises DecodeError, DotReused."""
    return op.finish()


def read_op(data: bytes) -> Op:
    """Return the op that was encoded as `data`. Raises DecodeError, also for want of memory."""
    try:
        return Op.from_bytes(data)
    except MemoryError as error:
        raise DecodeError(NO_MEMORY) from error


def read_piece(incoming: Incoming, data: bytes) -> None:
    """Read a piece of a snapshot. Raises DecodeError, also for want of memory."""
    try:
        incoming.feed(data)
    except MemoryError as error:
        raise DecodeError("a snapshot needs more memory than there is") from error


def with_waiting(replica: Replica) -> Vector:
    """Return the vector of what has been applied or is buffered without a gap."""
    return replica.causal_buffer.reached(replica.keyspace.vector)
