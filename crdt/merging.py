"""Taking in another replica's whole state.

The pieces of a snapshot are read and checked as they come, beside the live keyspace; the merge
itself happens at the end and at once, since in between the two vectors would not say what has been
applied. Then every key obeys one rule: a dot stays if both sides hold it, or if one side holds it
and the other's vector has not seen it (rule ORD-4; Almeida, Shoker and Baquero, "Delta State
Replicated Data Types", 2018). Keys that only one side knows cost next to nothing.
"""

from __future__ import annotations

from typing import Any

from crdt.contested import Contested
from crdt.dots import Origin, Vector
from crdt.errors import DecodeError
from crdt.expiry import FOREVER
from crdt.keyspace import Keyspace
from crdt.op import read_vector
from crdt.register import Register
from crdt.snapshot import END, HEAD, KEYS, unpack_piece
from crdt.string import STRING, String
from crdt.value import Value


class Incoming:
    """A snapshot on its way in."""

    def __init__(self, db: Keyspace) -> None:
        self.db = db
        self.vector: Vector = {}
        self.contexts: dict[Origin, Vector] = {}
        self.values: dict[bytes, Value] = {}
        self.deadlines: dict[bytes, tuple[int, ...]] = {}
        self.expected = -1
        self.received = 0
        self.complete = False

    def feed(self, data: bytes) -> None:
        """Read one piece. Raises DecodeError; the keyspace is untouched then."""
        piece = unpack_piece(data)
        if (piece[0] == HEAD) != (self.expected < 0) or self.complete:
            raise DecodeError("a piece of a snapshot out of order")
        if piece[0] == HEAD and len(piece) == 4:
            self.read_head(piece)
        elif piece[0] == KEYS and len(piece) == 3:
            self.read_columns(piece[1])
            self.read_records(piece[2])
        elif piece == (END, self.received) and self.received == self.expected:
            self.complete = True
        else:
            raise DecodeError("a snapshot was cut off, or a piece of it is of unknown form")

    def read_head(self, piece: tuple[Any, ...]) -> None:
        """Where the snapshot stands."""
        _, vector, contexts, expected = piece
        self.vector = read_vector(vector)
        if type(contexts) is not tuple or type(expected) is not int:
            raise DecodeError("a snapshot's head is of the wrong form")
        for context in contexts:
            if type(context) is not tuple or len(context) != 2 or type(context[0]) is not int:
                raise DecodeError("a snapshot's head is of the wrong form")
            self.contexts[context[0]] = read_vector(context[1])
        self.expected = expected

    def read_columns(self, columns: Any) -> None:
        """Plain strings."""
        if columns == ():
            return
        if type(columns) is not tuple or len(columns) != 6 or type(columns[0]) is not int:
            raise DecodeError("plain strings come in six columns")
        least, keys, dots, stamps, values, flags = columns
        if type(flags) is not bytes or not all(type(c) is tuple for c in columns[1:5]):
            raise DecodeError("plain strings come in six columns")
        if not len(keys) == len(dots) == len(stamps) == len(values) == len(flags):
            raise DecodeError("the columns of plain strings differ in length")
        for index, key in enumerate(keys):
            value = String()
            value.dot, value.stamp = dots[index], stamps[index]
            value.check_write(value.dot, value.stamp, values[index])
            value.stamp += least
            value.value = values[index]
            value.endless = flags[index] == 1
            if type(key) is not bytes or value.dot == 0:
                raise DecodeError("a plain string without key or dot")
            self.values[key] = value
        self.received += len(keys)

    def read_records(self, records: Any) -> None:
        """Everything that is no plain string."""
        if type(records) is not tuple:
            raise DecodeError("a snapshot's records are an array")
        for record in records:
            if type(record) is not tuple or len(record) != 3 or type(record[0]) is not bytes:
                raise DecodeError("a record is a key, its deadlines and its values")
            key, deadlines, parts = record
            if deadlines != ():
                self.deadlines[key] = check_deadlines(deadlines)
            if parts != ():
                self.values[key] = self.read_parts(parts)
        self.received += len(records)

    def read_parts(self, parts: Any) -> Value:
        """The typed values under one key."""
        contested = Contested()
        if type(parts) is not tuple:
            raise DecodeError("a key's values are an array")
        for part in parts:
            if type(part) is not tuple or len(part) != 2 or part[0] not in self.db.makers:
                raise DecodeError("a value of unknown type")
            value = self.db.makers[part[0]]()
            value.load(part[1])
            contested.parts[part[0]] = value
        return contested if len(contested.parts) > 1 else contested.shown()


def check_deadlines(deadlines: Any) -> tuple[int, ...]:
    """`deadlines`, if they are dots and milliseconds in turn. Raises DecodeError."""
    if type(deadlines) is tuple and len(deadlines) % 2 == 0:
        if all(type(item) is int and item >= 0 for item in deadlines):
            return deadlines
    raise DecodeError("a key's deadlines are dots and milliseconds in turn")


def merge_into(db: Keyspace, incoming: Incoming) -> None:
    """Merge a complete snapshot into the live keyspace, at once. O(keys of both)."""
    assert incoming.complete and not db.outbox
    if not db.vector and not db.data and not db.deadlines.table:
        adopt(db, incoming)
    else:
        known = db.data.keys() | db.graves.keys() | db.deadlines.table.keys()
        for key in sorted(known | incoming.values.keys() | incoming.deadlines.keys()):
            merge_key(db, incoming, key)
    for origin, seq in incoming.vector.items():
        if db.vector.get(origin, 0) < seq:
            db.vector[origin] = seq
    db.news = True


def adopt(db: Keyspace, incoming: Incoming) -> None:
    """Take everything over into an empty keyspace."""
    for key, value in incoming.values.items():
        place(db, key, value)
    for key, deadlines in incoming.deadlines.items():
        db.deadlines.put(key, deadlines)
        db.litter.add(key)


def merge_key(db: Keyspace, incoming: Incoming, key: bytes) -> None:
    """Bring both sides' states of one key together."""
    if db.readers:
        db.warn_readers(key)
    held = db.data.get(key)
    if held is None:
        held = db.graves.get(key)
    given = incoming.values.get(key)
    deadlines = incoming.deadlines.get(key, ())
    if same_plain(held, given):
        if not deadlines and key not in db.deadlines.table:
            return
    mine, theirs = db.vector, incoming.vector
    spell_out(db, key, held)
    deadlines = with_flag(given, deadlines)
    db.deadlines.merge(key, deadlines, mine, theirs)
    merged = merge_values(db, held, given, mine, theirs)
    db.data.pop(key, None)
    db.graves.pop(key, None)
    if merged is not None:
        place(db, key, merged)
        restore_flag(db, key, merged)
    if key in db.deadlines.table:
        db.litter.add(key)
    if db.interest and key in db.interest:
        db.touched.append(key)


def same_plain(held: Value | None, given: Value | None) -> bool:
    """Whether both sides hold the same lone write of a string."""
    if type(held) is not String or type(given) is not String:
        return False
    if held.extra is not None or given.extra is not None:
        return False
    return held.dot == given.dot and held.endless == given.endless


def spell_out(db: Keyspace, key: bytes, held: Value | None) -> None:
    """Turn our lone write's flag into the deadline that it stands for."""
    part = held.parts.get(STRING) if isinstance(held, Contested) else held
    if isinstance(part, Register) and part.endless:
        db.spell_out(key, part)


def with_flag(given: Value | None, deadlines: tuple[int, ...]) -> tuple[int, ...]:
    """The other side's deadlines, with the one that its lone write's flag stands for."""
    part = given.parts.get(STRING) if isinstance(given, Contested) else given
    if isinstance(part, Register) and part.endless:
        part.endless = False
        return (*deadlines, part.dot, FOREVER)
    return deadlines


def restore_flag(db: Keyspace, key: bytes, merged: Value) -> None:
    """The inverse of `spell_out`, where it is possible."""
    if type(merged) is String and merged.dot and (not merged.extra or not merged.extra.rivals):
        if db.deadlines.table.get(key) == (merged.dot, FOREVER):
            db.deadlines.put(key, ())
            merged.endless = True


def merge_values(
    db: Keyspace, held: Value | None, given: Value | None, mine: Vector, theirs: Vector
) -> Value | None:
    """Both sides' values of one key, type by type."""
    ours = parts_by_code(held)
    others = parts_by_code(given)
    contested = Contested()
    for code in sorted(ours.keys() | others.keys()):
        value = ours.get(code) or db.makers[code]()
        value.merge(others.get(code) or db.makers[code](), mine, theirs)
        if not value.vacant():
            contested.parts[code] = value
    if not contested.parts:
        return None
    return contested if len(contested.parts) > 1 else contested.shown()


def parts_by_code(value: Value | None) -> dict[int, Value]:
    """The typed values under a key."""
    if value is None:
        return {}
    return value.parts if isinstance(value, Contested) else {value.code(): value}


def place(db: Keyspace, key: bytes, value: Value) -> None:
    """Put a merged value among the living or the dead."""
    if value.litter():
        db.litter.add(key)
    if value.alive():
        db.data[key] = value
        db.order.add(key, db.data)
    else:
        db.graves[key] = value
