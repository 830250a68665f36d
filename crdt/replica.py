"""One replica: the whole of the model in one pure object.

Write through the handles (`replica.set("cart").add("milk")`), bring what `since(vector)` gives to
another replica's `accept`, or a whole `snapshot` to its `merge`. Operations may come twice, late
and in any order; each is applied once, after everything that it depends on. Replicas that have
applied the same operations hold the same values.

>>> here, there = Replica(1), Replica(2)
>>> _ = here.set("cart").add("milk")
>>> for op in here.since(there.vector):
...     _ = there.accept(op)
>>> "milk" in there.set("cart")
True

Nothing here reads a clock. Stamps, which choose between concurrent writes of one register, come
from `clock` (a function that returns ms of wall clock) or from `advance`; without either they just
count up.
"""

from __future__ import annotations

import builtins
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs

from crdt.arguments import wall_clock, whole
from crdt.causal import Gate, is_ready
from crdt.collecting import ALL, Garbage
from crdt.custom import Custom, Type, maker
from crdt.digest import digest
from crdt.dots import (
    INCARNATION_MAX,
    ORIGIN_MAX,
    ORIGINS_MAX,
    REGION_MAX,
    Origin,
    Vector,
    incarnation_of,
    join,
    make_origin,
    name_origin,
    region_of,
)
from crdt.effects import STAMP_MAX
from crdt.errors import DecodeError, DotReused
from crdt.flag import DISABLE_WINS, ENABLE_WINS
from crdt.handles import (
    CounterHandle,
    HashHandle,
    Key,
    ListHandle,
    SetHandle,
    SortedSetHandle,
    StringHandle,
)
from crdt.handles_more import (
    FlagHandle,
    GrowCounterHandle,
    MultiValueHandle,
    RemoveWinsSetHandle,
    ValueHandle,
)
from crdt.history import HISTORY_BYTES, History
from crdt.keyspace import Keyspace
from crdt.merging import Incoming, merge_into
from crdt.op import OP_BYTES, Op
from crdt.snapshot import Snapshot
from crdt.stability import Stability
from crdt.types import MAKERS
from crdt.value import Effect, Value

BUILT_IN_MAX: Final = 0xFF  # the greatest kind of an effect of our own types
RUN_MAX: Final = 4096  # effects in the outbox before it is closed into an operation
RUN_BYTES_MAX: Final = 4 << 20  # bytes of large items in the outbox before it is closed


class Outcome(enum.Enum):
    """What became of an operation that was offered."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"


@attrs.frozen
class Statistics:
    """How a replica is doing; counts since it was made."""

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


class Replica:
    """One copy of a keyspace."""

    def __init__(
        self,
        origin: Origin | int,
        *,
        clock: Callable[[], int] | None = None,
        members: Iterable[int] | None = None,
        history_bytes: int = HISTORY_BYTES,
        types: Iterable[Callable[[], Value | Type]] = (),
    ) -> None:
        """`origin` is a region number, 1..255, or an id from `make_origin`. `members` are the
        region numbers of all other replicas; while they are not told, nothing is forgotten.
        `types` are classes of one's own, see `crdt.custom`."""
        makers = dict(MAKERS)
        for make in map(maker, types):
            code = make().code()
            if code in makers and code not in MAKERS:
                raise ValueError(f"two types have the code {code}")
            makers[code] = make
        self.keyspace: Keyspace = Keyspace(origin_id(origin), makers)
        self.history: History = History(history_bytes)
        self.gate: Gate = Gate()
        others = None if members is None else set(members) - {region_of(self.keyspace.origin)}
        self.stability: Stability = Stability(others)
        self.garbage: Garbage = Garbage(self.keyspace)
        self.contexts: dict[Origin, Vector] = {}
        self.clock: Callable[[], int] | None = clock
        self.applied: int = 0
        self.duplicates: int = 0
        self.effects_duplicate: int = 0
        self.merges: int = 0

    @property
    def origin(self) -> Origin:
        """The id that the dots of this replica carry."""
        return self.keyspace.origin

    @property
    def region(self) -> int:
        """The number of the region that this replica stands for."""
        return region_of(self.keyspace.origin)

    @property
    def vector(self) -> Vector:
        """What has been applied here. A copy."""
        return dict(self.keyspace.vector)

    def __repr__(self) -> str:
        return f"<Replica {name_origin(self.origin)}, {self.keyspace.size()} keys>"

    # -- lives -----------------------------------------------------------------------------

    def reincarnate(self, origin: Origin) -> None:
        """Write under another incarnation from now on, since effects of this one were lost. What
        is here stays; what peers still have of the old incarnation comes from them.

        Raises ValueError if `origin` is no other incarnation of our region; nothing is changed.
        """
        if region_of(origin) != self.region or origin == self.origin:
            raise ValueError(f"{origin} is no other incarnation of region {self.region}")
        self.seal()
        self.contexts[self.origin] = dict(self.keyspace.told)
        self.keyspace.take_name(origin)

    def reset(self) -> None:
        """Lose everything, to take over somebody else's data. Peers are not told: have no links
        with any while this happens.

        If we have written anything it is as if we had died: from now on we write under the next
        incarnation. Else somebody who brings back what we wrote, or follows us, would take it for
        known here, and it would be removed here and kept there.
        """
        self.seal()
        db = self.keyspace
        if db.seq:
            following = incarnation_of(self.origin) + 1 & INCARNATION_MAX
            db.take_name(make_origin(self.region, following))
        db.clear()
        self.history.forget(db.vector)
        self.gate = Gate(self.gate.limit)
        self.stability.void()
        self.garbage = Garbage(db)
        self.contexts = {}

    # -- time ------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """It is `now` ms of wall clock. Expiry follows, but stands still if it goes back a little.

        Raises TypeError at what is no integer, ValueError at what no clock shows.
        """
        if type(now) is not int or not -STAMP_MAX <= now <= STAMP_MAX:
            now = wall_clock(now)
        self.keyspace.advance(now)

    def prepare(self) -> Keyspace:
        """The keyspace, ready to be written: with the clock read and the outbox not too long."""
        if self.clock is not None:
            self.advance(self.clock())
        db = self.keyspace
        if len(db.outbox) >= RUN_MAX or db.waiting_bytes() >= RUN_BYTES_MAX:
            self.seal()
        return self.keyspace

    # -- values ----------------------------------------------------------------------------

    def string(self, key: Key) -> StringHandle:
        """The last-writer-wins register under `key`."""
        return StringHandle(self.prepare, key)

    def counter(self, key: Key) -> CounterHandle:
        """The counter under `key`: increments of all replicas add up."""
        return CounterHandle(self.prepare, key)

    def set(self, key: Key) -> SetHandle:
        """The set under `key`: an add wins over a concurrent remove."""
        return SetHandle(self.prepare, key)

    def hash(self, key: Key) -> HashHandle:
        """The map of strings under `key`."""
        return HashHandle(self.prepare, key)

    def sorted_set(self, key: Key) -> SortedSetHandle:
        """The members with scores under `key`."""
        return SortedSetHandle(self.prepare, key)

    def list(self, key: Key) -> ListHandle:
        """The sequence under `key`."""
        return ListHandle(self.prepare, key)

    def multi_value(self, key: Key) -> MultiValueHandle:
        """The register under `key` that shows all concurrent values."""
        return MultiValueHandle(self.prepare, key)

    def set_remove_wins(self, key: Key) -> RemoveWinsSetHandle:
        """The set under `key`: a remove wins over a concurrent add."""
        return RemoveWinsSetHandle(self.prepare, key)

    def counter_grow(self, key: Key) -> GrowCounterHandle:
        """The counter under `key` that only grows."""
        return GrowCounterHandle(self.prepare, key)

    def flag(self, key: Key, *, disable_wins: bool = False) -> FlagHandle:
        """The flag under `key`: an enable wins over a concurrent disable, or the other way round.
        Flags of both kinds are different types."""
        return FlagHandle(self.prepare, key, DISABLE_WINS if disable_wins else ENABLE_WINS)

    def value(self, key: Key, make: Callable[[], Type]) -> ValueHandle:
        """The value of one of the replica's own `types` under `key`."""
        return ValueHandle(self.prepare, key, make)

    # -- operations ------------------------------------------------------------------------

    def seal(self) -> Op | None:
        """Close what was written since the last call into one operation, and keep it in the
        history, in several if it is large. None if nothing was written.

        After a MemoryError what could not be encoded is still there to be sealed.
        """
        db = self.keyspace
        op = db.pending()
        if op is None:
            return None
        is_one = db.outbox_bytes <= OP_BYTES and len(op.to_bytes()) <= OP_BYTES
        for part in (op,) if is_one else op.divided(OP_BYTES):
            self.history.append(part)
            db.take_out(part)
        return op

    def since(self, vector: Vector) -> builtins.list[Op]:
        """What somebody who has reached `vector` lacks, in an order that respects causality.

        Raises HistoryTruncated if some of it is no longer kept: send a `snapshot` then.
        """
        self.seal()
        return self.history.since(vector)

    def accept(self, op: Op) -> Outcome:
        """Take in an operation: apply it, or hold it until everything it depends on has arrived,
        earlier operations of its own origin included.

        A refused operation must be offered again: too much is waiting already. Raises
        DecodeError, with nothing changed, at types that are not known here.
        """
        db = self.keyspace
        if db.outbox:
            self.seal()
        have = db.vector.get(op.origin, 0)
        if op.last <= have:
            self.duplicates += 1
            self.effects_duplicate += len(op.effects)
            return Outcome.DUPLICATE
        if op.origin == db.origin:
            raise DotReused(f"{op!r} carries our own origin, and we did not make it")
        if op.first <= have:
            op = op.beyond(have)
        elif not have and len(db.vector) >= ORIGINS_MAX:
            raise DecodeError(f"{op!r} would be one origin too many")
        for effect in op.effects:
            if effect[0] > BUILT_IN_MAX:
                self.check_custom(effect)
        if not is_ready(op, db.vector):
            return Outcome.HELD if self.gate.hold(op, db.vector) else Outcome.REFUSED
        self.apply(op)
        if self.gate.queues:
            self.drain()
        self.stability.settle(db.vector)
        return Outcome.APPLIED

    def check_custom(self, effect: Effect) -> None:
        """Refuse an effect of a type that is not among `types`, or that its type refuses."""
        make = self.keyspace.makers.get(effect[0] >> 4)
        value = None if make is None else make()
        if not isinstance(value, Custom):
            raise DecodeError(f"this replica knows no type {effect[0] >> 4}")
        value.check(effect)

    def apply(self, op: Op) -> None:
        """Apply an operation whose turn it is."""
        past = self.contexts.setdefault(op.origin, {})
        past.update(op.deps)
        self.keyspace.apply_op(op, past)
        self.applied += len(op.effects)
        self.history.append(op)

    def drain(self) -> None:
        """Apply what has waited for what has just come."""
        while (op := self.gate.ready(self.keyspace.vector)) is not None:
            self.apply(op)

    # -- state -----------------------------------------------------------------------------

    def snapshot(self, sort: bool = False) -> Snapshot:
        """The whole state, piece by piece, consistent as of now while writes go on. With `sort`
        equal content gives equal bytes."""
        self.seal()
        contexts = self.contexts | {self.origin: self.keyspace.told}
        told = {origin: dict(context) for origin, context in contexts.items() if context}
        return Snapshot(self.keyspace, told, sort)

    def merge(self, pieces: Iterable[bytes]) -> None:
        """Take in another replica's snapshot. Raises DecodeError, with nothing changed."""
        incoming = self.incoming()
        for piece in pieces:
            incoming.feed(piece)
        self.merge_incoming(incoming)

    def incoming(self) -> Incoming:
        """Room for a snapshot that comes piece by piece; see `merge_incoming`."""
        return Incoming(self.keyspace)

    def merge_incoming(self, incoming: Incoming) -> None:
        """Merge a snapshot that has come whole.

        Raises DecodeError if it has not, DotReused if it knows more of our own writes than we.
        """
        db = self.keyspace
        self.seal()
        if not incoming.complete:
            raise DecodeError("the snapshot was cut off")
        if incoming.vector.get(db.origin, 0) > db.seq:
            raise DotReused("a peer knows writes under our origin that we have lost")
        if len(join(db.vector, incoming.vector)) > ORIGINS_MAX:
            raise DecodeError("the snapshot brings too many origins")
        for origin, seq in incoming.vector.items():
            if seq > db.vector.get(origin, 0):
                self.contexts[origin] = incoming.contexts.get(origin, {})
        before = dict(db.vector)
        merge_into(db, incoming)
        self.merges += 1
        if db.vector != before:
            self.history.jump(before, db.vector)
        self.drain()
        self.stability.settle(db.vector)

    def to_bytes(self) -> bytes:
        """The whole state in one canonical byte string."""
        pieces = builtins.list(self.snapshot(sort=True))
        return b"".join([len(piece).to_bytes(4, "big") + piece for piece in pieces])

    def merge_bytes(self, data: bytes) -> None:
        """Take in what `to_bytes` gave. Raises DecodeError, with nothing changed."""
        self.merge(split(data))

    def digest(self) -> bytes:
        """A hash of what readers see, equal in converged replicas. O(size of the data)."""
        return digest(self.keyspace)

    # -- forgetting ------------------------------------------------------------------------

    def heard(self, region: int, vector: Vector, clock: int = 0) -> None:
        """The replica of `region` reports the vector and the wall clock (ms) it has reached.

        It promises that what it writes from now on has seen that vector. A replica that has lost
        its memory must merge a peer's state before it writes again, under another origin.
        """
        self.stability.heard(region, vector, clock, self.keyspace.vector)

    def stable(self) -> Vector:
        """What every member has observed, so that nothing beside it can still come: what is below
        may be forgotten (rule MEM-2). Empty while that is not known."""
        return {} if self.awaits_the_dead else self.stability.stable(self.keyspace.vector)

    @property
    def awaits_the_dead(self) -> bool:
        """Whether an operation of a life that is over waits here for its turn."""
        return any(self.stability.is_over(origin) for origin in self.gate.queues)

    def collect(self, keys_max: int = ALL) -> int:
        """Forget what nobody can need any more; how many things were forgotten (rule MEM-2).

        The lowest region also deletes what has expired everywhere: that is a write, so a replica
        that may not write yet must not collect either. Who has no time for all, some 3 us a key,
        sets `keys_max`: the next collection goes on with other keys.
        """
        stable = self.stable()
        clock = self.stability.clock(self.keyspace.horizon)
        return self.garbage.collect(stable, clock, self.stability.leads(self.region), keys_max)

    def statistics(self) -> Statistics:
        """How the replica is doing."""
        db = self.keyspace
        return Statistics(
            vector=dict(db.vector),
            keys=db.size(),
            effects_made=db.seq,
            effects_applied=self.applied,
            operations_duplicate=self.duplicates,
            effects_duplicate=self.effects_duplicate,
            merges=self.merges,
            waiting_bytes=self.gate.bytes,
            history_bytes=self.history.bytes,
            garbage_pending=len(db.litter),
            garbage_attempted=self.garbage.attempted,
            garbage_collected=self.garbage.collected,
            stable=self.stable(),
        )


def origin_id(origin: int) -> Origin:
    """An origin id, from one or from the number of a region. Raises ValueError at anything else."""
    number = whole(origin)
    if number <= REGION_MAX:
        return make_origin(number)
    if not make_origin(1) <= number <= ORIGIN_MAX:
        raise ValueError(f"{number} is no region and nothing that make_origin gives")
    return number


def split(data: bytes) -> Iterator[bytes]:
    """The pieces of what `to_bytes` gave. Raises DecodeError if it is cut off."""
    position = 0
    while position < len(data):
        start = position + 4
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data):
            raise DecodeError("the state was cut off")
        yield data[start:position]
