"""A replicated operation: a run of effects with consecutive dots.

All effects of an operation saw the same of other origins: `deps`, sent as the difference from the
origin's previous operation and therefore usually empty. Of its own origin each saw everything
before itself. An operation is applied whole, without interleaving: a transaction is one (D-16).

On the wire it is an envelope around a msgpack array: `[version, origin, first, previous, base,
deps, effects]`; see docs/formats.md. Stamps in effects count from `base`, in milliseconds, which
keeps them short.

The CRC-32 is the *fingerprint* of an operation, and `previous` is the fingerprint of the operation
that its origin made before. So the operations of one origin form a chain, and two replicas that
write under the same identity are noticed; see `crdt.causality.fingerprints`.

No operation is refused for its size, but one of more than `OP_BYTES` is divided by its origin, and
so everywhere in the same way: a transaction that writes more becomes visible elsewhere in steps.
Only an effect by itself may be larger.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from crdt.causality.dots import ORIGINS_MAX, SEQ_MAX, Origin, Vector, read_origin
from crdt.causality.effect import Effect, large_bytes, weight
from crdt.causality.op_pieces import OpBytes, OpPieces, PackedEffects, cut, joined
from crdt.causality.schema import STAMP_MAX, check_form
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.checksum import join_checksums
from crdt.wire.decoding import integer_of, items_of_version, tuple_of
from crdt.wire.expect import Given, expect, no_subclass
from crdt.wire.formats import OPERATION, explain

VERSION: Final = 2
OP_BYTES: Final = 16 << 20  # a full window of a link, or a quarter of what a gate holds
MANY_EFFECTS: Final = 24
"""The number of effects from which `pack_tuple` is faster than `pack`."""
UNKNOWN: Final = 0  # `previous` of an origin's first operation, and where it is not known
FINGERPRINT_MAX: Final = (1 << 32) - 1
NOT_WEIGHED: Final[list[int]] = []
FRAGMENT: Final = -1  # `previous` of a part of an operation: its bytes give no fingerprint
HEAD_ITEMS: Final = 6
"""The items of an operation before its effects: the version, the origin, the first sequence number,
`previous`, the time base and the dependencies."""


class Op:
    """Effects `first` to `last` of `origin`. Not to be changed once made.

    `to_bytes` and `from_bytes`, or `to_text` and `from_text`, carry it over a network; it can also
    be pickled and copied. Equal operations have equal bytes.
    """

    __slots__ = (
        "base",
        "deps",
        "effects",
        "encoded",
        "first",
        "is_checked",
        "known",
        "last",
        "origin",
        "packed",
        "previous",
        "staged",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - hot, and each is a part of what travels
        self,
        origin: Origin,
        first: int,
        base: int,
        deps: Vector,
        effects: tuple[Effect, ...],
        previous: int = UNKNOWN,
        packed: PackedEffects | None = None,
    ) -> None:
        assert effects, "an operation has effects"
        self.origin: Origin = origin
        self.first: int = first
        self.last: int = first + len(effects) - 1
        self.base: int = base
        self.deps: Vector = deps
        self.effects: tuple[Effect, ...] = effects
        self.previous: int = previous
        self.known: int = UNKNOWN  # the fingerprint of the operation that this is the rest of
        self.encoded: OpBytes = b""
        self.packed: PackedEffects | None = packed
        """The first effects, if they were encoded in advance, while a command worked in slices."""
        self.is_checked: bool = False
        """True if the items of the effects were checked when the operation was read."""
        self.staged: Any = None
        """The effects by key (`crdt.store.unsettled.StagedEffects`), if they were sorted when the
        operation was read."""

    def __init_subclass__(cls) -> None:
        raise no_subclass(cls.__name__, "Op")

    def to_bytes(self) -> bytes:
        """Return the operation as bytes. It is encoded once. A large operation is kept in pieces,
        which this joins: see `data`."""
        return joined(self.data())

    def data(self) -> OpBytes:
        """Return the operation as bytes, or as pieces. Every link and log shares the result."""
        if not self.encoded:
            deps: list[int] = []
            for origin in sorted(self.deps):
                deps += (origin, self.deps[origin])
            if self.packed is not None:
                self.encoded = self.with_packed(self.packed, tuple(deps))
                return self.encoded
            items = (self.previous, self.base, tuple(deps), self.effects)
            record = (VERSION, self.origin, self.first, *items)
            if is_large(self.effects):
                self.encoded = OpPieces(codec.pack_large(record))
            elif len(self.effects) >= MANY_EFFECTS:
                self.encoded = codec.pack_tuple(record)
            else:
                self.encoded = codec.pack(record)
        return self.encoded

    def with_packed(self, packed: PackedEffects, deps: tuple[int, ...]) -> OpBytes:
        """Return the operation, in pieces if it is large. Its first effects are encoded already."""
        head = (VERSION, self.origin, self.first, self.previous, self.base, deps)
        items = [codec.pack_body(item) for item in head]
        body = codec.pack_header(HEAD_ITEMS + 1) + b"".join(items)
        body += codec.pack_header(len(self.effects))
        rest = codec.pack_all(list(self.effects[packed.count :]))
        if packed.size <= codec.LARGE_BYTES:
            return codec.envelope(b"".join([body, *packed.pieces, rest]))
        packed.compute_checksums()
        checksum = crc32(rest, join_checksums(crc32(body), packed.checksum, packed.size))
        envelope = codec.VERSION_BYTE + checksum.to_bytes(4, "big")
        return OpPieces([envelope + body, *packed.pieces, rest])

    def size(self) -> int:
        """Return the number of bytes of the operation."""
        return len(self.data())

    @staticmethod
    def from_bytes(data: Given[bytes]) -> Op:
        """Read an operation. Raises DecodeError if `data` is not one, or TypeError if it is not
        bytes. A replica checks the payloads of effects, as it knows the types: see `accept`."""
        plain = data if isinstance(data, bytes) else expect(data, bytes, "use Op.to_bytes")
        try:
            return read_op(plain)
        except DecodeError as error:
            raise explain(error, plain, OPERATION) from None

    def to_text(self) -> str:
        """Return the operation as ASCII text (base64)."""
        return codec.to_text(self.to_bytes())

    @staticmethod
    def from_text(text: Given[str]) -> Op:
        """Read what `to_text` returned. Raises DecodeError, or TypeError if `text` is not str."""
        return Op.from_bytes(codec.from_text(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return read_op, (self.to_bytes(),)

    def fingerprint(self) -> int:
        """Return what the next operation of this origin names as its `previous`, or UNKNOWN."""
        if self.known or self.previous == FRAGMENT:
            return self.known
        return codec.checksum(cut(self.data(), 0, codec.OVERHEAD))

    def beyond(self, seq: int) -> Op:
        """Return what is left of the operation for a replica that has its origin's effects up to
        `seq`."""
        effects = self.effects[seq + 1 - self.first :]
        rest = Op(self.origin, seq + 1, self.base, self.deps, effects, FRAGMENT)
        rest.known = self.fingerprint()
        return rest

    def divided(self, limit: int) -> list[Op]:
        """Return the operation in several, of at most `limit` bytes each or of a single effect."""
        parts: list[Op] = []
        begin, size = 0, 0
        known = NOT_WEIGHED if self.packed is None else self.packed.weights
        for index, effect in enumerate(self.effects):
            more = (known[index] if index < len(known) else 0) or weight(effect)
            if size + more > limit and index > begin:
                parts.append(self.part(begin, index))
                begin, size = index, 0
            size += more
        parts.append(self.part(begin, len(self.effects)))
        return parts

    def outbox_bytes(self) -> int:
        """Return what the effects count in `Keyspace.outbox_bytes`."""
        known = NOT_WEIGHED if self.packed is None else self.packed.weights
        total = 0
        for index, effect in enumerate(self.effects):
            total += large_bytes(effect, known[index] if index < len(known) else 0)
        return total

    def part(self, begin: int, end: int) -> Op:
        """Return some of the effects. The first of them has observed what others had done."""
        deps = {} if begin else self.deps
        effects = self.effects[begin:end]
        previous = self.previous if end - begin == len(self.effects) else FRAGMENT
        part = Op(self.origin, self.first + begin, self.base, deps, effects, previous)
        if self.packed is not None and self.packed.count > begin:
            part.packed = self.packed.part(self.effects, begin, end)
        return part

    def contradicts(self, other: Op) -> bool:
        """Return whether the two, of one origin, give different effects the same dots."""
        begin, end = max(self.first, other.first), min(self.last, other.last)
        if begin > end or self.to_bytes() == other.to_bytes():
            return False
        if self.base != other.base:
            return True
        ours = self.effects[begin - self.first : end + 1 - self.first]
        theirs = other.effects[begin - other.first : end + 1 - other.first]
        return codec.pack_body(ours) != codec.pack_body(theirs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash((self.origin, self.first))

    def __repr__(self) -> str:
        return f"<Op {self.origin}:{self.first}..{self.last}>"


def is_large(effects: tuple[Effect, ...]) -> bool:
    """Return whether the first or the last effect holds a long byte string, as one that was sealed
    by itself does."""
    for effect in (effects[0], effects[len(effects) - 1]):
        last: object = effect[len(effect) - 1]
        if isinstance(last, bytes) and len(last) > codec.LARGE_BYTES:
            return True
    return False


def read_op(data: bytes) -> Op:
    """Read an operation. Raises DecodeError."""
    items = items_of_version(codec.unpack(data), VERSION, HEAD_ITEMS + 1, "an operation")
    effects = tuple_of(items[HEAD_ITEMS], "an operation's effects")
    for effect in effects:
        check_form(effect)
    op = make_op(items, effects)
    op.encoded = data
    return op


def make_op(head: tuple[Any, ...], effects: tuple[Effect, ...]) -> Op:
    """Make an operation of its first items and its effects, whose form was checked. Raises
    DecodeError."""
    check_head(head, len(effects))
    _, origin, first, previous, base, deps = head[:HEAD_ITEMS]
    return Op(origin, first, base, read_vector(deps), effects, previous)


def check_head(head: tuple[Any, ...], count: int) -> None:
    """Check the first items of an operation of `count` effects, all but the dependencies. Raises
    DecodeError."""
    _, origin, first, previous, base, _ = head[:HEAD_ITEMS]
    if not count:
        raise DecodeError("an operation without effects")
    read_origin(origin, "an operation's origin")
    integer_of(first, "an operation's first dot", 1, SEQ_MAX - count)
    integer_of(previous, "the previous operation's fingerprint", FRAGMENT, FINGERPRINT_MAX)
    integer_of(base, "an operation's time base", -STAMP_MAX, STAMP_MAX)


def write_vector(vector: Vector) -> tuple[int, ...]:
    """Return a vector as a flat tuple, by origin."""
    held: dict[Any, Any] = vector  # numbers are passed on as the objects that they are
    flat: list[Any] = []
    for origin in sorted(held):
        flat.append(origin)
        flat.append(held[origin])
    return tuple(flat)


def read_vector(flat: object) -> Vector:
    """Return the vector that `write_vector` wrote. Raises DecodeError, also if origins are out of
    order, since equal vectors must have equal bytes."""
    items = tuple_of(flat, "a vector", 2)
    if len(items) > 2 * ORIGINS_MAX:
        raise DecodeError(f"a vector of more than {ORIGINS_MAX} origins")
    vector: dict[Any, Any] = {}
    before: Any = 0
    for index in range(0, len(items), 2):
        origin, seq = items[index], items[index + 1]
        read_origin(origin, "a vector's origin")
        integer_of(seq, "a vector's sequence number", 0, SEQ_MAX)
        if origin <= before:
            raise DecodeError("a vector's origins: expected each once and in order")
        before = origin
        vector[origin] = seq
    return vector
