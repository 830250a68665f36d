"""One replica: the whole of the model in one pure object.

Write through the handles (`replica.set("cart").add("milk")`), bring what `changes_for(vector)`
returns to another replica's `apply`, or exchange operations one by one (`since`, `accept`) or whole
states (`snapshot`, `merge`). Operations may come twice, late and in any order; each is applied
once, after everything that it depends on. Replicas that have applied the same operations hold the
same values.

Every replica has an identity, and no two may have the same: `Replica()` draws one at random,
`Replica(7)` uses number 7. A replica is kept over a restart by `save` and `load`. An identity that
is used twice is noticed at the first exchange, which raises IdentityReused.

>>> here, there = Replica(1), Replica(2)
>>> _ = here.set("cart").add("milk")
>>> there.apply(here.changes_for(there.vector))
True
>>> "milk" in there.set("cart")
True

Nothing here reads a clock. Stamps, which choose between concurrent writes of one register, come
from `clock` (a function that returns ms of wall clock) or from `advance`. Without either they just
count up: then the replica that has written the register more often wins, not the one that wrote
last, and deadlines are refused.
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
from crdt.causality.schema import STAMP_MAX
from crdt.embed.arguments import region_numbers, wall_clock, whole
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

__all__ = ["RUN_MAX", "Outcome", "Replica", "Statistics", "origin_id", "split"]

RUN_MAX: Final = 4096  # effects in the outbox before it is closed into an operation
RUN_BYTES_MAX: Final = 4 << 20  # bytes of large items in the outbox before it is closed


@attrs.frozen
class Statistics:
    """Figures of a replica; counts since it was made."""

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
    """A copy of a keyspace. It cannot be pickled or copied: see `save` and `load`."""

    def __init__(  # noqa: PLR0913 - each has a default, and is given by name
        self,
        origin: Origin | int | None = None,
        *,
        clock: Callable[[], int] | None = None,
        members: Iterable[int] | None = None,
        history_bytes: int = HISTORY_BYTES,
        waiting_bytes: int = WAITING_BYTES_MAX,
        types: Iterable[Callable[[], Value | Type] | TypeDefinition] = (),
        group: int = 0,
    ) -> None:
        """`origin` is the identity: a number from 1 to 255, or an id from `make_origin`. No two
        replicas that exchange anything may have the same one; without it one is drawn at random.

        `clock` returns the wall clock in integer milliseconds, such as
        `lambda: time.time_ns() // 1_000_000`. `members` are the numbers (1 to 255) of all replicas
        that write, this one included; until they are known nothing is forgotten, see `heard`. A
        replica that never writes has none: `members=[]`. `history_bytes` bounds
        the operations kept for peers that are away; beyond it they get a whole state.
        `waiting_bytes` bounds the operations that wait for others; beyond it `accept` refuses them.
        `types` are custom classes, see `crdt.types.custom`, or definitions. `group` is the slot
        group of a sharded database whose keys the replica holds, 0 to 16383. Replicas of different
        groups refuse each other's states.
        """
        known = BUILT_IN.with_types(types)
        if clock is not None and not callable(clock):
            raise TypeError(f"clock is a function that returns ms, not {type(clock).__name__}")
        name = draw_origin() if origin is None else origin_id(origin)
        others = None if members is None else other_members(region_numbers(members), name)
        for limit, size in (("history_bytes", history_bytes), ("waiting_bytes", waiting_bytes)):
            if size < 0:
                raise ValueError(f"{limit} is {size}: use 0 or more")
        slot_group = whole(group, "use the number of a slot group")
        if not 0 <= slot_group <= GROUP_MAX:
            raise ValueError(f"group is {group}: use 0 to {GROUP_MAX}")
        super().__init__(name, known, history_bytes, waiting_bytes, others)
        self.keyspace.group = slot_group
        self.garbage: Garbage = Garbage(self.keyspace)
        self.clock: Callable[[], int] | None = clock
        self.is_closed: bool = False

    def __repr__(self) -> str:
        return f"<Replica {name_origin(self.origin)}, {self.keyspace.size()} keys>"

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

    # -- lives -----------------------------------------------------------------------------

    def reincarnate(self, origin: Origin) -> None:
        """Write under another incarnation from now on, since effects of this one were lost.

        Our data stays. Peers send what they still have of the old incarnation. Raises ValueError,
        with nothing changed, unless `origin` is another incarnation of our region.
        """
        if region_of(origin) != self.region or origin == self.origin:
            raise ValueError(f"{origin} is not another incarnation of region {self.region}")
        self.seal()
        self.contexts[self.origin] = dict(self.keyspace.sent_context)
        self.keyspace.take_name(origin)

    def reset(self) -> None:
        """Delete all data without replicating that, to take over the data of another replica.

        Close all links first. If we have written anything, we write under the next incarnation
        from now on. Otherwise our vector would claim that our earlier writes are here when a peer
        sends them: they would be missing here and present there.
        """
        self.seal()
        db = self.keyspace
        if db.seq:
            following = incarnation_of(self.origin) + 1 & INCARNATION_MAX
            db.take_name(make_origin(self.region, following))
        db.clear()
        self.history.forget(db.vector)
        self.causal_buffer = CausalBuffer(self.causal_buffer.limit)
        self.identities = Identities(db, self.history, self.causal_buffer)
        self.stability.void()
        self.garbage = Garbage(db)
        self.contexts = {}

    # -- time ------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """It is `now` ms of wall clock. Expiry follows, but stands still if it goes back a little.

        Raises TypeError if `now` is not an integer, ValueError if it is out of range.
        """
        if type(now) is not int or not -STAMP_MAX <= now <= STAMP_MAX:
            now = wall_clock(now)
        self.keyspace.advance(now)

    def prepare(self, writing: bool = True) -> Keyspace:
        """Return the keyspace with the clock read, and the outbox not too long. Handles call it."""
        if self.clock is not None:
            read: Any = self.clock  # it may return anything, which `wall_clock` refuses
            now = read()
            self.advance(now if type(now) is int else wall_clock(now))
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
        """Return the replica as bytes: values, vector, history, and what waits for its turn.

        The replica may write on. Since `load` cannot know whether it did, what is restored from
        these bytes takes a new incarnation. Use `close` for the last save.
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
        """Save for the last time. From now on this replica refuses to write (ReplicaClosed), and
        what is restored from the bytes goes on under its name. Restore it once only."""
        self.is_closed = True
        return self.save()

    @classmethod
    def load(  # noqa: PLR0913 - the arguments of the constructor, and two more
        cls,
        data: bytes,
        *,
        resume: bool | None = None,
        clock: Callable[[], int] | None = None,
        members: Iterable[int] | None = None,
        history_bytes: int = HISTORY_BYTES,
        types: Iterable[Callable[[], Value | Type] | TypeDefinition] = (),
    ) -> Replica:
        """Restore a replica from what `save` or `close` returned; the options are those of the
        constructor.

        After `close` it goes on under the saved name. After `save` it takes a new incarnation,
        drawn at random, as the original may have written on; its vector gets a new entry with its
        first write. `resume=True` states that these bytes are the latest, that the original has
        written nothing since and that they are loaded once: then it goes on under the saved name.
        `resume=False` always takes a new incarnation.

        With `members`, merge the state of a peer before the first write under a new incarnation.
        Raises DecodeError at bytes that are damaged or of an unknown version.
        """
        saved = read_saved(data)
        replica = Replica(
            saved.origin,
            clock=clock,
            members=members,
            history_bytes=history_bytes,
            types=types,
            group=saved.group,
        )
        replica.restore(saved)
        if not (saved.is_last if resume is None else resume):
            replica.reincarnate(draw_incarnation(saved.origin, replica.keyspace.vector))
        return replica

    def restore(self, saved: Saved) -> None:
        """Become what was saved. Raises DecodeError."""
        db = self.keyspace
        incoming = self.incoming()
        for piece in split(saved.state):
            incoming.feed(piece)
        if not incoming.complete:
            raise DecodeError("the state of a saved replica was cut off")
        self.take_over(incoming)
        db.take_name(saved.origin)
        db.sent_context = self.contexts.pop(saved.origin, {})
        db.expiry_clock = max(db.expiry_clock, saved.expiry_clock)
        ops = [Op.from_bytes(data) for data in saved.ops]
        for op in ops:
            db.types.check_effects(op.effects)
        self.history.restore(saved.floor, db.vector, ops)
        for early in saved.early:
            self.accept(Op.from_bytes(early))

    # -- forgetting ------------------------------------------------------------------------

    def heard(self, region: int, vector: Mapping[Origin, int], clock: int = 0) -> None:
        """The replica of `region` reports the vector and the wall clock (ms) it has reached.

        It promises that what it writes from now on has seen that vector. A replica that has lost
        its memory must merge a peer's state before it writes again, under another origin.
        """
        self.stability.heard(region, dict(vector), clock, self.keyspace.vector)

    def stable(self) -> Numbers:
        """The vector that every member has observed. Nothing concurrent to it can still arrive, so
        metadata below it may be collected (rule MEM-2). Empty while it is not known."""
        return {} if self.awaits_lost_effects else self.stability.stable(self.keyspace.vector)

    @property
    def awaits_lost_effects(self) -> bool:
        """Return whether the causal buffer holds an operation of an incarnation that is over."""
        return any(self.stability.is_over(origin) for origin in self.causal_buffer.queues)

    def collect(self, keys_max: int = ALL) -> int:
        """Collect metadata that no member can need (rule MEM-2). Return the number of items.

        The lowest region also deletes keys that have expired everywhere. That is a write, so a
        replica that may not write must not collect either. `keys_max` bounds the work (about 3 us
        per key); the next call continues where this one stopped.
        """
        if self.is_closed:
            raise ReplicaClosed("this replica was closed and must not write: do not collect")
        stable = self.stable()
        clock = self.stability.clock(self.keyspace.expiry_clock)
        return self.garbage.collect(stable, clock, self.stability.leads(self.region), keys_max)

    def statistics(self) -> Statistics:
        """Return the figures of this replica."""
        db = self.keyspace
        return Statistics(
            vector=dict(db.vector),
            keys=db.size(),
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


def origin_id(origin: int) -> Origin:
    """An origin id, from one or from the number of a region. Raises ValueError at anything else."""
    number = whole(origin)
    if 1 <= number <= REGION_MAX:
        return make_origin(number)
    if not make_origin(1) <= number <= ORIGIN_MAX:
        raise ValueError(f"{number} is not the number of a replica: use 1 to 255, or leave it out")
    return number


def other_members(members: set[int], origin: Origin) -> set[int]:
    """The numbers of the others. Raises ValueError where a replica is not among its members: the
    others would forget what it has not seen."""
    region = region_of(origin)
    if members and region not in members:
        raise ValueError(
            f"replica {region} is not among its members {sorted(members)}: list the numbers of all "
            f"replicas that write, this one too, or pass [] if it never writes"
        )
    return members - {region}
