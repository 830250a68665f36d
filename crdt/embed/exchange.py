"""The exchange between replicas: taking in operations and states, and handing them out.

Operations come one by one (`since`, `accept`), whatever a peer lacks in one value (`changes_for`,
`apply`), or as a whole state (`snapshot`, `merge`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from crdt.causality.causal_buffer import CausalBuffer, is_ready
from crdt.causality.dots import ORIGINS_MAX, Origin, join, region_of
from crdt.causality.dots import Vector as Numbers
from crdt.causality.op import OP_BYTES, Op
from crdt.causality.op_log import OpLog
from crdt.causality.stability import Stability
from crdt.causality.version_vector import Vector, vector_of
from crdt.embed.arguments import whole
from crdt.embed.changes import Changes, changes_of
from crdt.embed.identity import Identities
from crdt.embed.views import Views
from crdt.errors import DecodeError, HistoryTruncated
from crdt.store.digest import digest
from crdt.store.keyspace import Keyspace
from crdt.store.merge import Incoming, merge_into
from crdt.store.snapshot import Snapshot, split
from crdt.types.registry import TypeRegistry
from crdt.wire.expect import expect


class Outcome(enum.Enum):
    """The outcome of offering an operation."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"


class ReplicaExchange(Views):
    """A replica, as far as others bring and get operations and states."""

    def __init__(
        self,
        origin: Origin,
        types: TypeRegistry,
        history_bytes: int,
        waiting_bytes: int,
        others: set[int] | None,
    ) -> None:
        """`others` are the region numbers of all other replicas, None while not known."""
        self.keyspace: Keyspace = Keyspace(origin, types)
        self.history: OpLog = OpLog(whole(history_bytes))
        self.causal_buffer: CausalBuffer = CausalBuffer(whole(waiting_bytes))
        self.identities: Identities = Identities(self.keyspace, self.history, self.causal_buffer)
        self.stability: Stability = Stability(others)
        self.contexts: dict[Origin, Numbers] = {}
        self.applied: int = 0
        self.duplicates: int = 0
        self.effects_duplicate: int = 0
        self.merges: int = 0
        self.op_bytes: int = OP_BYTES
        """The size from which on an operation is divided: the same in all replicas."""

    @property
    def origin(self) -> Origin:
        """The id that the dots of this replica carry."""
        return self.keyspace.origin

    @property
    def group(self) -> int:
        """The slot group whose keys this replica holds: 0 unless it was given."""
        return self.keyspace.group

    @property
    def region(self) -> int:
        """The number of the region that this replica stands for."""
        return region_of(self.keyspace.origin)

    @property
    def vector(self) -> Vector:
        """The effects that have been applied here, to be sent to a peer. A copy."""
        known = self.identities
        if self.keyspace.is_rewritable():
            self.seal()
        trails = {origin: trail.copy() for origin, trail in known.trails.items()}
        return Vector(self.keyspace.vector, known.fingerprints(), trails)

    def divide_at(self, op_bytes: int) -> None:
        """Divide operations of more than `op_bytes` from now on. All replicas that exchange
        anything need the same number."""
        self.op_bytes = op_bytes

    # -- operations ------------------------------------------------------------------------

    def seal(self) -> Op | None:
        """Close what was written since the last call into one operation, and keep it in the
        history, in several if it is large. None if nothing was written.

        After a MemoryError what could not be encoded is still there to be sealed.
        """
        op = self.keyspace.pending(self.identities.latest_own())
        if op is None:
            return None
        self.seal_parts(op)
        return op

    def seal_parts(self, op: Op) -> list[Op]:
        """Keep all that was written, which is `op`, as one operation or, if it is large, as
        several. Return them."""
        limit = self.op_bytes
        is_one = self.keyspace.outbox_bytes <= limit and len(op.to_bytes()) <= limit
        parts = [op] if is_one else op.divided(limit)
        for part in parts:
            self.seal_part(part)
        return parts

    def seal_full_parts(self) -> None:
        """Close as much of what was written as fills operations; the rest of it stays open.

        So the operations are those that one `seal` of everything would make in the end.
        """
        op = self.keyspace.pending(self.identities.latest_own())
        parts = [] if op is None else op.divided(self.op_bytes)
        for part in parts[:-1] or parts:
            self.seal_part(part)

    def seal_part(self, part: Op) -> None:
        """Keep an operation made of what is in the outbox, all of it or its beginning."""
        part.previous = self.identities.latest_own()
        self.history.append(part)
        self.keyspace.take_out(part)
        self.identities.record(part)

    def since(self, vector: Mapping[Origin, int]) -> list[Op]:
        """Return what a peer that has reached `vector` lacks, in causal order.

        Raises HistoryTruncated if some of it is no longer kept (`changes_for` offers the state
        then), IdentityReused if the peer has other operations than we under some identity, and
        TypeError or ValueError if `vector` is not one.
        """
        asked = vector_of(vector)
        self.seal()
        self.identities.check_vector(asked, asked.fingerprints, asked.trails)
        return self.history.since(asked)

    def changes_for(self, vector: Mapping[Origin, int]) -> Changes:
        """Return whatever a peer that has reached `vector` lacks, for its `apply`: operations, or
        the whole state if the history does not reach back so far. Raises as `since`, except for
        HistoryTruncated."""
        try:
            ops = self.since(vector)
        except HistoryTruncated:
            return Changes(self.vector, state=self.to_bytes())
        return Changes(self.vector, ops)

    def apply(self, changes: Changes | bytes) -> bool:
        """Take in what a peer's `changes_for` returned, or its bytes. Return whether anything was
        new.

        Raises DecodeError or IdentityReused, with nothing changed.
        """
        given = changes_of(changes)
        self.seal()
        told = given.vector
        self.identities.check_vector(told, told.fingerprints, told.trails)
        before = dict(self.keyspace.vector)
        for op in given.ops:
            self.check(op)
        if given.state:
            self.merge_bytes(given.state)
        for op in given.ops:
            self.accept(op)
        return self.keyspace.vector != before

    def accept(self, op: Op) -> Outcome:
        """Take in an operation: apply it, or hold it until everything it depends on has arrived,
        earlier operations of its own origin included.

        A refused operation must be offered again: too much is waiting already. Raises
        DecodeError at types that are not known here, IdentityReused at what somebody else wrote
        under an identity that is known here; nothing is changed then.
        """
        expect(op, Op, "read it with Op.from_bytes or Op.from_text")
        db = self.keyspace
        if db.outbox:
            self.seal()
        if len(op.to_bytes()) > self.op_bytes:
            parts = op.divided(self.op_bytes)
            if len(parts) > 1:
                return self.accept_parts(parts, op.previous)
        self.check(op)
        have = db.vector.get(op.origin, 0)
        if op.last <= have:
            self.duplicates += 1
            self.effects_duplicate += len(op.effects)
            return Outcome.DUPLICATE
        if op.first <= have:
            op = op.beyond(have)
        if not is_ready(op, db.vector):
            return Outcome.HELD if self.causal_buffer.hold(op, db.vector) else Outcome.REFUSED
        self.apply_op(op)
        if self.causal_buffer.queues:
            self.drain()
        self.stability.settle(db.vector)
        return Outcome.APPLIED

    def accept_parts(self, parts: list[Op], previous: int) -> Outcome:
        """Take in an operation that its origin has divided, as everybody else knows it."""
        for part in parts:
            part.previous = previous
            previous = part.fingerprint()
            self.check(part)
        outcomes = [self.accept(part) for part in parts]
        return Outcome.REFUSED if Outcome.REFUSED in outcomes else outcomes[-1]

    def check(self, op: Op) -> None:
        """Raise what `accept` would raise at `op`."""
        db = self.keyspace
        self.identities.check_op(op)
        if len(db.vector) >= ORIGINS_MAX and op.origin not in db.vector:
            raise DecodeError(f"{op!r} would be one origin too many")
        db.types.check_effects(op.effects)

    def apply_op(self, op: Op) -> None:
        """Apply an operation whose turn it is."""
        past = self.contexts.setdefault(op.origin, {})
        past.update(op.deps)
        self.keyspace.apply_op(op, past)
        self.applied += len(op.effects)
        self.history.append(op)
        self.identities.record(op)

    def drain(self) -> None:
        """Apply what has waited for what has just come."""
        while (op := self.causal_buffer.ready(self.keyspace.vector)) is not None:
            self.apply_op(op)

    # -- state -----------------------------------------------------------------------------

    def snapshot(self, sort: bool = False) -> Snapshot:
        """The whole state, piece by piece, consistent as of now while writes go on. With `sort`
        equal content gives equal bytes."""
        self.seal()
        contexts = self.contexts | {self.origin: self.keyspace.sent_context}
        told = {origin: dict(context) for origin, context in contexts.items() if context}
        return Snapshot(self.keyspace, told, self.identities.trails, sort)

    def merge(self, pieces: Iterable[bytes]) -> None:
        """Take in another replica's snapshot. Raises DecodeError or IdentityReused, with nothing
        changed."""
        check_pieces(pieces)
        incoming = self.incoming()
        for piece in pieces:
            incoming.feed(piece)
        self.merge_incoming(incoming)

    def incoming(self) -> Incoming:
        """Return room for a snapshot that comes piece by piece; see `merge_incoming`."""
        return Incoming(self.keyspace)

    def merge_incoming(self, incoming: Incoming) -> None:
        """Merge a snapshot that has come whole.

        Raises DecodeError if it has not, IdentityReused if it holds other writes than we know, or
        more, under some identity.
        """
        db = self.keyspace
        self.seal()
        if not incoming.complete:
            raise DecodeError("the snapshot was cut off")
        self.identities.check_snapshot(incoming.vector, incoming.trails)
        if len(join(db.vector, incoming.vector)) > ORIGINS_MAX:
            raise DecodeError("the snapshot brings too many origins")
        self.take_over(incoming)
        self.merges += 1
        self.drain()
        self.stability.settle(db.vector)

    def take_over(self, incoming: Incoming) -> None:
        """Merge a snapshot that was checked."""
        db = self.keyspace
        for origin, seq in incoming.vector.items():
            if seq > db.vector.get(origin, 0):
                self.contexts[origin] = incoming.contexts.get(origin, {})
        before = dict(db.vector)
        merge_into(db, incoming)
        self.identities.adopt(before, incoming.vector, incoming.trails)
        if db.vector != before:
            self.history.jump(before, db.vector)

    def to_bytes(self) -> bytes:
        """Return the whole state in one canonical byte string, for a replica of another identity.
        To restore this replica use `save`."""
        return self.snapshot(sort=True).to_bytes()

    def merge_bytes(self, data: bytes) -> None:
        """Take in what `to_bytes` returned. Raises DecodeError or IdentityReused, with nothing
        changed."""
        expect(data, bytes)
        self.merge(split(data))

    def digest(self) -> bytes:
        """A hash of what readers see, equal in converged replicas. O(size of the data)."""
        return digest(self.keyspace)


def check_pieces(pieces: object) -> None:
    """Raise TypeError unless `pieces` may be those of a snapshot."""
    if isinstance(pieces, bytes):
        raise TypeError("expected a Snapshot or its pieces, not bytes: use merge_bytes")
    if isinstance(pieces, str) or not isinstance(pieces, Iterable):
        raise TypeError(f"expected a Snapshot or its pieces, not {type(pieces).__name__}")
