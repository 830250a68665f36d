"""`Replica`: one copy of the replicated data, as an object without I/O.

Write through the handles (`replica.set("cart").add("milk")`). Pass the result of
`changes_for(vector)` to another replica's `apply`. Single operations (`since`, `accept`) and whole
states (`snapshot`, `merge`) can be exchanged too. Operations may arrive twice, late and in any
order. Each operation is applied once, after its dependencies. Replicas that have applied the same
operations hold the same values.

Every replica needs an identity of its own. `Replica()` draws one at random, and `Replica(7)` uses
number 7. `save` and `load` keep a replica over a restart. If two replicas have the same identity,
their first exchange raises IdentityReused.

>>> here, there = Replica(1), Replica(2)
>>> _ = here.set("cart").add("milk")
>>> there.apply(here.changes_for(there.vector))
True
>>> "milk" in there.set("cart")
True

A replica reads no clock of its own. Stamps decide between concurrent writes of one register. They
come from `clock` (a function that returns ms of wall clock) or from `advance`. Without either,
stamps count the writes of the register: the replica that has written it more often wins, even if
another one wrote later. Deadlines are refused then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn

import attrs

from crdt.causality.causal_buffer import WAITING_BYTES_MAX, CausalBuffer
from crdt.causality.dots import (
    GROUP_MAX,
    INCARNATION_MAX,
    ORIGIN_MAX,
    REGION_MAX,
    Origin,
    incarnation_of,
    make_origin,
    name_origin,
    region_of,
)
from crdt.causality.dots import Vector as Numbers
from crdt.causality.op import Op
from crdt.causality.op_log import HISTORY_BYTES
from crdt.causality.version_vector import vector_of
from crdt.embed.arguments import (
    check_clock,
    region_number,
    region_numbers,
    wall_clock,
)
from crdt.embed.exchange import Outcome, ReplicaExchange
from crdt.embed.identity import Identities
from crdt.embed.naming import draw_incarnation, draw_origin
from crdt.embed.saving import Saved, read_saved
from crdt.errors import DecodeError, ReplicaClosed
from crdt.store.garbage import ALL, Garbage
from crdt.store.keyspace import Keyspace
from crdt.store.snapshot import split
from crdt.types.base import Value
from crdt.types.custom import Type
from crdt.types.definition import TypeDefinition
from crdt.types.registry import BUILT_IN
from crdt.wire.expect import (
    Given,
    expect_bool,
    expect_integer,
    mismatch,
    no_subclass,
    plain_integer,
)

__all__ = ["RUN_MAX", "Outcome", "Replica", "Statistics", "origin_id", "split"]

RUN_MAX: Final = 4096  # effects in the outbox before it is closed into an operation
RUN_BYTES_MAX: Final = 4 << 20  # bytes of large items in the outbox before it is closed


@attrs.frozen
class Statistics:
    """Figures of a replica. `effects_made` counts the effects of the current incarnation. The other
    counters begin at 0 when the replica is created or loaded."""

    vector: Mapping[Origin, int]
    keys: int
    effects_made: int
    effects_applied: int
    operations_duplicate: int
    effects_duplicate: int
    merges: int
    waiting_bytes: int
    history_bytes: int
    garbage_pending: int
    garbage_attempted: int
    garbage_collected: int
    stable: Mapping[Origin, int]


class Replica(ReplicaExchange):
    """A replica of a keyspace.

    It cannot be pickled or copied. Use `save` and `load` instead. It cannot be subclassed. Keep it
    in an attribute of a class, or write functions that take it as an argument.
    """

    def __init__(  # noqa: PLR0913 - each has a default, and is given by name
        self,
        origin: Given[Origin] | None = None,
        *,
        clock: Callable[[], int] | None = None,
        members: Iterable[int] | None = None,
        history_bytes: Given[int] = HISTORY_BYTES,
        waiting_bytes: Given[int] = WAITING_BYTES_MAX,
        types: Iterable[Callable[[], Value | Type] | TypeDefinition] = (),
        group: Given[int] = 0,
    ) -> None:
        """Create an empty replica.

        * `origin` is the identity: a number from 1 to 255, or an id from `make_origin`. Replicas
          that exchange changes need different identities. By default, one is drawn at random.
        * `clock` returns the wall clock in integer milliseconds, such as
          `lambda: time.time_ns() // 1_000_000`.
        * `members` are the numbers (1 to 255) of all replicas that write, including this one. As
          long as they are unknown, no garbage is collected (see `record_report`). For a replica
          that never writes, pass `members=[]`.
        * `history_bytes` bounds the operations that are kept for peers. A peer that is further
          behind gets a whole state.
        * `waiting_bytes` bounds the causal buffer. `accept` refuses operations beyond it.
        * `types` are custom classes (see `crdt.types.custom`) or definitions.
        * `group` is the slot group, 0 to 16383, if the replica holds one part of a sharded
          database. Replicas of different groups refuse each other's states.
        """
        known = BUILT_IN.with_types(types)
        if clock is not None:
            check_clock(clock)
        name = draw_origin() if origin is None else origin_id(origin)
        others = None if members is None else other_members(region_numbers(members), name)
        history = expect_integer(history_bytes, "history_bytes", 0)
        waiting = expect_integer(waiting_bytes, "waiting_bytes", 0)
        slot_group = expect_integer(group, "group", 0, GROUP_MAX)
        super().__init__(name, known, history, waiting, others)
        self.keyspace.group = slot_group
        self.garbage: Garbage = Garbage(self.keyspace)
        self.clock: Callable[[], int] | None = clock
        self.is_closed: bool = False

    def __repr__(self) -> str:
        return f"<Replica {name_origin(self.origin)}, {self.keyspace.size()} keys>"

    def __init_subclass__(cls) -> None:
        raise no_subclass(cls.__name__, "Replica")

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Replica cannot be pickled or copied, since both copies would write under one "
            "identity: use replica.save() and Replica.load()"
        )

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        self.__reduce__()

    def __copy__(self) -> NoReturn:
        self.__reduce__()

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__reduce__()

    # -- incarnations ----------------------------------------------------------------------

    def reincarnate(self, origin: Given[Origin]) -> None:
        """Write under another incarnation from now on, because effects of this one were lost.

        The data stays. Peers send the operations of the old incarnation that they still have.
        Raises ValueError unless `origin` is another incarnation of the same region. Nothing is
        changed then.
        """
        name = expect_integer(origin, "origin", 1, ORIGIN_MAX, "make_origin makes one")
        if region_of(name) != self.region or name == self.origin:
            raise ValueError(
                f"{name} is not another incarnation of region {self.region}: use "
                f"make_origin({self.region}, incarnation)"
            )
        self.release_hold()
        self.seal()
        self.contexts[self.origin] = dict(self.keyspace.sent_context)
        self.keyspace.adopt_origin(name)

    def reset(self) -> None:
        """Delete all data locally, to take over the data of another replica.

        The deletion is not replicated. Close all links first. If the replica has written anything,
        it continues under the next incarnation. Under the old one, its vector would cover its
        earlier writes, so peers would not send them, and they would be missing here.
        """
        self.release_hold()
        self.seal()
        db = self.keyspace
        if db.seq:
            following = incarnation_of(self.origin) + 1 & INCARNATION_MAX
            db.adopt_origin(make_origin(self.region, following))
        db.clear()
        self.history.forget(db.vector)
        self.causal_buffer = CausalBuffer(self.causal_buffer.limit)
        self.identities = Identities(db, self.history, self.causal_buffer)
        self.stability.void()
        self.garbage = Garbage(db)
        self.contexts = {}

    # -- time ------------------------------------------------------------------------------

    def advance(self, now: Given[int]) -> None:
        """Set the wall clock to `now` ms. Expiry follows it, except for small steps backwards.

        Raises TypeError if `now` is not an integer, ValueError if it is out of range.
        """
        self.keyspace.advance(wall_clock(now, "use time.time_ns() // 1_000_000"))

    def prepare(self, writing: bool = True) -> Keyspace:
        """Read the clock, seal the outbox if it is long, and return the keyspace. Handles call it.

        Raises ReplicaClosed if `writing` and the replica has been closed.
        """
        if self.clock is not None:
            read: Any = self.clock  # it may return anything; `wall_clock` checks the result
            self.keyspace.advance(wall_clock(read()))
        if writing and self.is_closed:
            raise ReplicaClosed("this replica was closed: Replica.load(...) goes on with its save")
        db = self.keyspace
        if len(db.outbox) >= RUN_MAX:
            self.seal()
        elif db.outbox_bytes >= self.op_bytes and db.waiting_bytes() >= RUN_BYTES_MAX:
            self.seal_full_parts()
        return self.keyspace

    # -- saving ----------------------------------------------------------------------------

    def save(self) -> bytes:
        """Return the replica as bytes: values, vector, history and causal buffer.

        The replica may continue to write. `load` cannot detect whether it did, so the restored
        replica takes a new incarnation. Use `close` for the last save.
        """
        state = self.to_bytes()
        db = self.keyspace
        ops = [kept[3] for kept in self.history.read(self.history.start, self.history.stop)]
        saved = Saved(db.origin, self.is_closed, db.expiry_clock, state, ops)
        saved.floor = self.history.floor
        saved.group = db.group
        saved.early = [
            op.to_bytes() for queue in self.causal_buffer.queues.values() for op in queue
        ]
        return saved.to_bytes()

    def close(self) -> bytes:
        """Save for the last time. From now on this replica refuses to write (ReplicaClosed).

        A replica restored from the bytes keeps the identity. Restore it only once.
        """
        self.is_closed = True
        return self.save()

    @classmethod
    def load(  # noqa: PLR0913 - the arguments of the constructor, and two more
        cls,
        data: Given[bytes],
        *,
        resume: Given[bool] | None = None,
        clock: Callable[[], int] | None = None,
        members: Iterable[int] | None = None,
        history_bytes: Given[int] = HISTORY_BYTES,
        types: Iterable[Callable[[], Value | Type] | TypeDefinition] = (),
    ) -> Replica:
        """Restore a replica from the result of `save` or `close`.

        After `close`, the replica keeps the saved identity. After `save`, it takes a random new
        incarnation, because the original may have continued to write. Its vector gets an entry for
        the new incarnation with its first write. `resume=False` always takes a new incarnation.
        `resume=True` keeps the saved identity. The caller then guarantees that these bytes are the
        latest save, that the original has written nothing since, and that they are loaded only
        once.

        The other options are those of the constructor. With `members`, merge the state of a peer
        before the first write under a new incarnation. Raises DecodeError if the bytes are damaged
        or of an unknown version.
        """
        saved = read_saved(data)
        keeps_identity = saved.is_last if resume is None else expect_bool(resume, "resume")
        replica = Replica(
            saved.origin,
            clock=clock,
            members=members,
            history_bytes=history_bytes,
            types=types,
            group=saved.group,
        )
        replica.restore(saved)
        if not keeps_identity:
            replica.reincarnate(draw_incarnation(saved.origin, replica.keyspace.vector))
        return replica

    def restore(self, saved: Saved) -> None:
        """Load the saved content into this new replica. Raises DecodeError."""
        db = self.keyspace
        incoming = self.incoming()
        for piece in split(saved.state):
            incoming.feed(piece)
        if not incoming.complete:
            raise DecodeError("the state of a saved replica was cut off")
        self.merge_checked(incoming)
        db.adopt_origin(saved.origin)
        db.sent_context = self.contexts.pop(saved.origin, {})
        db.expiry_clock = max(db.expiry_clock, saved.expiry_clock)
        ops = [Op.from_bytes(data) for data in saved.ops]
        for op in ops:
            db.types.check_effects(op.effects)
        self.history.restore(saved.floor, db.vector, ops)
        for early in saved.early:
            self.accept(Op.from_bytes(early))

    # -- garbage collection ----------------------------------------------------------------

    def record_report(
        self, region: Given[int], vector: Mapping[Origin, int], clock: Given[int] = 0
    ) -> None:
        """Record the vector and the wall clock (ms) that the replica of `region` reports.

        The reporting replica guarantees that its later writes have observed this vector. A replica
        that has lost its memory must merge a peer's state and take another origin before it writes
        again.
        """
        self.count_report(region_number(region, "region"), vector_of(vector), wall_clock(clock))

    def count_report(self, region: int, vector: Mapping[Origin, int], clock: int) -> None:
        """Record a report whose parts were checked when it was decoded (see `record_report`)."""
        self.stability.record_report(region, dict(vector), clock, self.keyspace.vector)

    def stable(self) -> Numbers:
        """Return the vector that every member has observed. It is empty if that is not known.

        No operation that is concurrent to it can still arrive. Metadata that it covers may
        therefore be collected (rule MEM-2).
        """
        return {} if self.awaits_lost_effects else self.stability.stable(self.keyspace.vector)

    @property
    def awaits_lost_effects(self) -> bool:
        """True if the causal buffer holds an operation of an incarnation that has ended."""
        return any(self.stability.is_over(origin) for origin in self.causal_buffer.queues)

    def collect(self, keys_max: Given[int] = ALL) -> int:
        """Collect metadata that no member needs any more (rule MEM-2). Return the number of keys.

        The lowest region also deletes keys that have expired in every region. This is a write, so a
        closed replica raises ReplicaClosed. `keys_max` bounds the work (about 3 us per key). The
        next call continues where this one stopped. Nothing is collected while a command of a server
        works in slices.
        """
        if self.is_closed:
            raise ReplicaClosed("this replica was closed and must not write: do not collect")
        limit = expect_integer(keys_max, "keys_max", 0)
        if self.hold is not None:
            return 0
        stable = self.stable()
        clock = self.stability.clock(self.keyspace.expiry_clock)
        return self.garbage.collect(stable, clock, self.stability.leads(self.region), limit)

    def statistics(self) -> Statistics:
        """Return the figures of this replica."""
        db = self.keyspace
        return Statistics(
            vector=dict(db.vector),
            keys=db.estimate_size(),
            effects_made=db.seq,
            effects_applied=self.applied,
            operations_duplicate=self.duplicates,
            effects_duplicate=self.effects_duplicate,
            merges=self.merges,
            waiting_bytes=self.causal_buffer.bytes,
            history_bytes=self.history.bytes,
            garbage_pending=len(db.garbage),
            garbage_attempted=self.garbage.attempted,
            garbage_collected=self.garbage.collected,
            stable=self.stable(),
        )


def origin_id(origin: object) -> Origin:
    """Return the origin id for an origin id or a region number. Raises TypeError or ValueError if
    `origin` is neither."""
    hint = "use a number of the replica from 1 to 255, or leave it out"
    number = plain_integer(origin)
    if number is None:
        raise TypeError(mismatch("origin", "an integer", origin, hint))
    if 1 <= number <= REGION_MAX:
        return make_origin(number)
    if not make_origin(1) <= number <= ORIGIN_MAX:
        raise ValueError(f"{number} is not the number of a replica: use 1 to 255, or leave it out")
    return number


def other_members(members: set[int], origin: Origin) -> set[int]:
    """Return `members` without the region of `origin`. Raises ValueError if that region is not in
    `members`, because the others would collect metadata that this replica has not observed."""
    region = region_of(origin)
    if members and region not in members:
        raise ValueError(
            f"replica {region} is not among its members {sorted(members)}: list the numbers of all "
            f"replicas that write, this one too, or pass [] if it never writes"
        )
    return members - {region}
