"""The whole state of a replica, in pieces, consistent at one vector while writes go on.

The first piece holds the version, the slot group, the vector, the causal context of each origin's
latest operation, and the fingerprints that detect two replicas of one identity. The next pieces
hold the keys, a few thousand each. The first write to a key that has not been sent yet saves the
key's earlier state, which is sent instead (copy on write, see `walk`). The first piece holds a
limit of the number of keys. The last piece holds the number, which detects a truncated snapshot.

Plain values, the common case, are strings that hold one write. They are written in columns. All
other values are written as their `state()`, in one record for each key. Pieces are deflated. A
piece ends after `piece_keys` keys or `piece_bytes` bytes.

The state of a value that is larger than a piece goes before the record of its key, in parts. Each
part is read from the value when it is sent, so that neither side works on a whole large value in
one step. If the key is written meanwhile, the rest of its parts are read first. A sorted snapshot
has no parts: with the same order of keys, equal content has equal bytes.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import Origin, Vector
from crdt.causality.fingerprints import Trails, write_trails
from crdt.causality.op import read_vector, write_vector
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.store.walk import KeyWalk
from crdt.structures.places import HASH_PLACES
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.register import plain_register
from crdt.types.registry import TypeRegistry
from crdt.wire import codec
from crdt.wire.decoding import bytes_of, check_version, items_of, tuple_of
from crdt.wire.expect import Given, expect, no_subclass
from crdt.wire.formats import STATE, explain

VERSION: Final = 2
WHOLE_VERSION: Final = 1
"""The version of a snapshot that has no parts."""
PIECE_KEYS: Final = 1000
PIECE_BYTES: Final = 1 << 17  # inflated; takes about two milliseconds to deflate or read
PIECE_BYTES_MAX: Final = 4 << 30  # limit for received pieces, inflated; the largest key must fit
HEAD: Final = 0
KEYS: Final = 1
END: Final = 2

Plain = tuple[bytes, int, int, bytes, int]


class Snapshot(KeyWalk):
    """An iterator over the pieces, which are byte strings. `close` it if it is not read to the end.

    `to_bytes` and `from_bytes`, or `to_text` and `from_text`, serialise it for a network. It can
    also be pickled and copied.
    """

    def __init__(
        self, db: Keyspace, contexts: dict[Origin, Vector], trails: Trails, sort: bool
    ) -> None:
        assert not db.outbox, "seal before taking a snapshot"
        super().__init__(db)
        self.vector: Vector = dict(db.vector)
        if sort:
            self.list_sorted()
        self.count: int = 0
        """The number of keys in the pieces so far."""
        self.plain_code: int = db.types.plain_code
        self.plain: list[Plain] = []
        self.records: list[bytes] = []
        self.elements: int = 0  # in the parts among `records`
        self.size: int = 0  # of `plain` and `records`, in bytes
        self.is_sorted: bool = sort
        self.current_key: bytes = b""
        self.current: Iterator[None] | None = None
        """The rest of the visit to `current_key`, whose value is read in parts."""
        self.full: deque[bytes] = deque()  # complete pieces
        flat = tuple((o, write_vector(contexts[o])) for o in sorted(contexts))
        marks = write_trails(trails, self.vector)
        head = (
            HEAD,
            WHOLE_VERSION if sort else VERSION,
            db.group,
            write_vector(self.vector),
            flat,
            self.keys_max(sort),
            marks,
        )
        self.head: bytes | None = pack_piece(head)
        self.ended: bool = False
        self.piece_keys: int = PIECE_KEYS
        self.piece_bytes: int = PIECE_BYTES

    def __init_subclass__(cls) -> None:
        raise no_subclass(cls.__name__, "Snapshot")

    def keys_max(self, sort: bool) -> int:
        """Return a number that the number of keys does not exceed. It is exact if they are sorted,
        and otherwise if no key has a deadline."""
        if sort:
            return len(self.pending)
        db = self.db
        return len(db.data.index) + len(db.tombstones.index) + len(db.deadlines.table)

    def list_sorted(self) -> None:
        """List all keys now, in their order."""
        keys: set[bytes] = set()
        for table in self.tables():
            keys.update(table)
        self.pending = dict.fromkeys(sorted(keys, reverse=True))
        self.position = HASH_PLACES

    def visit(self, key: bytes) -> None:
        for _ in self.record_in_parts(key):
            pass

    def begin(self, key: bytes) -> None:
        self.current_key, self.current = key, self.record_in_parts(key)

    def before_change(self, key: bytes) -> None:
        if self.current is None or key != self.current_key:
            super().before_change(key)
            return
        for _ in self.current:
            pass
        self.current = None

    def close(self) -> None:
        """Stop watching the keyspace."""
        self.current = None
        super().close()

    def advance(self) -> bool:
        """Read the next key, or the next part of a large value. Return whether there was one."""
        if self.current is None:
            return self.visit_next()
        for _ in self.current:
            return True
        self.current = None
        return True

    def record_in_parts(self, key: bytes) -> Iterator[None]:
        """Add the state of `key` to the pieces. Yield after each part of a large value."""
        db = self.db
        self.count += 1
        if key in db.deadlines.table:
            db.compact_deadline(key)
        deadlines = db.deadlines.siblings(key)
        value = db.data.get(key)
        if value is None:
            value = db.tombstones.get(key)
        plain = None if deadlines or value is None else plain_register(value, self.plain_code)
        if plain is not None:
            flag = int(plain.no_expiry)
            self.plain.append((key, plain.dot, plain.stamp, plain.value, flag))
            self.size += len(key) + len(plain.value)
        else:
            whole: list[tuple[int, Any]] = []
            count, size = self.piece_keys, self.piece_bytes
            for part in parts_of(value):
                if self.is_sorted or not part.divides(count, size):
                    whole.append((part.code(), part.state()))
                    continue
                for state in part.state_parts(count, size):
                    self.add_record((key, part.code(), state))
                    self.elements += count
                    self.end_full_piece()
                    yield
            self.add_record((key, deadlines, tuple(whole)))
        self.end_full_piece()

    def add_record(self, record: tuple[Any, ...]) -> None:
        """Add a record to the piece that is being filled."""
        packed = codec.pack_body(record)
        self.records.append(packed)
        self.size += len(packed)

    def end_full_piece(self) -> None:
        """End the piece that is being filled if it is full."""
        count = len(self.plain) + len(self.records) + self.elements
        if self.size >= self.piece_bytes or count >= self.piece_keys:
            self.end_piece()

    def end_piece(self) -> None:
        """Make a piece of the collected keys and begin the next one."""
        piece = (codec.pack_body(columns(self.plain)), codec.pack_array(self.records))
        self.full.append(deflate(codec.pack_array([codec.pack_body(KEYS), *piece])))
        self.plain, self.records, self.elements, self.size = [], [], 0, 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.head is not None:
            head, self.head = self.head, None
            return head
        while not self.full and self.advance():
            pass
        if not self.full and (self.plain or self.records):
            self.end_piece()
        if self.full:
            return self.full.popleft()
        if not self.ended:
            self.ended = True
            return pack_piece((END, self.count))
        raise StopIteration

    def to_bytes(self) -> bytes:
        """Return the pieces that have not been read yet as one byte string for `merge_bytes`.

        The snapshot can still be read afterwards. It holds its pieces in memory from then on.
        """
        self.full = deque(self)
        return b"".join([len(piece).to_bytes(4, "big") + piece for piece in self.full])

    @staticmethod
    def from_bytes(data: Given[bytes]) -> Snapshot:
        """Return a snapshot of the pieces in `data`. Raises DecodeError if they are cut off, or
        TypeError if `data` is not bytes."""
        pieces = deque(split(check_state(data)))
        snapshot = Snapshot(Keyspace(1, TypeRegistry(())), {}, {}, False)
        snapshot.close()
        snapshot.head = None
        snapshot.ended = True
        if pieces:
            first = unpack_piece(pieces[0])
            if first[0] == HEAD:
                snapshot.vector = read_vector(head_items(first)[1])
        snapshot.full = pieces
        return snapshot

    def to_text(self) -> str:
        """Return the pieces that have not been read yet as ASCII text (base64)."""
        return codec.to_text(self.to_bytes())

    @staticmethod
    def from_text(text: Given[str]) -> Snapshot:
        """Read the result of `to_text`. Raises DecodeError, or TypeError if `text` is not str."""
        return Snapshot.from_bytes(codec.from_text(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return read_snapshot, (self.to_bytes(),)


def read_snapshot(data: bytes) -> Snapshot:
    """Read a snapshot. `pickle` and `copy` call this function."""
    return Snapshot.from_bytes(data)


def check_state(given: object) -> bytes:
    """Return `given`. Raises TypeError if it is not bytes, and DecodeError if it is of another
    format. Damage is found when the pieces are read."""
    data = expect(given, bytes, "use what Replica.to_bytes or Snapshot.to_bytes returned")
    damaged = DecodeError("the state is damaged")
    error = explain(damaged, data, STATE)
    if error is not damaged:
        raise error
    return data


def split(data: bytes) -> Iterator[bytes]:
    """Yield the pieces in the result of `to_bytes`. Raises DecodeError if it is cut off."""
    position = 0
    while position < len(data):
        start = position + 4
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data):
            raise DecodeError("the state was cut off")
        yield data[start:position]


def head_items(piece: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return group, vector, contexts, limit of keys and trails of a first piece, unchecked.

    Raises DecodeError if the piece has another version or form.
    """
    version = piece[1] if len(piece) > 1 else None
    if version != WHOLE_VERSION:
        check_version(version, VERSION, "a snapshot")
    return items_of(piece, 7, "the head of a snapshot")[2:]


def parts_of(value: Value | None) -> list[Value]:
    """Return the values of different types under a key, by their codes."""
    if value is None:
        return []
    if isinstance(value, Contested):
        return [value.parts[code] for code in sorted(value.parts)]
    return [value]


def columns(plain: list[Plain]) -> tuple[Any, ...]:
    """Return the least stamp of plain strings, and columns of their keys, dots, stamps, values
    and flags. The stamps are relative to the least one."""
    if not plain:
        return ()
    least = min(stamp for _, _, stamp, _, _ in plain)
    keys, dots, stamps, values, flags = zip(*plain, strict=True)
    relative = [stamp - least for stamp in stamps]
    return least, keys, dots, relative, values, bytes(flags)


def pack_piece(piece: tuple[Any, ...]) -> bytes:
    """Return one piece packed, deflated and framed."""
    return deflate(codec.pack_body(piece))


def deflate(body: bytes) -> bytes:
    """Return a packed piece deflated and framed."""
    return codec.pack(zlib.compress(body, 1))


def unpack_piece(data: bytes) -> tuple[Any, ...]:
    """Undo `pack_piece`. Raises DecodeError."""
    packed = bytes_of(codec.unpack(data), "a piece of a snapshot")
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(packed, PIECE_BYTES_MAX)
    except zlib.error as error:
        raise DecodeError(f"a piece of a snapshot does not inflate: {error}") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise DecodeError("a piece of a snapshot is too large or cut off")
    piece = tuple_of(codec.unpack_body(body), "a piece of a snapshot")
    if not piece:
        raise DecodeError("a piece of a snapshot is empty")
    return piece
