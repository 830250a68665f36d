"""The keys of one replica as readers see them: looked up, listed, walked, sampled and watched."""

from __future__ import annotations

import random
from typing import Any, Protocol

from crdt.causality.effect import ANY_TYPE, DELETE, EXPIRE, FLUSH, Effect, is_key_effect
from crdt.causality.schema import FOREVER
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
    """Values and deadlines by key. What is dead but must be remembered is in `tombstones`."""

    __slots__ = (
        "data",
        "deadlines",
        "tombstones",
        "hits",
        "expiry_clock",
        "watched_keys",
        "marks_use",
        "misses",
        "order",
        "scan_order",
        "second",
    )

    def __init__(self) -> None:
        self.expiry_clock: int = 0
        self.data: dict[bytes, Value] = {}
        self.tombstones: dict[bytes, Value] = {}
        self.deadlines: Deadlines = Deadlines()
        self.order: Order | None = None
        self.scan_order: ScanOrder | None = None
        self.watched_keys: set[bytes] = set()
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

    def hidden(self, keys: set[bytes]) -> list[bytes]:
        """Return which of these keys hold a value that readers do not see as it has expired."""
        return [key for key in sorted(keys) if key in self.data and self.lookup(key) is None]

    def remains(self, key: bytes, code: int) -> Value | None:
        """Return the copy of one type under `key`, alive or remembered."""
        value = self.data.get(key)
        if value is None:
            value = self.tombstones.get(key) if self.tombstones else None
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
        return len(self.data)

    def keys(self) -> list[bytes]:
        """All keys that readers see, the oldest first. O(n)."""
        if not self.deadlines.table:
            return list(self.data)
        return [key for key in self.data if self.lookup(key) is not None]

    def live_keys(self) -> int:
        """Return how many keys readers see. O(number of keys with a deadline)."""
        timed = [key for key in self.deadlines.table if key in self.data]
        return len(self.data) - sum([self.lookup(key) is None for key in timed])

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` keys onwards from `cursor` (D-20).

        The first and last cursor is 0. O(n) the first time.
        """
        if self.scan_order is None:
            self.scan_order = ScanOrder(self.data, len(self.data))
        following, keys = self.scan_order.walk(cursor, count, self.data)
        return following, [key for key in keys if self.lookup(key) is not None]

    def sampled(self) -> Order:
        """Return the keys in an order that can be sampled. O(n) the first time."""
        if self.order is None:
            self.order = Order(list(self.data))
        return self.order

    def random_key(self, rng: random.Random) -> bytes | None:
        """Some key, each about as likely as another."""
        for _ in range(100):
            if not self.data:
                return None
            key = self.sampled().pick(rng, self.data)
            if self.lookup(key) is not None:
                return key
        keys = self.keys()
        return keys[int(rng.random() * len(keys))] if keys else None

    def note_key(self, key: bytes) -> None:
        """Record a new key of `data` in the orders that are kept."""
        if self.order is not None:
            self.order.add(key, self.data)
        if self.scan_order is not None:
            self.scan_order.add(key, self.data)

    # -- watching --------------------------------------------------------------------------

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
