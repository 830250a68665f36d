"""The keys of one replica, and every way to change them.

Every change is an *effect*, a tuple `(type code, operation, key, *payload)`. `emit` gives a local
effect the next dot, applies it and puts it into the outbox. `apply_op` applies the effects of a
remote operation. Both end in `MutableKeyTable.apply`. `seal` closes the outbox into one operation:
a run of effects with the same causal context.

Consecutive writes of one large string share an effect until the outbox is sealed. The earlier value
has not been sent yet, so the later value replaces it under the same dot. Consecutive edits of
neighbouring bytes are joined in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, Vector, make_dot, region_of
from crdt.causality.effect import (
    ANY_TYPE,
    DELETE,
    EXPIRE,
    FLUSH,
    FORGET,
    LARGE_BYTES,
    LONG_ITEMS,
    Effect,
    large_bytes,
    weight,
)
from crdt.causality.observed import Observed
from crdt.causality.op import Op
from crdt.causality.op_pieces import PackedEffects
from crdt.causality.schema import FOREVER, STAMP_MAX
from crdt.errors import DotReused
from crdt.store.bin import Bin
from crdt.store.expiring_key_table import ExpiringKeyTable
from crdt.store.steps import FlushStep
from crdt.store.unsettled import STEPS_MAX, Unsettled
from crdt.store.values import MemoryStore, ValueStore
from crdt.types.base import DroppedContent, Value
from crdt.types.components.contested import Contested
from crdt.types.components.deadlines import longest
from crdt.types.components.register import Register
from crdt.types.registry import TypeRegistry

CLOCK_SLACK_MS: Final = 1000  # the largest correction of a correct clock
FLUSH_SLICE: Final = 1000  # the resets between two pauses of a FLUSHALL in slices
ITEM_BYTES: Final = 256  # the memory that one element of a long effect takes, without its bytes
RESERVE_BYTES: Final = 64 << 10
RECENT_EFFECTS: Final = 32  # so many are worth a step of packing, and hold some kilobytes
JOINED_BYTES_MAX: Final = 4096
"""The largest patch of joined edits. Each of them copies the patch, so it must remain short."""


class Keyspace(ExpiringKeyTable):
    """All keys of one replica. `now` is the wall clock in ms, set by `advance`."""

    __slots__ = (
        "_boxed_origin",
        "base",
        "bin",
        "expired",
        "first",
        "group",
        "local",
        "has_remote_news",
        "now",
        "on_message",
        "origin",
        "outbox",
        "outbox_bytes",
        "packed",
        "reserve",
        "seq",
        "sent_context",
        "slice_effects",
        "slice_keys",
        "unsettled",
        "vector",
    )

    def __init__(
        self, origin: Origin, types: TypeRegistry, new_store: Callable[[], ValueStore] = MemoryStore
    ) -> None:
        super().__init__(types, new_store)
        self.origin: Origin = origin
        self._boxed_origin: Any = origin
        """The origin again, as a Python object: compiled code need not make one at each write."""
        self.seq: int = 0
        self.now: int = 0
        self.base: int = 0
        self.vector: Vector = {}
        self.expired: int = 0  # the number of expired keys that were deleted here
        self.local: Observed = Observed(self.vector, origin, 0, 0)
        self.local.is_local = True
        self.outbox: list[Effect] = []
        self.outbox_bytes: int = 0
        """The bytes of the large items in the outbox."""
        self.packed: PackedEffects | None = None  # the first of the outbox (see `pack_effects`)
        self.reserve: bytes = bytes(RESERVE_BYTES)
        """Memory that is freed to complete an effect after a MemoryError."""
        self.first: int = 1
        self.group: int = 0  # the slot group of these keys; there is only one yet
        self.on_message: Callable[[Effect], None] | None = None  # gets others' messages in order
        self.sent_context: Vector = {}
        self.has_remote_news: bool = False
        self.unsettled: Unsettled = Unsettled(self)
        """The steps that wait to be carried out, key by key."""
        self.bin: Bin = Bin()
        """Removed content that `work` frees."""
        self.slice_effects: int = 0
        """The effects of an operation that are applied immediately. `work` applies longer ones."""
        self.slice_keys: int = 0
        """The keys that `work` settles in one call; 0 if nothing is left to `work`."""

    # -- settling --------------------------------------------------------------------------

    def settle(self, key: bytes) -> None:
        self.unsettled.settle(key)

    def settle_all(self) -> None:
        self.unsettled.settle_all()

    def is_large_unsettled(self, key: bytes) -> bool:
        """Return whether it takes longer than a slice to settle `key`."""
        return self.unsettled.is_large(key, self.slice_keys)

    def settle_slice(self, key: bytes) -> bool:
        """Settle a part of a large key. Return whether the rest takes longer than a slice."""
        return self.unsettled.settle_key_slice(key, self.slice_keys)

    def settle_watched(self) -> None:
        """Settle the watched keys after a step has begun, or all keys if too many steps wait."""
        if self.slice_keys == 0 or len(self.unsettled.steps) > STEPS_MAX:
            self.settle_all()
            return
        for key in sorted(self.watched_keys):
            self.settle(key)

    def steps_begun(self) -> int:
        """Return how many steps have begun so far. Each may have changed all keys."""
        return self.unsettled.begun

    def remove_all(self, observed: Observed) -> None:
        is_all = observed.covers_all(self.vector) and not self.readers and not self.is_unsettled
        is_all = is_all and not self.data.counters
        traces = len(self.traced) + len(self.tombstones.index)
        if is_all and (traces <= self.slice_keys or not self.slice_keys):
            self.drop_all(observed)
        else:
            aside = self.unsettled.put_aside(keeps_all=not is_all)
            self.unsettled.begin(FlushStep(aside, observed.copy()))
            self.settle_watched()

    def work(self) -> bool:
        """Do the next slice of what waits. Return whether more is left."""
        if self.is_unsettled:
            return self.unsettled.settle_some(self.slice_keys) or not self.bin.is_empty()
        return self.bin.free_slice()

    def has_work(self) -> bool:
        """Return whether something is left for `work`."""
        return self.is_unsettled or not self.bin.is_empty()

    def estimate_size(self) -> int:
        """Return about how many keys there are; exactly if all are settled. Settles none. O(1)."""
        return len(self.data.index) + self.unsettled.estimate_size()

    def discard(self, content: DroppedContent) -> None:
        if self.slice_keys:
            self.bin.add(content)

    # -- time ------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Set the wall clock to `now` ms. Stamps and expiry follow it.

        A step back of at most `CLOCK_SLACK_MS` does not move expiry, so a small correction makes no
        expired key visible again. Expiry follows a larger step, as the clock was wrong then. A
        watched key that becomes visible again counts as changed.
        """
        self.now = now
        if now > self.expiry_clock or now < self.expiry_clock - CLOCK_SLACK_MS:
            is_set_back = now < self.expiry_clock
            hidden = self.hidden(self.watched_keys) if is_set_back and self.watched_keys else []
            self.expiry_clock = now
            self.dirty_keys += [key for key in hidden if self.lookup(key) is not None]
        self.move_parts()
        if not self.outbox:
            self.base = now

    # -- incarnations ----------------------------------------------------------------------

    def adopt_origin(self, origin: Origin) -> None:
        """Write under another origin from now on."""
        assert not self.outbox, "seal before taking another origin"
        self.origin = self._boxed_origin = origin
        self.seq = self.vector.get(origin, 0)
        self.first = self.seq + 1
        self.sent_context = {}
        self.has_remote_news = True
        self.local = Observed(self.vector, origin, 0, 0)
        self.local.is_local = True

    def clear(self) -> None:
        """Remove everything but the own origin and its last seq. No effect is emitted."""
        assert not self.outbox, "seal before losing everything"
        self.settle_all()
        for key in [*self.data.index, *self.tombstones.index, *self.deadlines.table]:
            self.warn_readers(key)
            if key in self.watched_keys and self.lookup(key) is not None:
                self.dirty_keys.append(key)
        self.begin_empty()
        self.vector.clear()
        if self.seq:
            self.vector[self.origin] = self.seq
        self.sent_context = {}
        self.has_remote_news = False

    def lookup_for_write(self, key: bytes) -> Value | None:
        """Return `lookup(key)`. First delete an expired value or a deadline without a value."""
        if self.is_unsettled:
            self.settle(key)
        value = self.data.get(key)
        table = self.deadlines.table
        if table:
            siblings: tuple[int, ...] | None = table.get(key)
            if siblings is not None and (value is None or longest(siblings) < self.expiry_clock):
                self.expired += value is not None
                self.emit((ANY_TYPE, DELETE, key, self.carried_by(key)))
                value = self.data.get(key)
        return value.shown() if type(value) is Contested else value

    # -- writing ---------------------------------------------------------------------------

    def stamp(self, replaced: int) -> int:
        """Return the stamp of a write made now, relative to `base`. It is later than the stamp
        `replaced` (rule ORD-7), but at most STAMP_MAX, which an operation can carry."""
        if replaced < self.now:
            return self.now - self.base
        return min(replaced + 1 - self.base, STAMP_MAX)

    def record(self, effect: Effect) -> Dot:
        """Give `effect` the next dot, and put it into the outbox to be sent. Return the dot.

        The caller carries out the effect, as `apply` would.
        """
        seq = self.seq + 1
        if seq > SEQ_MAX:
            raise DotReused("all dots of this origin are used: take a new incarnation")
        size = len(effect)
        last: object = effect[size - 1]
        if isinstance(last, bytes) and len(last) > LARGE_BYTES:
            self.outbox_bytes += len(last)
        if size > LONG_ITEMS:
            bytes(size * ITEM_BYTES)  # raise MemoryError here, before anything has changed
            self.outbox_bytes += weight(effect)
        self.outbox.append(effect)
        self.seq = seq
        local = self.local
        local.seq = seq
        local.base = self.base
        self.vector[self._boxed_origin] = seq
        return self.origin << SEQ_BITS | seq

    def emit(self, effect: Effect) -> None:
        """Give `effect` the next dot, apply it, and put it into the outbox to be sent."""
        dot = self.record(effect)
        try:
            if len(self.watched_keys) > 0 and effect[2] in self.watched_keys:
                self.apply_watched(effect, dot, self.local)
            else:
                self.apply(effect, dot, self.local)
        except MemoryError:
            self.complete(effect)

    def complete(self, effect: Effect) -> None:
        """Apply the latest effect again, after freeing `reserve`. Effects are idempotent. If this
        fails too, the effect has not changed anything: it is withdrawn. Raises MemoryError then."""
        self.reserve = b""
        apply = self.apply_watched if effect[2] in self.watched_keys else self.apply
        try:
            apply(effect, make_dot(self.origin, self.seq), self.local)
        except MemoryError:
            self.outbox.pop()
            self.outbox_bytes -= large_bytes(effect)
            self.seq -= 1
            self.vector[self._boxed_origin] = self.local.seq = self.seq
            if not self.seq:
                del self.vector[self._boxed_origin]
            raise

    def rewrite(self, held: Register, effect: Effect) -> bool:
        """Replace the latest effect in the outbox by `effect` if both write the same large string.
        Return False otherwise. `held` is the string."""
        if not self.outbox:
            return False
        latest = self.outbox[len(self.outbox) - 1]
        key: bytes = effect[2]
        if latest[2] != key or not self.types.is_assignment(latest) or not self.is_rewritable():
            return False
        if latest[1] not in self.types.ends_ttl and effect[1] in self.types.ends_ttl:
            return False
        assert held.dot == make_dot(self.origin, self.seq), "it holds what was written last"
        self.warn_readers(key)
        held.stamp = self.base + effect[3]
        held.value = held.held_value(effect[4])
        self.put_part(key, held)
        if held.keeps_traces():
            self.traced[key] = None
        self.outbox_bytes += len(effect[4]) - len(latest[4])
        self.replace_latest((*latest[:2], *effect[2:5], *latest[5:]))
        return True

    def replace_latest(self, effect: Effect) -> None:
        """Put an effect that has been applied in the place of the latest one in the outbox."""
        self.outbox[len(self.outbox) - 1] = effect
        if effect[2] in self.watched_keys:
            self.dirty_keys.append(effect[2])

    def join_edit(self, held: Register, effect: Effect) -> bool:
        """Join an edit of the string `held` to the latest effect in the outbox, if that is an edit
        of the same string, and the patches overlap or touch. Return False otherwise."""
        if not self.outbox:
            return False
        latest = self.outbox[len(self.outbox) - 1]
        if latest[2] != effect[2] or not self.types.is_edit(latest):
            return False
        start: int = effect[4] - latest[4]
        before: bytes = latest[5]
        patch: bytes = effect[5]
        if start < 0 or start > len(before) or start + len(patch) > JOINED_BYTES_MAX:
            return False
        assert held.dot == make_dot(self.origin, self.seq), "it holds what was written last"
        joined = before[:start] + patch + before[start + len(patch) :]
        self.warn_readers(effect[2])
        held.value.overwrite(effect[4], patch)
        held.stamp = self.base + effect[3]
        self.put_part(effect[2], held)
        whole = (*latest[:3], effect[3], latest[4], joined, *latest[6:])
        self.outbox_bytes += large_bytes(whole) - large_bytes(latest)
        self.replace_latest(whole)
        return True

    def delete(self, key: bytes) -> bool:
        """DEL: remove the observed content of `key`. Return whether it was visible."""
        seen = self.lookup(key) is not None
        if key in self.data.index or key in self.deadlines.table:
            self.emit((ANY_TYPE, DELETE, key, self.carried_by(key)))
        return seen

    def expire(self, key: bytes, deadline: int | None) -> None:
        """Set the deadline of an existing key, in ms of wall clock; None ends it (PERSIST)."""
        self.emit((ANY_TYPE, EXPIRE, key, FOREVER if deadline is None else deadline))

    def forget(self, key: bytes) -> None:
        """Remove the deadlines of a key that does not expire."""
        self.emit((ANY_TYPE, FORGET, key))

    def flush(self) -> None:
        """FLUSHALL: remove everything observed so far, in every region."""
        for _ in self.flush_in_slices():
            pass

    def flush_in_slices(self, size: int = FLUSH_SLICE) -> Iterator[None]:
        """Carry out `flush`, but yield after about `size` keys that wait or are reset, and after
        each part of the keys that is searched. Nothing else may change the keys meanwhile."""
        while self.unsettled.settle_some(size):
            yield
        seen = [key for key in sorted(self.watched_keys) if self.lookup(key) is not None]
        for part, keys in enumerate(self.keys_to_reset()):
            if part > 1:
                yield
            for index, key in enumerate(keys):
                if index % size == size - 1:
                    yield
                resets = self.carried_by(key)
                if resets:
                    self.emit((ANY_TYPE, DELETE, key, resets))
        self.dirty_keys += seen
        self.emit((ANY_TYPE, FLUSH, b""))

    def receive_message(self, effect: Effect, origin: Origin) -> None:
        """Pass a message to `on_message`. A message that this region made before a restart comes
        back with the lost effects, and was received here when it was published (rule PUB-3)."""
        if self.on_message is not None and region_of(origin) != region_of(self.origin):
            self.on_message(effect)

    def pending_count(self) -> int:
        """Return the number of effects in the outbox."""
        return len(self.outbox)

    def pending_effects(self) -> list[Effect]:
        """Return the effects in the outbox."""
        return list(self.outbox)

    def pending_bytes(self) -> int:
        """Return the bytes of large items in the outbox."""
        return self.outbox_bytes

    def is_rewritable(self) -> bool:
        """Return whether another write may replace the latest effect in the outbox, and so change a
        value without a new dot. It is an edit then, or the write of a large string."""
        if not self.outbox:
            return False
        latest = self.outbox[len(self.outbox) - 1]
        if self.types.is_edit(latest):
            return True
        return self.types.is_assignment(latest) and len(latest[4]) > LARGE_BYTES

    def waiting_bytes(self) -> int:
        """Return the bytes of large items in the outbox that no assignment can still replace."""
        if not self.outbox:
            return 0
        latest = self.outbox[len(self.outbox) - 1]
        return self.outbox_bytes - (len(latest[4]) if self.types.is_assignment(latest) else 0)

    def pending(self, previous: int = 0) -> Op | None:
        """Return the outbox as one operation; None if it is empty. `previous` is the fingerprint of
        this origin's previous operation."""
        if not self.outbox:
            return None
        deps: Vector = {}
        if self.has_remote_news:
            for origin, seq in self.vector.items():
                if origin != self.origin and self.sent_context.get(origin) != seq:
                    deps[origin] = seq
        effects = tuple(self.outbox)
        return Op(self.origin, self.first, self.base, deps, effects, previous, self.packed)

    def pack_recent(self) -> None:
        """Encode effects without large items while they are in the cache, if they are many."""
        waiting = len(self.outbox) - (0 if self.packed is None else self.packed.count)
        if waiting > RECENT_EFFECTS and self.outbox_bytes == 0:
            self.pack_effects(waiting, weighs=False)

    def pack_effects(self, count: int, *, weighs: bool = True) -> None:
        """Encode up to `count` effects in advance, but not the latest, if there is memory."""
        packed = PackedEffects() if self.packed is None else self.packed
        self.packed = None
        with suppress(MemoryError):
            packed.extend(self.outbox, count, weighs=weighs)
            self.packed = packed

    def remove_sealed(self, op: Op) -> None:
        """Remove the effects of `op`, which is the outbox or its beginning, from the outbox."""
        self.sent_context.update(op.deps)
        self.has_remote_news = False
        self.first = op.last + 1
        self.packed = None
        if len(op.effects) < len(self.outbox):
            del self.outbox[: len(op.effects)]
            self.outbox_bytes = max(0, self.outbox_bytes - op.outbox_bytes())
            return
        self.outbox = []
        self.outbox_bytes = 0
        self.base = self.now
        if not self.reserve:
            with suppress(MemoryError):  # the next operation tries again
                self.reserve = bytes(RESERVE_BYTES)

    def seal(self) -> Op | None:
        """Close the outbox into one operation and return it; None if the outbox is empty."""
        op = self.pending()
        if op is not None:
            self.remove_sealed(op)
        return op

    def takes_long(self, op: Op, observed: Observed) -> bool:
        """Return whether it takes longer than a slice to apply a remote operation."""
        if self.unsettled.is_long(op, self.slice_keys, self.slice_effects):
            return True
        if len(op.effects) <= self.slice_keys or observed.covers_all(self.vector):
            return False
        return self.unsettled.has_many_conflicts(op, observed, self.slice_keys)

    def apply_op(self, op: Op, past: Vector) -> None:
        """Apply all effects of a remote operation, whose origin had observed `past`."""
        assert not self.outbox, "seal before taking in what others did"
        assert self.vector.get(op.origin, 0) == op.first - 1
        before = self.visible_states(op.effects) if self.watched_keys else {}
        observed = Observed(past, op.origin, op.first, op.base)
        if self.slice_keys and self.takes_long(op, observed):
            self.unsettled.put_off(op, Observed(dict(past), op.origin, op.first, op.base))
            self.settle_watched()
        else:
            dot = make_dot(op.origin, op.first)
            for effect in op.effects:
                self.apply(effect, dot, observed)
                dot += 1
                observed.seq += 1
        self.vector[op.origin] = op.last
        self.has_remote_news = True
        for key, (effect, seen) in before.items():
            if self.visible_state(effect) != seen:
                self.dirty_keys.append(key)
