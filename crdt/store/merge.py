"""Merging another replica's snapshot into the keyspace.

The pieces of a snapshot are read and checked as they arrive. The live keyspace does not change
meanwhile. When all pieces are there, the vectors are joined immediately, and each key is merged
when it is touched, or by `Replica.work` (see `crdt.store.unsettled`). The rule of the merge is in
`crdt.store.key_merge`.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Origin, Vector, covers, dominates, read_dot, read_origin
from crdt.causality.fingerprints import Trails, read_trails
from crdt.causality.op import read_vector
from crdt.causality.schema import FOREVER
from crdt.errors import DecodeError
from crdt.store.key_merge import MergedVectors
from crdt.store.keyspace import Keyspace
from crdt.store.snapshot import END, HEAD, KEYS, head_items, unpack_piece
from crdt.store.steps import MergeStep
from crdt.structures.table import Table
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.register import LATEST, Register
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
        self.values: Table = Table()
        self.deadlines: Table = Table()
        self.begun: dict[bytes, dict[int, Value]] = {}
        """By key and type code, the values of which parts have been read, but not the record of
        their key."""
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
        elif piece == (END, self.received) and not self.begun:
            self.complete = True
        else:
            raise DecodeError("a snapshot was cut off, or a piece of it is of unknown form")

    def read_head(self, piece: tuple[Any, ...]) -> None:
        """Read the first piece: slot group, vector, contexts, limit of keys and trails."""
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
            self.values.put(key, value)
        self.received += len(keys)

    def read_records(self, records: Any) -> None:
        """Read the records of all values other than plain strings, and the parts of large ones.

        A record holds a key, its deadlines, and pairs of type code and state. A part of a value
        holds the key, the type code and a part of the state.
        """
        for record in tuple_of(records, "a snapshot's records"):
            name, second, third = items_of(record, 3, "a record")
            key = bytes_of(name, "a record's key")
            if type(second) is int:
                self.read_part(key, second, third)
                continue
            if second != ():
                self.deadlines[key] = check_deadlines(second, self.vector)
            values = self.begun.pop(key, {})
            for part in tuple_of(third, "a key's values"):
                value = self.read_value(part)
                values[value.code()] = value
            if values:
                self.values[key] = contested_value(values)
            self.received += 1

    def read_part(self, key: bytes, code: int, part: Any) -> None:
        """Read a part of a large value. Raises DecodeError."""
        values = self.begun.setdefault(key, {})
        if code not in values:
            values[code] = self.make_value(code)
        if not values[code].load_part(part, self.vector):
            raise DecodeError(UNSEEN)

    def make_value(self, code: object) -> Value:
        """Return an empty value of a type. Raises DecodeError if it is unknown."""
        if type(code) is not int or code not in self.db.types.makers:
            raise DecodeError(f"a value of unknown type {code!r}")
        return self.db.types.makers[code]()

    def read_value(self, part: Any) -> Value:
        """Read one typed value. Raises DecodeError."""
        code, state = items_of(part, 2, "a key's value")
        value = self.make_value(code)
        value.load(state)
        if not value.covered(self.vector):
            raise DecodeError(UNSEEN)
        return value


def contested_value(values: dict[int, Value]) -> Value:
    """Return the content of a key that holds these values, by type code."""
    if len(values) == 1:
        return next(iter(values.values()))
    contested = Contested()
    contested.parts = values
    return contested.resolve()


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
    """Merge a complete snapshot into the live keyspace. The keys settle one by one: see
    `crdt.store.unsettled`. O(1), but for the keys that are watched."""
    assert incoming.complete
    assert not db.outbox
    vectors = MergedVectors(dict(db.vector), incoming.vector, db.second)
    unsettled = db.unsettled
    aside = unsettled.put_aside()
    unsettled.begin(MergeStep(aside, incoming.values, incoming.deadlines, vectors))
    for origin, seq in incoming.vector.items():
        if db.vector.get(origin, 0) < seq:
            db.vector[origin] = seq
    db.has_remote_news = True
    db.settle_watched()
