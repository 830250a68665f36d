"""Hashes: a map of strings.

Each field is a string: a register, a counter, or both (rules HSH-2 to HSH-5, D-06). Which fields
there are is decided as for a set, by observed removes (rules HSH-1, HSH-6, HSH-7).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crdt.causality.dots import Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import (
    FOREVER,
    are_resets,
    is_bytes,
    is_deadline,
    is_seq,
    is_stamp,
    is_sum,
)
from crdt.structures.pieces import in_pieces
from crdt.types.base import Value
from crdt.types.components.field_deadlines import Entry, FieldDeadlines, are_covered
from crdt.types.components.fields import (
    ADD,
    ASSIGN,
    ERASE,
    REMOVE,
    RESET,
    Fields,
    Thing,
    names_of,
    rename_fields,
)
from crdt.types.components.lone_write import LoneText, LoneWrite
from crdt.types.components.register import Register
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
    are_short,
)
from crdt.types.string import String
from crdt.wire.decoding import tuple_of

HASH: Final = 3
EXPIRE_FIELDS: Final = 5  # (code, operation, key, ms, field, ...), FOREVER for none


class Hash(Fields):
    """Strings by field, some of which may have deadlines.

    Fields that have expired are set aside (see `FieldDeadlines`), so all reads pass over them. What
    needs them, effects and merges, takes them back first.
    """

    __slots__ = ("timers",)

    def __init__(self) -> None:
        super().__init__()
        self.timers: FieldDeadlines | None = None

    def code(self) -> int:
        return HASH

    def make(self) -> Register:
        return String()

    def lone(self, dot: Dot, stamp: int, value: Any) -> LoneWrite | None:
        return LoneText(dot, stamp, value) if type(value) is bytes else None

    def get(self, field: bytes) -> bytes | None:
        """Return what HGET shows."""
        thing = self.thing(field)
        return None if thing is None else text_of_thing(thing)

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return all fields with their values. Those of a small hash are in order of age."""
        pairs: list[tuple[bytes, bytes]] = []
        for field, thing in self.content().items():
            pairs.append((field, text_of_thing(thing)))
        return pairs

    def field(self, name: bytes) -> bytes | None:
        return self.get(name)

    def visible(self) -> object:
        return sorted(self.items())

    # -- deadlines of fields ---------------------------------------------------------------

    def deadline_of(self, field: bytes) -> int | None:
        """Return when a visible field expires, in ms of wall clock; None if it does not."""
        timers = self.timers
        if timers is None:
            return None
        deadline = timers.deadline(field, self.thing(field))
        return None if deadline >= FOREVER else deadline

    def next_deadline(self) -> int:
        timers = self.timers
        return timers.heap[0][0] if timers is not None and timers.heap else 0

    def earliest_deadline(self) -> int:
        timers = self.timers
        if timers is None:
            return 0
        found = [
            timers.deadline(field, timers.expired.get(field) or self.thing(field))
            for field in timers.entries
        ]
        return min(found, default=FOREVER)

    def hide_expired(self, clock: int, limit: int) -> int:
        timers = self.timers
        if timers is None:
            return 0
        if clock < timers.clock:
            self.show_expired()
        timers.clock = clock
        heap, count = timers.heap, 0
        while heap and heap[0][0] < clock and count < limit:
            deadline, field = heapq.heappop(heap)
            count += 1
            thing = self.thing(field)
            if field not in timers.expired and timers.deadline(field, thing) == deadline:
                if thing is not None:
                    self.drop(field)
                timers.expired[field] = thing
        if not timers.expired:
            timers.clock = 0
        return count

    def show_expired(self) -> None:
        """Take all expired fields back."""
        if self.timers is not None:
            for field in list(self.timers.expired):
                self.show_field(field)

    def show_field(self, field: bytes) -> None:
        """Take a field back if it has expired."""
        timers = self.timers
        if timers is not None and field in timers.expired:
            thing = timers.expired.pop(field)
            if thing is not None:
                self.put(field, thing)
                self.note_content(field, thing)
            heapq.heappush(timers.heap, (timers.deadline(field, thing), field))

    def hidden_at(self) -> int:
        return 0 if self.timers is None else self.timers.clock

    def hidden_since(self) -> int:
        timers = self.timers
        if timers is not None:
            for field, thing in timers.expired.items():
                return timers.deadline(field, thing)
        return 0

    def removals(self, key: bytes, clock: int, limit: int) -> list[Effect]:
        found: list[bytes] = []
        if self.timers is not None:
            for field, thing in self.timers.expired.items():
                if len(found) == limit or self.timers.deadline(field, thing) >= clock:
                    break
                found.append(field)
        return self.removals_of(key, found)

    def removals_of(self, key: bytes, fields: list[bytes]) -> list[Effect]:
        """Return the effects that remove fields, visible or expired."""
        effects: list[Effect] = []
        plain: list[bytes] = []
        for field in fields:
            thing = self.thing(field)
            if thing is None and self.timers is not None:
                thing = self.timers.expired.get(field)
            resets = thing.resets() if isinstance(thing, Register) else None
            if resets is None:
                plain.append(field)
            else:
                effects.append((HASH, ERASE, key, field, resets))
        if plain:
            effects.append((HASH, REMOVE, key, *plain))
        return effects

    def remnants(self, fields: Iterable[bytes]) -> list[bytes]:
        """Return those of these fields that are not visible and yet have deadlines. A write to them
        must remove what is left first (EXP-6)."""
        timers = self.timers
        if timers is None:
            return []
        return [f for f in fields if f in timers.entries and self.thing(f) is None]

    # -- effects and merges ----------------------------------------------------------------

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        if self.timers is None and effect[1] != EXPIRE_FIELDS:
            super().apply(effect, dot, observed)
            return
        timers = self.open_timers()
        operation: int = effect[1]
        fields = fields_of(effect)
        for field in fields:
            self.show_field(field)
        if operation == EXPIRE_FIELDS:
            for field in fields:
                timers.replace(field, self.stored(field), (dot, effect[3]), observed)
        else:
            super().apply(effect, dot, observed)
            if operation != ADD:
                for field in fields:
                    timers.drop(field, self.stored(field), observed)
        self.close_timers()

    def open_timers(self) -> FieldDeadlines:
        """Return the deadlines, to be changed."""
        if self.timers is None:
            self.timers = FieldDeadlines()
        return self.timers

    def close_timers(self) -> None:
        """Set fields aside that have expired by the latest known clock, and drop the deadlines if
        there are none."""
        timers = self.timers
        if timers is None:
            return
        if timers.entries:
            self.hide_expired(timers.clock, len(timers.heap))
        else:
            self.timers = None

    def remove(self, observed: Observed, resets: object) -> None:
        timers = self.timers
        self.show_expired()
        super().remove(observed, resets)
        if timers is not None:
            for field in list(timers.entries):
                timers.drop(field, self.stored(field), observed)
            self.close_timers()

    def resets(self) -> object:
        if self.timers is None:
            return super().resets()
        self.show_expired()
        found = super().resets()
        self.close_timers()
        return found

    def is_empty(self) -> bool:
        return self.timers is None and super().is_empty()

    def has_garbage(self) -> bool:
        return self.timers is not None or self.dirty is not None

    def needs_collection(self) -> bool:
        return self.dirty is not None

    def collect(self, stable: Vector) -> bool:
        if self.dirty is None:
            return False
        self.show_expired()
        left = super().collect(stable)
        self.close_timers()
        return left

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, Hash)
        self.show_expired()
        other.show_expired()
        yield from super().merge_in_slices(other, mine, theirs)
        if self.timers is None and other.timers is None:
            return
        timers, given = self.open_timers(), other.open_timers()
        for field in {**timers.entries, **given.entries}:
            entry = timers.merge_entry(field, given.entries.get(field, ((), ())), mine, theirs)
            timers.put(field, self.stored(field), entry)
        timers.clock = max(timers.clock, given.clock)
        self.close_timers()

    def unseen(self) -> list[tuple[bytes, Register]]:
        found = super().unseen()
        if self.timers is not None:
            for field, thing in self.timers.expired.items():
                if thing is not None:
                    found.append((field, self.unfolded(thing)))
        return found

    def state(self) -> Any:
        timers = self.timers
        if timers is None:
            return super().state()
        return (super().state(), timers.state())

    def load(self, state: Any) -> None:
        flat = tuple_of(state, "a hash")
        if len(flat) == 2 and type(flat[0]) is tuple:
            super().load(flat[0])
            self.load_timers(flat[1])
        else:
            super().load(state)

    def load_timers(self, state: Any) -> dict[bytes, Entry]:
        """Add the deadlines of fields that are here, and return them. Raises DecodeError."""
        timers = self.open_timers()
        loaded = timers.load(state)
        for field, entry in loaded.items():
            timers.put(field, self.stored(field), entry)
        self.close_timers()
        return loaded

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        yield from super().state_parts(count, size)
        timers = self.timers
        if timers is not None:
            for state in timers.state_parts(count):
                yield (state,)

    def load_part(self, part: Any, vector: Vector) -> bool:
        flat = tuple_of(part, "a hash")
        if len(flat) != 1:
            return super().load_part(part, vector)
        return are_covered(self.load_timers(flat[0]), vector)

    def covered(self, vector: Vector) -> bool:
        return super().covered(vector) and (self.timers is None or self.timers.covered(vector))

    def visible_part(self, effect: Effect) -> object:
        if effect[1] != EXPIRE_FIELDS:
            return super().visible_part(effect)
        return [(self.get(field), self.deadline_of(field)) for field in effect[4:]]


def fields_of(effect: Effect) -> tuple[bytes, ...]:
    """Return the fields that an effect on a hash concerns."""
    operation: int = effect[1]
    if operation == ASSIGN:
        return effect[4::2]
    if operation == EXPIRE_FIELDS:
        return effect[4:]
    if operation == REMOVE:
        return effect[3:]
    return effect[4:5] if operation == RESET else effect[3:4]


def rename_hash(value: Hash, names: OriginNames) -> None:
    """Rename the origins in all fields and deadlines."""
    value.show_expired()
    rename_fields(value, names)
    if value.timers is not None:
        value.timers.rename(names)


def text_of_thing(thing: Thing) -> bytes:
    """Return the text of what is stored for a field."""
    if isinstance(thing, LoneText):
        return thing.value
    assert isinstance(thing, String)
    return thing.read()


def content(value: Hash) -> list[Any]:
    """Return fields and values in turn. The value of a field that expires comes with its deadline,
    as a pair."""
    return [item for name in value.names() for item in (name, content_of_field(value, name))]


def content_of_field(value: Hash, name: bytes) -> Any:
    """Return the value of a field, with its deadline if it has one."""
    deadline = value.deadline_of(name)
    text = value.get(name)
    return text if deadline is None else (text, deadline)


def content_size(value: Hash) -> int:
    """Return the number of fields."""
    return value.size()


def content_pieces(value: Hash, size: int) -> Iterator[list[Any]]:
    """Yield fields and values in turn, of about `size` fields at a time."""
    for names in in_pieces(value.names(), size):
        pairs: list[Any] = []
        for name in names:
            pairs += (name, content_of_field(value, name))
        yield pairs


ENCODING_LIMITS: Final = {"hash-max-listpack-entries": 512, "hash-max-listpack-value": 64}


def encoding(value: Hash, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a hash in Redis."""
    if value.size() > limits["hash-max-listpack-entries"]:
        return b"hashtable"
    texts = [item for pair in value.items() for item in pair]
    if not are_short(texts, limits["hash-max-listpack-value"]):
        return b"hashtable"
    return b"listpack" if value.timers is None else b"listpackex"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="hash",
    code=HASH,
    make=Hash,
    operations=(
        Operation(
            "assign",
            (is_stamp,),
            repeated=(is_bytes, is_bytes),
            spelling=Spelling("HSET", SpellingForm.PAIRS),
        ),
        Operation(
            "reset",
            (is_stamp, is_bytes, is_bytes, are_resets),
            spelling=Spelling("HSET", SpellingForm.PAIR),
        ),
        Operation(
            "add", (is_bytes, is_seq, is_sum), spelling=Spelling("HINCRBY", SpellingForm.SUM)
        ),
        Operation("remove", repeated=(is_bytes,), spelling=Spelling("HDEL", SpellingForm.NAMES)),
        Operation("erase", (is_bytes, are_resets), spelling=Spelling("HDEL", SpellingForm.NAME)),
        Operation(
            "expire",
            (is_deadline,),
            repeated=(is_bytes,),
            spelling=Spelling("HPEXPIREAT", SpellingForm.NAMES),
        ),
    ),
    redis_name=b"hash",
    rename_origins=rename_hash,
    encoding=encoding,
    encoding_limits=ENCODING_LIMITS,
    elements=names_of,
    content=content,
    content_size=content_size,
    content_pieces=content_pieces,
    text_form=TextForm("{}", ": "),
)
