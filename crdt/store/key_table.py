"""The keys of one replica as readers see them: looked up, listed, walked, sampled and watched."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from sys import getsizeof
from typing import Any, Protocol

from crdt.causality.dots import Dot, Vector
from crdt.causality.effect import ANY_TYPE, DELETE, EXPIRE, FLUSH, Effect, is_key_effect
from crdt.causality.schema import FOREVER
from crdt.store.values import MemoryStore, ValueStore
from crdt.structures.sample_order import Order
from crdt.structures.scan_order import ScanOrder
from crdt.types.base import Value
from crdt.types.contested import Contested, carry
from crdt.types.deadlines import Deadlines


class Reader(Protocol):
    """Somebody who reads the keyspace bit by bit and must not see it change meanwhile."""

    def before_change(self, key: bytes) -> None:
        """`key` is about to change."""
        ...


class KeyTable:
    """Values and deadlines by key. Removed values that must be remembered are in `tombstones`."""

    __slots__ = (
        "data",
        "deadlines",
        "dirty_keys",
        "tombstones",
        "garbage",
        "hits",
        "expiry_clock",
        "watched_keys",
        "marks_use",
        "misses",
        "order",
        "readers",
        "scan_order",
        "second",
    )

    def __init__(self, new_store: Callable[[], ValueStore] = MemoryStore) -> None:
        self.expiry_clock: int = 0
        self.data: ValueStore = new_store()
        self.tombstones: ValueStore = new_store()
        self.garbage: dict[bytes, None] = {}
        """Keys with something to forget, those first that were looked at longest ago."""
        self.deadlines: Deadlines = Deadlines()
        self.order: Order | None = None
        self.scan_order: ScanOrder | None = None
        self.watched_keys: set[bytes] = set()
        self.dirty_keys: list[bytes] = []
        """The watched keys that have changed."""
        self.readers: list[Reader] = []
        self.hits: int = 0
        """The number of times `read` and `inspect` found a key, and that they did not."""
        self.misses: int = 0
        self.second: int = 0
        """The clock by which uses of values are marked, in seconds; whoever owns this sets it."""
        self.marks_use: bool = True
        """True if `read` marks what it finds as used."""

    # -- reading ---------------------------------------------------------------------------

    def lookup(self, key: bytes) -> Value | None:
        """Return the value that readers see under `key`: neither expired nor dead."""
        value = self.data.get(key)
        if value is None:
            return None
        table = self.deadlines.table
        if table and key in table and self.deadlines.deadline(key) < self.expiry_clock:
            return None
        return value.shown() if type(value) is Contested else value

    def read(self, key: bytes) -> Value | None:
        """Look `key` up for a client: as `lookup`, counted, and the value is marked as used."""
        value = self.lookup(key)
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        if self.marks_use:
            value.accessed = self.second
        return value

    def inspect(self, key: bytes) -> Value | None:
        """Look `key` up for a client that asks about it: counted, but no use of the value."""
        value = self.lookup(key)
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return value

    def deadline(self, key: bytes) -> int | None:
        """Return the time at which `key` ends, in ms of wall clock; None if it does not."""
        deadline = self.deadlines.deadline(key)
        return None if deadline >= FOREVER else deadline

    def held(self, key: bytes) -> Value | None:
        """Return all that a key holds: also values of several types, or one that has expired."""
        return self.data.get(key)

    def held_keys(self) -> list[bytes]:
        """Return all keys that hold something, the oldest first. O(n)."""
        return list(self.data.index)

    def sample_ends(self, count: int) -> list[bytes]:
        """Return `count` of the oldest keys and `count` of the newest; all keys if these meet."""
        index = self.data.index
        if len(index) <= 2 * count:
            return list(index)
        return [*islice(index, count), *islice(reversed(index), count)]

    def live_parts(self, key: bytes) -> list[Value]:
        """Return the values of all types that live under a key, by type code. Nearly always there
        is one. Whether it has expired makes no difference."""
        held = self.data.get(key)
        if isinstance(held, Contested):
            return [part for _, part in sorted(held.parts.items()) if part.is_live()]
        return [] if held is None else [held]

    def is_contested(self, key: bytes) -> bool:
        """Return whether a key holds values of several types."""
        return isinstance(self.data.get(key), Contested)

    def memory_entries(self, key: bytes) -> list[tuple[int, object]]:
        """Return what is held under a key, which is there, each object with the bytes that its
        entry in a table takes."""
        index, table = self.data.index, self.deadlines.table
        entries: list[tuple[int, object]] = [(getsizeof(index) // len(index), index[key])]
        if key in table:
            entries.append((getsizeof(table) // len(table), table[key]))
        return entries

    def remembered_keys(self) -> tuple[list[bytes], list[bytes]]:
        """Return the keys with something to forget, and those of tombstones, each sorted."""
        return sorted(self.garbage), sorted(self.tombstones.index)

    def deadline_siblings(self, key: bytes) -> list[tuple[Dot, int]]:
        """Return the concurrent deadlines of a key by dot, in ms; FOREVER is one that never
        comes."""
        flat = self.deadlines.table.get(key, ())
        return list(zip(flat[::2], flat[1::2], strict=True))

    def deadline_count(self) -> int:
        """Return the number of keys that end some day."""
        return self.deadlines.timed

    def count_deadlines(self) -> int:
        """Count the keys that end some day one by one. The result equals `deadline_count()`.

        O(keys with a deadline or PERSIST).
        """
        table = self.deadlines.table
        return sum([self.deadlines.deadline(key) < FOREVER for key in table])

    def time_left(self, sample: int) -> int:
        """Return how long keys still live, in ms: the average over some that end."""
        return self.deadlines.time_left(self.expiry_clock, sample)

    def hidden(self, keys: set[bytes]) -> list[bytes]:
        """Return which of these keys hold a value that readers do not see as it has expired."""
        return [key for key in sorted(keys) if key in self.data.index and self.lookup(key) is None]

    def remains(self, key: bytes, code: int) -> Value | None:
        """Return the copy of one type under `key`, alive or remembered."""
        value = self.data.get(key)
        if value is None:
            value = self.tombstones.get(key) if self.tombstones.index else None
            if value is None:
                return None
        if type(value) is Contested:
            return value.parts.get(code)
        return value if value.code() == code else None

    def carried_by(self, key: bytes) -> tuple[Any, ...]:
        """Return what a delete of `key` must carry."""
        value = self.data.get(key)
        return () if value is None else carry(value)

    def size(self) -> int:
        """Return the number of keys; those that have expired unnoticed count (rule KEY-12)."""
        return len(self.data.index)

    def keys(self) -> list[bytes]:
        """All keys that readers see, the oldest first. O(n)."""
        if not self.deadlines.table:
            return list(self.data.index)
        return [key for key in self.data.index if self.lookup(key) is not None]

    def live_keys(self) -> int:
        """Return how many keys readers see. O(number of keys with a deadline)."""
        timed = [key for key in self.deadlines.table if key in self.data.index]
        return len(self.data.index) - sum([self.lookup(key) is None for key in timed])

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` keys onwards from `cursor` (D-20).

        The first and last cursor is 0. O(n) the first time.
        """
        if self.scan_order is None:
            self.scan_order = ScanOrder(self.data.index, len(self.data.index))
        following, keys = self.scan_order.walk(cursor, count, self.data.index)
        return following, [key for key in keys if self.lookup(key) is not None]

    def has_scan_order(self) -> bool:
        """Return whether the order of `scan` is kept: since the first scan."""
        return self.scan_order is not None

    def sampled(self) -> Order:
        """Return the keys in an order that can be sampled. O(n) the first time."""
        if self.order is None:
            self.order = Order(list(self.data.index))
        return self.order

    def random_key(self, rng: random.Random) -> bytes | None:
        """Some key, each about as likely as another."""
        for _ in range(100):
            if not self.data.index:
                return None
            key = self.sampled().pick(rng, self.data.index)
            if self.lookup(key) is not None:
                return key
        keys = self.keys()
        return keys[int(rng.random() * len(keys))] if keys else None

    def note_key(self, key: bytes) -> None:
        """Record a new key of `data` in the orders that are kept."""
        if self.order is not None:
            self.order.add(key, self.data.index)
        if self.scan_order is not None:
            self.scan_order.add(key, self.data.index)

    def mark_uses(self, second: int) -> None:
        """Mark values as used in this second from now on."""
        self.second = second

    def set_marking(self, marks_use: bool) -> None:
        """Let `read` mark values as used from now on, or not."""
        self.marks_use = marks_use

    def restart_expiry(self) -> None:
        """Let expiry follow the next reading of the clock, also if that is earlier."""
        self.expiry_clock = 0

    def count_lookups_anew(self) -> None:
        """Let `hits` and `misses` begin at 0 again."""
        self.hits = self.misses = 0

    def watch(self, key: bytes) -> None:
        """Record changes of `key` from now on."""
        self.watched_keys.add(key)

    def unwatch(self, key: bytes) -> None:
        """Record changes of `key` no more."""
        self.watched_keys.discard(key)

    def watched(self) -> frozenset[bytes]:
        """Return the keys whose changes are recorded."""
        return frozenset(self.watched_keys)

    # -- changing what is held ---------------------------------------------------------------

    def put_part(self, key: bytes, part: Value) -> None:
        """Put back a value of one type under `key`, alive or remembered, that was changed."""
        place = self.data if key in self.data.index else self.tombstones
        held = place.get(key)
        if isinstance(held, Contested):
            held.replace(part)
            part = held
        place.put(key, part)

    def retire(self, key: bytes, value: Value) -> None:
        """Put a changed value of `key` where it belongs: among the values that readers see, among
        the tombstones, or nowhere."""
        if type(value) is Contested:
            value = value.settle()
        if value.has_garbage():
            self.garbage[key] = None
        if value.is_live():
            self.put_live(key, value)
            return
        self.data.drop(key)
        if value.is_empty():
            self.tombstones.drop(key)
        else:
            self.tombstones.put(key, value)
        if key in self.deadlines.table:
            self.garbage[key] = None

    def put_live(self, key: bytes, value: Value) -> None:
        """Put a value among those that readers see."""
        if key in self.data.index:
            self.data.put(key, value)
        else:
            self.add_live(key, value)

    def add_live(self, key: bytes, value: Value) -> None:
        """Put a value under a key that readers do not see, in place of a tombstone."""
        self.data.put(key, value)
        if self.tombstones.index:
            self.tombstones.drop(key)
        if self.order is not None or self.scan_order is not None:
            self.note_key(key)

    def collect_value(self, key: bytes, stable: Vector) -> bool:
        """Forget what `stable` covers of the values of a key. Return whether garbage is left."""
        place = self.data if key in self.data.index else self.tombstones
        value = place.get(key)
        if value is None:
            return False
        left = value.collect(stable)
        if value.is_empty():
            place.drop(key)
        else:
            place.put(key, value.settle() if type(value) is Contested else value)
        return left

    # -- watching --------------------------------------------------------------------------

    def has_changes(self) -> bool:
        """Return whether watched keys have changed since `take_changes`."""
        return bool(self.dirty_keys)

    def take_changes(self) -> list[bytes]:
        """Return the watched keys that have changed since the last call, each once."""
        keys = list(dict.fromkeys(self.dirty_keys))
        self.dirty_keys.clear()
        return keys

    def note_change(self, key: bytes) -> None:
        """Let those who watch `key` take it for changed."""
        if key in self.watched_keys:
            self.dirty_keys.append(key)

    def add_reader(self, reader: Reader) -> None:
        """Let `reader` know each key that is about to change."""
        self.readers.append(reader)

    def remove_reader(self, reader: Reader) -> None:
        """Undo `add_reader`."""
        self.readers = [each for each in self.readers if each is not reader]

    def reader_count(self) -> int:
        """Return the number of readers."""
        return len(self.readers)

    def warn_readers(self, key: bytes) -> None:
        """Let whoever reads along take the state of `key` before it changes."""
        for reader in self.readers:
            reader.before_change(key)

    def look(self, effect: Effect) -> object:
        """Return what readers see of all that `effect` concerns under its key."""
        key: bytes = effect[2]
        value = self.lookup(key)
        if value is None:
            return None
        code = value.code()
        if is_key_effect(effect, DELETE):
            return code, self.deadlines.deadline(key), value.visible()
        part = value.visible_part(effect) if effect[0] == code else None
        return code, self.deadlines.deadline(key), part

    def look_at_all(self, effects: tuple[Effect, ...]) -> dict[bytes, tuple[Effect, object]]:
        """Return, for each watched key that `effects` concern, what to look at again after them and
        what readers see of it now. Where several concern a key it is the whole value."""
        concerned: dict[bytes, Effect] = {}
        for effect in effects:
            if is_key_effect(effect, FLUSH):
                for key in self.watched_keys:
                    concerned[key] = (ANY_TYPE, DELETE, key)
            elif effect[2] in self.watched_keys:
                key = effect[2]
                concerned[key] = (ANY_TYPE, DELETE, key) if key in concerned else effect
        return {key: (effect, self.look(effect)) for key, effect in concerned.items()}


def takes_deadline(effect: Effect) -> bool:
    """Return whether the effect takes the deadline from a key (PERSIST)."""
    return is_key_effect(effect, EXPIRE) and bool(effect[3] >= FOREVER)
