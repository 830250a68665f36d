"""Merging another replica's snapshot into the keyspace.

The pieces of a snapshot are read and checked as they arrive. The live keyspace does not change
meanwhile. The merge itself is one uninterrupted step at the end, because neither vector would
describe a half-merged keyspace. For each key, a dot stays if both sides hold it, or if one side
holds it and the other side's vector does not cover it (rule ORD-4; Almeida, Shoker and Baquero,
"Delta State Replicated Data Types", 2018). Keys that only one side holds are cheap.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Origin, Vector, covers, dominates, read_dot, read_origin
from crdt.causality.effect import ANY_TYPE, DELETE
from crdt.causality.fingerprints import Trails, read_trails
from crdt.causality.op import read_vector
from crdt.causality.schema import FOREVER
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.store.snapshot import END, HEAD, KEYS, head_items, unpack_piece
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.register import LATEST, Register, plain_register
from crdt.wire.decoding import bytes_of, integer_of, items_of, tuple_of

KEYS_MAX: Final = 1 << 40  # more keys than fit into any memory
UNSEEN: Final = "a snapshot holds something that its own vector has not seen"


class Incoming:
    """A snapshot that is being received, piece by piece."""

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        self.vector: Vector = {}
        self.contexts: dict[Origin, Vector] = {}
        self.trails: Trails = {}
        self.values: dict[bytes, Value] = {}
        self.deadlines: dict[bytes, tuple[int, ...]] = {}
        self.expected: int = -1
        self.received: int = 0
        self.complete: bool = False

    def feed(self, data: bytes) -> None:
        """Read and check one piece. Raises DecodeError. The keyspace is never changed."""
        piece = unpack_piece(data)
        if (piece[0] == HEAD) != (self.expected < 0) or self.complete:
            raise DecodeError("a piece of a snapshot out of order")
        if piece[0] == HEAD:
            self.read_head(piece)
        elif piece[0] == KEYS and len(piece) == 3:
            self.read_columns(piece[1])
            self.read_records(piece[2])
            if self.received > self.expected:
                raise DecodeError(
                    f"a snapshot of more than the {self.expected} keys that it announced"
                )
        elif piece == (END, self.received) and self.received == self.expected:
            self.complete = True
        else:
            raise DecodeError("a snapshot was cut off, or a piece of it is of unknown form")

    def read_head(self, piece: tuple[Any, ...]) -> None:
        """Read the first piece: slot group, vector, contexts, number of keys and trails."""
        group, vector, contexts, expected, trails = head_items(piece)
        if group != self.db.group or type(group) is not int:
            raise DecodeError(
                f"a snapshot of slot group {group!r}; this replica holds slot group {self.db.group}"
            )
        self.vector = read_vector(vector)
        for context in tuple_of(contexts, "a snapshot's contexts"):
            origin, past = items_of(context, 2, "a snapshot's context")
            seen = self.contexts[read_origin(origin, "a context")] = read_vector(past)
            if not dominates(self.vector, seen):
                raise DecodeError(UNSEEN)
        self.trails = read_trails(trails, self.vector)
        self.expected = integer_of(expected, "a snapshot's size", 0, KEYS_MAX)

    def read_columns(self, columns: Any) -> None:
        """Read the columns of plain strings."""
        if columns == ():
            return
        least, *rest, flags = items_of(columns, 6, "plain strings")
        integer_of(least, "plain strings' least stamp", -LATEST, LATEST)
        keys, dots, stamps, values = [tuple_of(column, "a column") for column in rest]
        bytes_of(flags, "plain strings' flags")
        if not len(keys) == len(dots) == len(stamps) == len(values) == len(flags):
            raise DecodeError("plain strings: the columns differ in length")
        make = self.db.types.makers.get(self.db.types.plain_code)
        if make is None:
            raise DecodeError("plain values, but this replica knows no plain type")
        for index, key in enumerate(keys):
            value = make()
            assert isinstance(value, Register), "values of a plain type are registers"
            value.check_write(dots[index], stamps[index], values[index])
            value.dot = dots[index]
            value.stamp = stamps[index] + least
            value.value = values[index]
            value.no_expiry = flags[index] == 1
            if type(key) is not bytes or value.dot == 0:
                raise DecodeError("a plain string without key or dot")
            if not covers(self.vector, value.dot):
                raise DecodeError(UNSEEN)
            self.values[key] = value
        self.received += len(keys)

    def read_records(self, records: Any) -> None:
        """Read the records of all values other than plain strings."""
        for record in tuple_of(records, "a snapshot's records"):
            name, deadlines, parts = items_of(record, 3, "a record")
            key = bytes_of(name, "a record's key")
            if deadlines != ():
                self.deadlines[key] = check_deadlines(deadlines, self.vector)
            if parts != ():
                self.values[key] = self.read_parts(parts)
            self.received += 1

    def read_parts(self, parts: Any) -> Value:
        """Read the typed values under one key."""
        values = [self.read_value(part) for part in tuple_of(parts, "a key's values")]
        if len(values) == 1:
            return values[0]
        contested = Contested()
        contested.parts = {value.code(): value for value in values}
        return contested.resolve()

    def read_value(self, part: Any) -> Value:
        """Read one typed value. Raises DecodeError."""
        code, state = items_of(part, 2, "a key's value")
        if type(code) is not int or code not in self.db.types.makers:
            raise DecodeError(f"a value of unknown type {code!r}")
        value = self.db.types.makers[code]()
        value.load(state)
        if not value.covered(self.vector):
            raise DecodeError(UNSEEN)
        return value


def check_deadlines(deadlines: object, vector: Vector) -> tuple[int, ...]:
    """Return `deadlines`, which alternate dots and milliseconds. Raises DecodeError if they are
    malformed or if `vector` does not cover a dot."""
    flat = tuple_of(deadlines, "a key's deadlines", 2)
    for index in range(0, len(flat), 2):
        if not covers(vector, read_dot(flat[index], "a deadline's dot")):
            raise DecodeError(UNSEEN)
        integer_of(flat[index + 1], "a deadline", 0, FOREVER)
    return flat


def merge_into(db: Keyspace, incoming: Incoming) -> None:
    """Merge a complete snapshot into the live keyspace in one step. O(keys of both)."""
    assert incoming.complete
    assert not db.outbox
    if not db.vector and not db.data.index and not db.deadlines.table:
        adopt(db, incoming)
    else:
        keys: dict[bytes, None] = dict.fromkeys(db.data.index)
        for others in (db.tombstones.index, db.deadlines.table):
            keys.update(dict.fromkeys(others))
        for others in (incoming.values, incoming.deadlines):
            keys.update(dict.fromkeys(others))
        for key in keys:
            if not merge_plain(db, incoming, key):
                merge_key(db, incoming, key)
    for origin, seq in incoming.vector.items():
        if db.vector.get(origin, 0) < seq:
            db.vector[origin] = seq
    db.has_remote_news = True


def adopt(db: Keyspace, incoming: Incoming) -> None:
    """Store the whole snapshot in an empty keyspace. Snapshots in progress need no warning."""
    for key, value in incoming.values.items():
        place(db, key, value)
    for key, deadlines in incoming.deadlines.items():
        db.deadlines.put(key, deadlines)
        db.garbage[key] = None
    for key in sorted(db.watched_keys):
        if db.lookup(key) is not None:
            db.dirty_keys.append(key)


def merge_plain(db: Keyspace, incoming: Incoming, key: bytes) -> bool:
    """Merge a key that is a lone string write without deadlines on one side or on both.

    Most keys are of this kind. Return False, with nothing changed, if `key` is not, or if both
    sides' writes stay.
    """
    held = db.data.get(key)
    given = incoming.values.get(key)
    if key in db.deadlines.table or key in incoming.deadlines or key in db.tombstones.index:
        return False
    code = db.types.plain_code
    ours = None if held is None else plain_register(held, code)
    other = None if given is None else plain_register(given, code)
    if (held is not None and ours is None) or (given is not None and other is None):
        return False
    mine = 0 if ours is None else ours.dot
    theirs = 0 if other is None else other.dot
    if mine == theirs:
        return ours is None or other is None or ours.no_expiry == other.no_expiry
    keep = mine != 0 and not covers(incoming.vector, mine)
    take = theirs != 0 and not covers(db.vector, theirs)
    if keep:
        return not take
    if take or held is not None:
        if db.readers:
            db.warn_readers(key)
        before = db.visible_state((ANY_TYPE, DELETE, key)) if key in db.watched_keys else None
        if take:
            assert given is not None
            place(db, key, given)
        else:
            db.data.drop(key)
        if key in db.watched_keys and db.visible_state((ANY_TYPE, DELETE, key)) != before:
            db.dirty_keys.append(key)
    return True


def merge_key(db: Keyspace, incoming: Incoming, key: bytes) -> None:
    """Merge both sides' values and deadlines of one key."""
    held = db.data.get(key)
    if held is None:
        held = db.tombstones.get(key)
    given = incoming.values.get(key)
    deadlines = incoming.deadlines.get(key, ())
    if deadlines == db.deadlines.table.get(key, ()) and are_alike(held, given):
        return
    if db.readers:
        db.warn_readers(key)
    before = db.visible_state((ANY_TYPE, DELETE, key)) if key in db.watched_keys else None
    mine, theirs = db.vector, incoming.vector
    materialise_deadline(db, key, held)
    deadlines = with_flag(db, given, deadlines)
    db.deadlines.merge(key, deadlines, mine, theirs)
    merged = merge_values(db, held, given, mine, theirs)
    if merged is None:
        db.data.drop(key)
        db.tombstones.drop(key)
    else:
        place(db, key, merged)
        db.compact_deadline(key)
    if key in db.deadlines.table:
        db.garbage[key] = None
    if key in db.watched_keys and db.visible_state((ANY_TYPE, DELETE, key)) != before:
        db.dirty_keys.append(key)


def are_alike(held: Value | None, given: Value | None) -> bool:
    """Return whether both sides hold an equal value. This is faster than a merge."""
    if held is None or given is None or type(held) is not type(given):
        return False
    return held.equals(given)


def materialise_deadline(db: Keyspace, key: bytes, held: Value | None) -> None:
    """Replace the flag `no_expiry` of the held lone write by the deadline that it encodes."""
    part = held.parts.get(db.types.plain_code) if isinstance(held, Contested) else held
    if isinstance(part, Register) and part.no_expiry:
        db.materialise_deadline(key, part)


def with_flag(db: Keyspace, given: Value | None, deadlines: tuple[int, ...]) -> tuple[int, ...]:
    """Return the other side's deadlines, with the one that its flag `no_expiry` encodes."""
    part = given.parts.get(db.types.plain_code) if isinstance(given, Contested) else given
    if isinstance(part, Register) and part.no_expiry:
        part.no_expiry = False
        return (*deadlines, part.dot, FOREVER)
    return deadlines


def merge_values(
    db: Keyspace, held: Value | None, given: Value | None, mine: Vector, theirs: Vector
) -> Value | None:
    """Merge both sides' values of one key, type by type. Return the result, None if empty."""
    ours = parts_by_code(held)
    others = parts_by_code(given)
    contested = Contested()
    for code in sorted(ours.keys() | others.keys()):
        value = ours.get(code) or db.types.makers[code]()
        value.merge(others.get(code) or db.types.makers[code](), mine, theirs)
        if not value.is_empty():
            contested.parts[code] = value
    if not contested.parts:
        return None
    return contested if len(contested.parts) > 1 else contested.shown()


def parts_by_code(value: Value | None) -> dict[int, Value]:
    """Return the typed values in a key's value, by type code."""
    if value is None:
        return {}
    return value.parts if isinstance(value, Contested) else {value.code(): value}


def place(db: Keyspace, key: bytes, value: Value) -> None:
    """Store a merged value in `data` or, if it is not live, in `tombstones`."""
    value.accessed = db.second
    if isinstance(value, Contested):
        for part in value.parts.values():
            part.accessed = db.second
    db.retire(key, value)
