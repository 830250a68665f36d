"""Detection of identities that two replicas use at the same time.

Every received operation, vector and snapshot is compared with the trails of
`crdt.causality.fingerprints` and with the operations that the history still holds. A contradiction
raises IdentityReused before anything is changed. Unknown operations do not contradict anything.
"""

from __future__ import annotations

from crdt.causality.causal_buffer import CausalBuffer
from crdt.causality.dots import Origin, Vector
from crdt.causality.fingerprints import Trail, Trails
from crdt.causality.op import UNKNOWN, Op
from crdt.causality.op_log import OpLog
from crdt.errors import IdentityReused
from crdt.store.keyspace import Keyspace


class Identities:
    """The fingerprints that one replica has of all origins, including its own."""

    __slots__ = ("db", "causal_buffer", "history", "trails")

    def __init__(self, db: Keyspace, history: OpLog, gate: CausalBuffer) -> None:
        self.db: Keyspace = db
        self.history: OpLog = history
        self.causal_buffer: CausalBuffer = gate
        self.trails: Trails = {}

    def record(self, op: Op) -> None:
        """Record the fingerprint of `op`, which was made or applied here."""
        trail = self.trails.get(op.origin)
        if trail is None:
            trail = self.trails[op.origin] = Trail()
        trail.record(op)

    def latest(self, origin: Origin) -> int:
        """Return the fingerprint of an origin's last applied operation, or UNKNOWN."""
        trail = self.trails.get(origin)
        if trail is None:
            return UNKNOWN
        return trail.fingerprint(self.db.vector.get(origin, 0))

    def latest_own(self) -> int:
        """Return the fingerprint of this replica's last sealed operation, or UNKNOWN."""
        trail = self.trails.get(self.db.origin)
        return UNKNOWN if trail is None else trail.fingerprint(self.db.first - 1)

    def fingerprints(self) -> Vector:
        """Return the known fingerprints of each origin's last applied effect.

        The outbox counts as if it were sealed now.
        """
        found: Vector = {}
        for origin in self.trails:
            fingerprint = self.latest(origin)
            if fingerprint != UNKNOWN:
                found[origin] = fingerprint
        db = self.db
        if db.outbox:
            found.pop(db.origin, None)
            op = db.pending(self.latest_own())
            assert op is not None
            found[db.origin] = op.fingerprint()
        return found

    # -- checks ----------------------------------------------------------------------------

    def check_op(self, op: Op) -> None:
        """Raise IdentityReused if `op` contradicts the known operations of its origin."""
        origin = op.origin
        have = self.db.vector.get(origin, 0)
        if op.first <= have:
            self.check_known(op, have)
        elif op.previous > UNKNOWN and op.first == have + 1:
            latest = self.latest(origin)
            if latest != UNKNOWN and latest != op.previous:
                raise IdentityReused(origin, f"operation {op.first} does not follow our {have}")
        if op.last > have:
            if origin == self.db.origin:
                raise IdentityReused(origin, f"a peer has operation {op.last}, we are at {have}")
            if self.causal_buffer.contradicts(op):
                raise IdentityReused(origin, f"operation {op.first} differs from one that waits")

    def check_known(self, op: Op, have: int) -> None:
        """Compare a received operation with the applied operations that have the same dots."""
        if self.history.ending_at(op.origin, op.last) == op.to_bytes():
            return
        trail = self.trails.get(op.origin)
        if trail is not None and op.last <= have:
            known, given = trail.fingerprint(op.last), op.fingerprint()
            if known != UNKNOWN and known == given:
                return
        for other in self.history.overlapping(op.origin, op.first, min(op.last, have)):
            if op.contradicts(other):
                raise IdentityReused(op.origin, f"operation {op.first} differs from ours")
        if trail is not None and is_refuted(trail, op, have):
            raise IdentityReused(op.origin, f"operation {op.first} differs from ours")

    def check_vector(self, vector: Vector, fingerprints: Vector, trails: Trails) -> None:
        """Raise IdentityReused if a peer at `vector` contradicts the operations known here.

        It does so if its operations under an identity differ, or if it has operations under this
        replica's identity that this replica did not make.
        """
        db = self.db
        for origin, theirs in trails.items():
            ours = self.trails.get(origin)
            if ours is not None and ours.contradicts(theirs):
                raise IdentityReused(origin, "a peer has operations that differ from ours")
        if vector.get(db.origin, 0) > db.seq:
            raise IdentityReused(
                db.origin, f"a peer has operation {vector[db.origin]}, we are at {db.seq}"
            )
        for origin, given in fingerprints.items():
            seq = vector[origin]
            if seq <= db.vector.get(origin, 0):
                known = self.at(origin, seq)
                if known != UNKNOWN and known != given:
                    raise IdentityReused(origin, f"a peer's operation {seq} differs from ours")

    def at(self, origin: Origin, seq: int) -> int:
        """Return the fingerprint of a peer that has applied the same effects up to `seq`.

        Return UNKNOWN if it cannot be computed. O(history) if `seq` is inside of an operation.
        """
        trail = self.trails.get(origin)
        if trail is not None:
            known = trail.fingerprint(seq)
            if known != UNKNOWN:
                return known
        for op in self.history.overlapping(origin, seq, seq):
            if op.last == seq:
                return op.fingerprint()
            if op.previous >= UNKNOWN:
                # The peer read its vector while the operation was being written.
                count = seq + 1 - op.first
                head = Op(origin, op.first, op.base, op.deps, op.effects[:count], op.previous)
                return head.fingerprint()
        return UNKNOWN

    def check_snapshot(self, vector: Vector, trails: Trails) -> None:
        """Raise IdentityReused if a snapshot at `vector` contradicts the operations known here."""
        latest: Vector = {}
        for origin, theirs in trails.items():
            known = theirs.fingerprint(vector.get(origin, 0))
            if known != UNKNOWN:
                latest[origin] = known
        self.check_vector(vector, latest, trails)
        for origin, theirs in trails.items():
            for op in self.causal_buffer.queues.get(origin, ()):
                known, previous = theirs.fingerprint(op.last), theirs.fingerprint(op.first - 1)
                if differ(known, op.fingerprint()) or differ(previous, op.previous):
                    raise IdentityReused(origin, f"operation {op.first}, which waits, differs")

    def adopt(self, before: Vector, vector: Vector, trails: Trails) -> None:
        """Take over the trails of a snapshot at `vector`. `before` is the own earlier vector."""
        for origin, seq in vector.items():
            have = before.get(origin, 0)
            if seq < have:
                continue
            theirs, ours = trails.get(origin), self.trails.get(origin)
            if ours is None:
                ours = self.trails[origin] = Trail()
            if theirs is None:
                if seq > have:
                    ours.marks = []
                continue
            if seq > have or len(theirs.marks) > len(ours.marks):
                ours.marks = list(theirs.marks)
            if ours.birth is None:
                ours.birth = theirs.birth


def differ(known: int, given: int) -> bool:
    """Return whether both fingerprints are known and unequal."""
    return known > UNKNOWN and given > UNKNOWN and known != given


def is_refuted(trail: Trail, op: Op, have: int) -> bool:
    """Return whether `op`, whose dots have been applied, contradicts `trail`."""
    if op.previous < UNKNOWN:
        return False
    if op.last <= have and differ(trail.fingerprint(op.last), op.fingerprint()):
        return True
    return differ(trail.fingerprint(op.first - 1), op.previous)
