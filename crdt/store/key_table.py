"""Read access to the keys of one replica: look up, list, scan, sample and watch them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from crdt.causality.dots import Dot
from crdt.causality.effect import ANY_TYPE, DELETE, EXPIRE, FLUSH, Effect, is_key_effect
from crdt.causality.schema import FOREVER
from crdt.store.part_deadlines import PartDeadlines
from crdt.store.reader import Reader
from crdt.store.values import MemoryStore, ValueStore
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested, carry
from crdt.types.components.deadlines import Deadlines, longest
from crdt.types.components.register import Register
from crdt.types.folded_string import SECOND_MAX, Folder, is_counter, second_of, value_of


class KeyTable:
    """Values and deadlines by key. `tombstones` holds removed values that still have metadata."""

    __slots__ = (
        "data",
        "count_use",
        "deadlines",
        "dirty_keys",
        "tombstones",
        "folder",
        "garbage",
        "hits",
        "expiry_clock",
        "is_unsettled",
        "keeps_parts",
        "watched_keys",
        "marks_use",
        "misses",
        "new_store",
        "part_deadlines",
        "readers",
        "second",
        "traced",
    )

    def __init__(self, new_store: Callable[[], ValueStore] = MemoryStore) -> None:
        self.expiry_clock: int = 0
        self.keeps_parts: bool = False  # while a command works in slices, no parts are hidden
        self.is_unsettled: bool = False
        """True if some keys must be settled before they are touched: see `unsettled`."""
        self.new_store: Callable[[], ValueStore] = new_store
        self.data: ValueStore = new_store()
        self.tombstones: ValueStore = new_store()
        self.folder: Folder = Folder()
        self.garbage: Table = Table()
        """Keys with metadata to collect. For a key of which only deadlines are left, the collector
        stores its vector here. Every change that may concern an orphaned deadline sets it back to
        None."""
        self.traced: Table = Table()
        """The keys of `data` whose removal may leave something (see `Value.keeps_traces`), except
        folded counters, and perhaps some more."""
        self.deadlines: Deadlines = Deadlines()
        self.part_deadlines: PartDeadlines = PartDeadlines()
        self.watched_keys: set[bytes] = set()
        self.dirty_keys: list[bytes] = []  # the watched keys that have changed
        self.readers: list[Reader] = []
        self.hits: int = 0
        """The number of times that `read` or `inspect` found a key."""
        self.misses: int = 0
        """The number of times that `read` or `inspect` found no key."""
        self.second: int = 0  # stored as the time (s) of a value's last use; see `mark_uses`
        self.count_use: Callable[[int], int] | None = None  # see `count_uses`
        self.marks_use: bool = True  # `read` records the time of use in the value that it finds

    # -- settling --------------------------------------------------------------------------

    def settle(self, key: bytes) -> None:
        """Carry out what waits for `key`. Every method that touches a key calls this first if
        `is_unsettled`."""
        raise NotImplementedError

    def has_unsettled_keys(self) -> bool:
        """Return whether some keys must be settled before they are touched."""
        return self.is_unsettled

    def settle_all(self) -> None:
        """Settle all keys. Every method that touches all keys calls this first. O(n)."""
        raise NotImplementedError

    def begin_empty(self) -> None:
        """Continue with empty tables. The caller has taken the old ones."""
        self.data = self.new_store()
        self.tombstones = self.new_store()
        record = self.deadlines.record
        self.deadlines = Deadlines()
        self.deadlines.record = record
        self.garbage = Table()
        self.traced = Table()

    # -- reading ---------------------------------------------------------------------------

    def lookup(self, key: bytes) -> Value | None:
        """Return the visible value of `key`. None if the key does not exist or has expired."""
        if self.is_unsettled:
            self.settle(key)
        value = self.data.get(key)
        if value is None:
            return None
        table = self.deadlines.table
        if table:
            siblings: tuple[int, ...] | None = table.get(key)
            if siblings is not None and longest(siblings) < self.expiry_clock:
                return None
        return value.shown() if type(value) is Contested else value

    def read(self, key: bytes) -> Value | None:
        """Return `lookup(key)` for a client. Count a hit or a miss, and mark the value as used."""
        value: Value | None = value_of(self.read_entry(key))
        return value

    def read_entry(self, key: bytes) -> Any:
        """Return what `read` returns, but possibly as a folded string (see `folded_string`)."""
        if self.is_unsettled:
            self.settle(key)
        entry = self.data.entry(key)
        if entry is not None:
            table = self.deadlines.table
            if table:
                siblings: tuple[int, ...] | None = table.get(key)
                if siblings is not None and longest(siblings) < self.expiry_clock:
                    entry = None
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        if type(entry) is bytes:
            if self.marks_use and second_of(entry) != self.second:
                word = second_of(entry) if self.count_use is not None else 0
                entry = self.folder.used(entry, self.word_of_use(word))
                self.data.replace_folded(key, entry)
            return entry
        value: Value = entry.shown() if type(entry) is Contested else entry
        if self.marks_use:
            count = self.count_use
            value.accessed = self.second if count is None else count(value.accessed)
        return value

    def inspect(self, key: bytes) -> Value | None:
        """Return `lookup(key)` for a client that reads metadata, as OBJECT does.

        Count a hit or a miss. The value is not marked as used.
        """
        value = self.lookup(key)
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return value

    def deadline(self, key: bytes) -> int | None:
        """Return the time at which `key` expires, in ms of wall clock; None if it does not."""
        if self.is_unsettled:
            self.settle(key)
        deadline = self.deadlines.deadline(key)
        return None if deadline >= FOREVER else deadline

    def held(self, key: bytes) -> Value | None:
        """Return the whole content of a key, including values of several types and expired ones."""
        if self.is_unsettled:
            self.settle(key)
        return self.data.get(key)

    def held_keys(self) -> list[bytes]:
        """Return all keys that hold a live value, expired or not. O(n)."""
        if self.is_unsettled:
            self.settle_all()
        return list(self.data.index)

    def sample_ends(self, count: int) -> list[bytes]:
        """Return `count` settled keys from either end of the table, or all if there are fewer. In a
        small table they are the oldest and the newest ones."""
        return self.data.index.ends(count)

    def keys_to_reset(self) -> Iterator[list[bytes]]:
        """Yield all keys whose removal may leave something, one part of the table after the other.
        All keys are settled. A key that was yielded may be removed, and no key may be added."""
        cursor = 0
        while self.traced:
            cursor, keys = self.traced.walk(cursor)
            yield keys
            if cursor == 0:
                break
        yield self.part_deadlines.hidden_keys()
        yield from self.data.counter_slices()

    def live_parts(self, key: bytes) -> list[Value]:
        """Return the live values of all types under a key, by type code.

        A key nearly always has one value. Expired values are included.
        """
        if self.is_unsettled:
            self.settle(key)
        held = self.data.get(key)
        if isinstance(held, Contested):
            return [part for _, part in sorted(held.parts.items()) if part.is_live()]
        return [] if held is None else [held]

    def is_contested(self, key: bytes) -> bool:
        """Return whether a key holds live values of several types. Tombstones do not count."""
        return len(self.live_parts(key)) > 1

    def memory_entries(self, key: bytes) -> list[tuple[int, object]]:
        """Return the objects that an existing key holds, each with the bytes of its table entry."""
        if self.is_unsettled:
            self.settle(key)
        index, table = self.data.index, self.deadlines.table
        entries: list[tuple[int, object]] = [(index.entry_bytes(key), index[key])]
        if key in table:
            entries.append((table.entry_bytes(key), table[key]))
        return entries

    def remembered_keys(self) -> tuple[list[bytes], list[bytes]]:
        """Return the keys with garbage and the keys of tombstones, each sorted."""
        if self.is_unsettled:
            self.settle_all()
        return sorted(self.garbage), sorted(self.tombstones.index)

    def deadline_siblings(self, key: bytes) -> list[tuple[Dot, int]]:
        """Return the concurrent deadlines of a key by dot, in ms. FOREVER means no expiry. A write
        with the flag `no_expiry` has such a deadline too."""
        if self.is_unsettled:
            self.settle(key)
        flat = self.deadlines.siblings(key)
        parts = self.live_parts(key)
        flags = [each for each in parts if isinstance(each, Register) and each.no_expiry]
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return sorted([*pairs, *[(each.dot, FOREVER) for each in flags]])

    def deadline_count(self) -> int:
        """Return the number of settled keys that have an expiry time."""
        return self.deadlines.timed

    def count_deadlines(self) -> int:
        """Count the keys with an expiry time one by one. The result equals `deadline_count()`.

        O(keys with a deadline or PERSIST).
        """
        if self.is_unsettled:
            self.settle_all()
        table = self.deadlines.table
        return sum([self.deadlines.deadline(key) < FOREVER for key in table])

    def time_left(self, sample: int) -> int:
        """Return the average time to live in ms, over at most `sample` settled keys that expire."""
        return self.deadlines.time_left(self.expiry_clock, sample)

    def hidden(self, keys: set[bytes]) -> list[bytes]:
        """Return which of these keys hold a value that is hidden because it has expired."""
        return [key for key in sorted(keys) if key in self.data.index and self.lookup(key) is None]

    def remains(self, key: bytes, code: int) -> Value | None:
        """Return the value of one type under `key`, live or a tombstone; None without one."""
        if self.is_unsettled:
            self.settle(key)
        value = self.data.get(key)
        if value is None:
            value = self.tombstones.get(key) if self.tombstones.index else None
            if value is None:
                return None
        if type(value) is Contested:
            return value.parts.get(code)
        return value if value.code() == code else None

    def carried_by(self, key: bytes) -> tuple[Any, ...]:
        """Return the resets that a DELETE effect of `key` must carry."""
        if self.is_unsettled:
            self.settle(key)
        entry = self.data.entry(key)
        if type(entry) is bytes and not is_counter(entry):
            return ()
        value: Value | None = value_of(entry)
        if value is None:
            value = self.tombstones.get(key) if self.tombstones.index else None
            if value is None or not value.hidden_since():
                return ()
        return carry(value)

    def size(self) -> int:
        """Return the number of keys. Expired keys count until they are deleted (rule KEY-12)."""
        if self.is_unsettled:
            self.settle_all()
        return len(self.data.index)

    def keys(self) -> list[bytes]:
        """Return all visible keys. O(n)."""
        if self.is_unsettled:
            self.settle_all()
        if not self.deadlines.table:
            return list(self.data.index)
        return [key for key in self.data.index if self.lookup(key) is not None]

    def keys_from(self, cursor: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and the visible keys of the part of the table at `cursor`.

        The first and the last cursor is 0. Together the parts hold the result of `keys`, if the
        keyspace does not change meanwhile.
        """
        if self.is_unsettled:
            self.settle_all()
        following, keys = self.data.index.walk(cursor)
        if not self.deadlines.table:
            return following, keys
        return following, [key for key in keys if self.lookup(key) is not None]

    def live_keys(self) -> int:
        """Return the number of visible keys. O(number of keys with a deadline)."""
        if self.is_unsettled:
            self.settle_all()
        timed = [key for key in self.deadlines.table if key in self.data.index]
        return len(self.data.index) - sum([self.lookup(key) is None for key in timed])

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` keys from `cursor` on (D-20).

        The first and last cursor is 0.
        """
        if self.is_unsettled:
            self.settle_all()
        following, keys = self.data.index.scan(cursor, count)
        return following, [key for key in keys if self.lookup(key) is not None]

    def has_scan_order(self) -> bool:
        """Return whether the order of `scan` is maintained. The first scan creates it."""
        return self.data.index.has_scan_order()

    def sampled_keys(self) -> list[bytes]:
        """Return the keys that `random_key` may find: all keys, and some removed ones. O(n)."""
        if self.is_unsettled:
            self.settle_all()
        return self.data.index.sampled_keys()

    def random_key(self, rng: random.Random) -> bytes | None:
        """Return a random visible key, nearly uniformly distributed; None if there are no keys."""
        if self.is_unsettled:
            self.settle_all()
        for _ in range(100):
            if not self.data.index:
                return None
            key = self.data.index.pick(rng)
            if self.lookup(key) is not None:
                return key
        keys = self.keys()
        return keys[int(rng.random() * len(keys))] if keys else None

    def mark_uses(self, second: int) -> None:
        """Set the time of use, in seconds, that later reads and writes record."""
        self.second = min(max(second, 0), SECOND_MAX)

    def count_uses(self, count_use: Callable[[int], int] | None) -> None:
        """Store the word that `count_use` returns for the word before instead of the time when a
        value is read; None stores the time. Whoever counts uses also calls `store_use` after each
        write, which stores the time."""
        self.count_use = count_use

    def word_of_use(self, word: int) -> int:
        """Return what is stored for a use now, where `word` was stored before."""
        return self.second if self.count_use is None else self.count_use(word)

    def set_marking(self, marks_use: bool) -> None:
        """Set whether `read` marks values as used."""
        self.marks_use = marks_use

    def set_expiry(self, clock: int) -> None:
        """Let keys expire as of `clock` (ms), until `advance` is called."""
        self.expiry_clock = clock

    def restart_expiry(self) -> None:
        """Let expiry follow the next clock reading even if it is earlier than the last one."""
        self.expiry_clock = 0

    def reset_lookup_counts(self) -> None:
        """Set `hits` and `misses` to 0."""
        self.hits = self.misses = 0

    def watch(self, key: bytes) -> None:
        """Record changes of `key` from now on."""
        if self.is_unsettled:
            self.settle(key)
        self.watched_keys.add(key)

    def unwatch(self, key: bytes) -> None:
        """Stop recording changes of `key`."""
        self.watched_keys.discard(key)

    def watched(self) -> frozenset[bytes]:
        """Return the keys whose changes are recorded."""
        return frozenset(self.watched_keys)

    # -- watching --------------------------------------------------------------------------

    def has_changes(self) -> bool:
        """Return whether watched keys have changed since `drain_changes`."""
        return bool(self.dirty_keys)

    def drain_changes(self) -> list[bytes]:
        """Return the watched keys that have changed since the last call, each once."""
        keys = list(dict.fromkeys(self.dirty_keys))
        self.dirty_keys.clear()
        return keys

    def change_count(self) -> int:
        """Return the number of changes that `drain_changes` has not returned yet."""
        return len(self.dirty_keys)

    def changes_since(self, count: int) -> set[bytes]:
        """Return the watched keys that have changed since `change_count` returned `count`."""
        return set(self.dirty_keys[count:])

    def note_change(self, key: bytes) -> None:
        """Record a change of `key` if the key is watched."""
        if key in self.watched_keys:
            self.dirty_keys.append(key)

    def report_change(self, key: bytes) -> None:
        """Let `drain_changes` return `key`. A watched key is reported by its changes alone."""
        if key not in self.watched_keys:
            self.dirty_keys.append(key)

    def add_reader(self, reader: Reader) -> None:
        """Call `reader.before_change` for each key that is about to change."""
        self.readers.append(reader)

    def remove_reader(self, reader: Reader) -> None:
        """Undo `add_reader`."""
        self.readers = [each for each in self.readers if each is not reader]

    def reader_count(self) -> int:
        """Return the number of readers."""
        return len(self.readers)

    def is_quiet(self, key: bytes) -> bool:
        """Return whether nobody watches or reads `key`, and it has no deadline: a change of its
        value concerns nothing else."""
        if self.readers:
            return False
        if self.watched_keys and key in self.watched_keys:
            return False
        table = self.deadlines.table
        return not table or key not in table

    def warn_readers(self, key: bytes) -> None:
        """Call every reader with `key`, whose state is about to change."""
        for reader in self.readers:
            reader.before_change(key)

    def visible_state(self, effect: Effect) -> object:
        """Return the visible part of the key that `effect` concerns: type, deadline and content.

        Two results are compared to find out whether the effect changed anything visible.
        """
        key: bytes = effect[2]
        value = self.lookup(key)
        if value is None:
            return None
        code = value.code()
        if is_key_effect(effect, DELETE):
            return code, self.deadlines.deadline(key), value.change_mark()
        part = value.visible_part(effect) if effect[0] == code else None
        return code, self.deadlines.deadline(key), part

    def visible_states(self, effects: tuple[Effect, ...]) -> dict[bytes, tuple[Effect, object]]:
        """Return, for each watched key that `effects` concern, an effect and its `visible_state`
        result.

        The caller calls `visible_state` with that effect again later, and compares the results. If
        several effects concern one key, the whole value is compared.
        """
        concerned: dict[bytes, Effect] = {}
        for effect in effects:
            if is_key_effect(effect, FLUSH):
                for key in self.watched_keys:
                    concerned[key] = (ANY_TYPE, DELETE, key)
            elif effect[2] in self.watched_keys:
                key = effect[2]
                concerned[key] = (ANY_TYPE, DELETE, key) if key in concerned else effect
        return {key: (effect, self.visible_state(effect)) for key, effect in concerned.items()}


def takes_deadline(effect: Effect) -> bool:
    """Return whether the effect removes the deadline of a key (PERSIST)."""
    return is_key_effect(effect, EXPIRE) and bool(effect[3] >= FOREVER)
