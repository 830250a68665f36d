"""The exchange between replicas: send and receive operations and states.

There are three ways to exchange: single operations (`since`, `accept`), all missing changes as one
value (`changes_for`, `apply`), and whole states (`snapshot`, `merge`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, cast

from crdt.causality.causal_buffer import CausalBuffer, is_ready
from crdt.causality.dots import ORIGINS_MAX, Origin, join, region_of
from crdt.causality.dots import Vector as Numbers
from crdt.causality.effect import Effect
from crdt.causality.op import OP_BYTES, Op
from crdt.causality.op_log import OpLog
from crdt.causality.stability import Stability
from crdt.causality.version_vector import Vector, vector_of
from crdt.embed.changes import Changes, changes_of
from crdt.embed.hold import Hold
from crdt.embed.identity import Identities
from crdt.embed.views import Views
from crdt.errors import DecodeError, HistoryTruncated
from crdt.store.digest import digest
from crdt.store.keyspace import Keyspace
from crdt.store.merge import Incoming, merge_into
from crdt.store.snapshot import Snapshot, check_state, split
from crdt.types.registry import TypeRegistry
from crdt.wire.expect import Given, expect, expect_bool, expect_integer, is_iterable, mismatch
from crdt.wire.formats import PIECE, explain

SLICE_EFFECTS: Final = 2048
"""The effects of an operation that are applied immediately by default."""


class Outcome(enum.Enum):
    """The result of `accept`."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"


class OpObserver(Protocol):
    """Sees the operations of other replicas (see `watch_ops`)."""

    def before_op(self, op: Op) -> None:
        """Prepare for an operation that is about to be applied."""
        ...

    def after_op(self, op: Op) -> None:
        """Take note of an operation that has been applied."""
        ...


class ReplicaExchange(Views):
    """The part of a replica that exchanges operations and states with peers."""

    def __init__(
        self,
        origin: Origin,
        types: TypeRegistry,
        history_bytes: int,
        waiting_bytes: int,
        others: set[int] | None,
    ) -> None:
        """Create an empty replica. `others` are the region numbers of all other replicas, or None
        if they are not known yet."""
        self.keyspace: Keyspace = Keyspace(origin, types)
        self.history: OpLog = OpLog(history_bytes)
        self.causal_buffer: CausalBuffer = CausalBuffer(waiting_bytes)
        self.identities: Identities = Identities(self.keyspace, self.history, self.causal_buffer)
        self.stability: Stability = Stability(others)
        self.contexts: dict[Origin, Numbers] = {}
        self.applied: int = 0
        self.duplicates: int = 0
        self.effects_duplicate: int = 0
        self.merges: int = 0
        self.awaiting_settled: list[Callable[[], None]] = []
        """The functions of `notify_settled`."""
        self.op_bytes: int = OP_BYTES
        """The size above which an operation is divided. It must be the same in all replicas."""
        self.on_sealed: Callable[[list[Op]], None] | None = None
        """The function of `watch_seals`."""
        self.hold: Hold | None = None
        """The hold of commands that work in slices, if there are any."""
        self.op_observer: OpObserver | None = None
        """The object of `watch_ops`."""

    @property
    def origin(self) -> Origin:
        """The origin of the dots that this replica creates."""
        return self.keyspace.origin

    @property
    def group(self) -> int:
        """The slot group whose keys this replica holds. The default is 0."""
        return self.keyspace.group

    @property
    def region(self) -> int:
        """The number of this replica's region."""
        return region_of(self.keyspace.origin)

    @property
    def vector(self) -> Vector:
        """A copy of the version vector, which covers the effects applied here. Send it to a peer
        to get the missing changes."""
        known = self.identities
        self.release_hold()
        if self.keyspace.is_rewritable():
            self.seal()
        trails = {origin: trail.copy() for origin, trail in known.trails.items()}
        return Vector(self.keyspace.vector, known.fingerprints(), trails)

    def divide_at(self, op_bytes: Given[int]) -> None:
        """Set the size above which operations are divided. All replicas that exchange operations
        need the same size."""
        self.op_bytes = expect_integer(op_bytes, "op_bytes", 1)

    def watch_seals(self, on_sealed: Callable[[list[Op]], None]) -> None:
        """Call `on_sealed` from now on with the operations into which the outbox was sealed,
        immediately afterwards."""
        self.on_sealed = on_sealed

    def watch_messages(self, on_message: Callable[[Effect], None]) -> None:
        """Call `on_message` from now on with each message of another region (see
        `crdt.writes.message`), in the order in which they are applied."""
        self.keyspace.on_message = on_message

    def watch_ops(self, observer: OpObserver | None) -> None:
        """Let `observer` see each operation of another replica, immediately before and after it is
        applied; None lets nobody."""
        self.op_observer = observer

    def applies_at_once(self, op: Op) -> bool:
        """Return whether `op` is too short for its effects to be left to `work`."""
        db = self.keyspace
        if not db.slice_keys:
            return True
        return not db.unsettled.is_long(op, db.slice_keys, db.slice_effects)

    # -- work in slices --------------------------------------------------------------------

    def work_in_slices(self, keys: Given[int], effects: Given[int] = SLICE_EFFECTS) -> None:
        """Let `work` settle what merges leave, `keys` keys in one call, and operations with more
        than `effects` effects. By default, all that is done before `merge` or `accept` returns.

        Readers see no difference. Whatever touches a key settles it first, and whatever needs all
        keys, such as `snapshot` and `digest`, settles all keys.
        """
        self.keyspace.slice_effects = expect_integer(effects, "effects", 1)
        self.keyspace.slice_keys = expect_integer(keys, "keys", 1)

    def work(self) -> bool:
        """Do the next slice of the work that is left. Return whether more is left. Nothing is done
        while a command that works in slices relies on the keys as they are."""
        if self.hold is not None:
            return self.has_work()
        if self.keyspace.has_work():
            self.keyspace.work()
        if not self.keyspace.is_unsettled:
            waiting, self.awaiting_settled = self.awaiting_settled, []
            for notify in waiting:
                notify()
        return self.has_work()

    def has_work(self) -> bool:
        """Return whether something is left for `work`."""
        return self.keyspace.has_work() or bool(self.awaiting_settled)

    def is_settled(self) -> bool:
        """Return whether all keys are settled. There may still be removed content to be freed."""
        return not self.keyspace.is_unsettled and not self.awaiting_settled

    def notify_settled(self, notify: Callable[[], None]) -> None:
        """Let `work` call `notify` once when all keys are settled."""
        self.awaiting_settled.append(notify)

    # -- operations ------------------------------------------------------------------------

    def seal(self) -> Op | None:
        """Close the writes since the last call into one operation and return it; None if there are
        none. The history keeps the operation, divided into several if it is large.

        After a MemoryError, writes that could not be encoded stay open for the next call. While a
        command writes in slices, all writes stay open.
        """
        if self.is_writing_in_slices():
            return None
        op = self.keyspace.pending(self.identities.latest_own())
        if op is None:
            return None
        self.seal_parts(op)
        return op

    def seal_parts(self, op: Op) -> list[Op]:
        """Add `op`, which is the whole outbox, to the history. Divide it first if it is large.
        Return the operations."""
        limit = self.op_bytes
        is_one = self.keyspace.outbox_bytes <= limit and op.size() <= limit
        parts = [op] if is_one else op.divided(limit)
        for part in parts:
            self.seal_part(part)
        if self.on_sealed is not None:
            self.on_sealed(parts)
        return parts

    def seal_full_parts(self) -> None:
        """Close as many writes as fill whole operations. The other writes stay open.

        The result is the same division into operations as that of a single later `seal`.
        """
        self.release_hold()
        op = self.keyspace.pending(self.identities.latest_own())
        parts = [] if op is None else op.divided(self.op_bytes)
        for part in parts[:-1] or parts:
            self.seal_part(part)

    def seal_part(self, part: Op) -> None:
        """Move `part`, which is the outbox or its beginning, from the outbox to the history."""
        part.previous = self.identities.latest_own()
        self.history.append(part)
        self.keyspace.remove_sealed(part)
        self.identities.record(part)

    def since(self, vector: Mapping[Origin, int]) -> list[Op]:
        """Return the operations that a peer at `vector` is missing, in causal order.

        Raises:

        * HistoryTruncated if the history no longer holds some of them. `changes_for` returns the
          whole state in this case;
        * IdentityReused if the peer has other operations than this replica under an identity;
        * TypeError or ValueError if `vector` is not a version vector.
        """
        asked = vector_of(vector)
        self.release_hold()
        self.seal()
        self.identities.check_vector(asked, asked.fingerprints, asked.trails)
        return self.history.since(asked)

    def changes_for(self, vector: Mapping[Origin, int]) -> Changes:
        """Return the changes that a peer at `vector` is missing, for its method `apply`.

        These are operations, or the whole state if the history no longer holds all of them. Raises
        the same errors as `since`, except for HistoryTruncated.
        """
        try:
            ops = self.since(vector)
        except HistoryTruncated:
            return Changes(self.vector, state=self.to_bytes())
        return Changes(self.vector, ops)

    def apply(self, changes: Changes | bytes) -> bool:
        """Apply the result of a peer's `changes_for`, or its bytes. Return whether it was new.

        Raises DecodeError or IdentityReused. Nothing is changed then.
        """
        given = changes_of(changes)
        self.release_hold()
        self.seal()
        vector = given.vector
        self.identities.check_vector(vector, vector.fingerprints, vector.trails)
        before = dict(self.keyspace.vector)
        for op in given.ops:
            self.check(op)
        if given.state:
            self.merge_bytes(given.state)
        for op in given.ops:
            self.accept_op(op)
        return self.keyspace.vector != before

    def accept(self, op: Given[Op]) -> Outcome:
        """Apply a received operation, or hold it in the causal buffer until its dependencies, with
        all earlier operations of its origin, have been applied.

        The operation is refused if the buffer is full. Offer it again later. Raises DecodeError if
        a type is not known here. Raises IdentityReused if another replica wrote the operation under
        an identity that is known here. Nothing is changed then.
        """
        if not isinstance(op, Op):
            raise TypeError(mismatch("", "Op", op, how_to_accept(op)))
        return self.accept_op(op)

    def accept_op(self, op: Op) -> Outcome:
        """Apply or hold an operation, as `accept` does."""
        db = self.keyspace
        if db.outbox:
            self.seal()
        if op.size() > self.op_bytes:
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
        is_delayed = self.hold is not None and self.hold.delays(op)
        if is_delayed or not is_ready(op, db.vector):
            return Outcome.HELD if self.causal_buffer.hold(op, db.vector) else Outcome.REFUSED
        self.apply_op(op)
        if self.causal_buffer.queues:
            self.drain()
        self.stability.count_reports(db.vector)
        return Outcome.APPLIED

    def accept_parts(self, parts: list[Op], previous: int) -> Outcome:
        """Accept a large operation in the parts into which its origin has divided it."""
        for part in parts:
            part.previous = previous
            previous = part.fingerprint()
            self.check(part)
        outcomes = [self.accept_op(part) for part in parts]
        return Outcome.REFUSED if Outcome.REFUSED in outcomes else outcomes[-1]

    def check(self, op: Op) -> None:
        """Raise the error that `accept` would raise for `op`. Nothing is changed."""
        db = self.keyspace
        self.identities.check_op(op)
        if len(db.vector) >= ORIGINS_MAX and op.origin not in db.vector:
            raise DecodeError(f"{op!r} would be one origin too many")
        if not op.is_checked:
            db.types.check_effects(op.effects)

    def apply_op(self, op: Op) -> None:
        """Apply an operation whose dependencies have been applied, and add it to the history."""
        past = self.contexts.setdefault(op.origin, {})
        past.update(op.deps)
        observer = self.op_observer
        if observer is not None:
            observer.before_op(op)
        self.keyspace.apply_op(op, past)
        if observer is not None:
            observer.after_op(op)
        self.applied += len(op.effects)
        self.history.append(op)
        self.identities.record(op)

    def drain(self) -> None:
        """Apply the held operations whose dependencies have been applied, and that no command in
        slices delays."""
        delays = None if self.hold is None else self.hold.delays
        while (op := self.causal_buffer.ready(self.keyspace.vector, delays)) is not None:
            self.apply_op(op)

    # -- commands in slices ----------------------------------------------------------------

    def update_hold(self, hold: Hold) -> None:
        """Put off what `hold` says from now on. The caller has changed it since the last call. Seal
        and apply what need not wait any more."""
        self.hold = None if hold.is_over() else hold
        if not hold.is_writing and hold.has_delayed:
            hold.has_delayed = False
            self.seal()
            self.drain()
            self.stability.count_reports(self.keyspace.vector)

    def is_held(self) -> bool:
        """Return whether a command in slices relies on some keys as they are."""
        return self.hold is not None

    def is_writing_in_slices(self) -> bool:
        """Return whether nothing can be sealed now, since a command writes in slices."""
        return self.hold is not None and self.hold.is_writing

    def release_hold(self) -> None:
        """Run the commands in slices to their end, since the state is needed as a whole."""
        if self.hold is not None:
            self.hold.finish()
            assert self.hold is None, "a command in slices cannot take itself for ended"

    # -- state -----------------------------------------------------------------------------

    def snapshot(self, sort: Given[bool] = False) -> Snapshot:
        """Return an iterator over the pieces of the whole state, as of now.

        The snapshot stays consistent while writes go on. With `sort`, equal content gives equal
        bytes.
        """
        self.release_hold()
        self.seal()
        contexts = self.contexts | {self.origin: self.keyspace.sent_context}
        known = {origin: dict(context) for origin, context in contexts.items() if context}
        return Snapshot(self.keyspace, known, self.identities.trails, expect_bool(sort, "sort"))

    def merge(self, pieces: Iterable[bytes]) -> None:
        """Merge another replica's snapshot. Raises DecodeError or IdentityReused. Nothing is
        changed then. See `work_in_slices`."""
        check_pieces(pieces)
        incoming = self.incoming()
        unchecked: Iterable[object] = pieces
        for given in unchecked:
            piece = expect(given, bytes, "a snapshot consists of bytes")
            try:
                incoming.feed(piece)
            except DecodeError as error:
                raise explain(error, piece, PIECE) from None
        self.merge_incoming(incoming)

    def incoming(self) -> Incoming:
        """Return a receiver to which the pieces of a snapshot are fed. See `merge_incoming`."""
        return Incoming(self.keyspace)

    def merge_incoming(self, incoming: Incoming) -> None:
        """Merge a snapshot that has been received completely.

        Raises DecodeError if it is not complete. Raises IdentityReused if it contradicts the known
        operations of an identity, or holds unknown operations under this replica's identity.
        """
        db = self.keyspace
        self.release_hold()
        self.seal()
        if not incoming.complete:
            raise DecodeError("the snapshot was cut off")
        self.identities.check_snapshot(incoming.vector, incoming.trails)
        if len(join(db.vector, incoming.vector)) > ORIGINS_MAX:
            raise DecodeError("the snapshot brings too many origins")
        self.merge_checked(incoming)
        self.merges += 1
        self.drain()
        self.stability.count_reports(db.vector)

    def merge_checked(self, incoming: Incoming) -> None:
        """Merge a snapshot that has been checked. Update contexts, trails and history."""
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
        """Return the whole state as one canonical byte string, for a replica of another identity.

        Use `save` to restore this replica itself.
        """
        return self.snapshot(sort=True).to_bytes()

    def merge_bytes(self, data: Given[bytes]) -> None:
        """Merge the result of `to_bytes`. Raises DecodeError or IdentityReused. Nothing is changed
        then."""
        self.merge(split(check_state(data)))

    def digest(self) -> bytes:
        """Return a hash of the visible keys. It is equal in converged replicas. O(size of data)."""
        return digest(self.keyspace)


def check_pieces(pieces: object) -> None:
    """Raise TypeError unless `pieces` is an iterable other than bytes or text."""
    if isinstance(pieces, bytes):
        raise TypeError("expected a Snapshot or its pieces, not bytes: use merge_bytes")
    if isinstance(pieces, ReplicaExchange):
        raise TypeError("expected a Snapshot or its pieces, not Replica: merge its snapshot()")
    if isinstance(pieces, Changes):
        raise TypeError("expected a Snapshot or its pieces, not Changes: use apply")
    if isinstance(pieces, Mapping) or not is_iterable(pieces):
        given: object = cast("object", pieces)
        hint = "use what Replica.snapshot returned"
        raise TypeError(mismatch("", "a Snapshot or its pieces", given, hint))


def how_to_accept(item: object) -> str:
    """Return what to do instead of passing `item` to `accept`."""
    if isinstance(item, Changes):
        return "use apply"
    if isinstance(item, list | tuple):
        return "accept each of them"
    return "read it with Op.from_bytes or Op.from_text"
