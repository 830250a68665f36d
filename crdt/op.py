"""One replicated operation: a run of effects with consecutive dots.

All effects of an operation saw the same of other origins: `deps`, sent as the difference from the
origin's previous operation and therefore usually empty. Of its own origin each saw everything
before itself. An operation is applied whole, without interleaving: a transaction is one (D-16).

On the wire it is a version byte, a CRC-32, and a msgpack array: `[origin, first, base, deps,
effects]`. Stamps in effects count from `base`, in milliseconds, which keeps them short.

No operation is refused for its size, but one of more than `OP_BYTES` is divided by its origin, and
so everywhere in the same way: a transaction that writes more becomes visible elsewhere in steps.
Only an effect by itself may be larger.
"""

from __future__ import annotations

from typing import Any, Final

from crdt import codec
from crdt.decoding import integer_of, items_of, tuple_of
from crdt.dots import ORIGIN_MAX, ORIGINS_MAX, SEQ_MAX, Origin, Vector
from crdt.effects import STAMP_MAX, check_effect
from crdt.errors import DecodeError
from crdt.value import Effect, weight

OP_BYTES: Final = 16 << 20  # a full window of a link, or a quarter of what a gate holds


class Op:
    """Effects `first` to `last` of `origin`. Not to be changed once made."""

    __slots__ = ("base", "deps", "effects", "encoded", "first", "last", "origin")

    def __init__(
        self, origin: Origin, first: int, base: int, deps: Vector, effects: tuple[Effect, ...]
    ) -> None:
        assert effects, "an operation has effects"
        self.origin: Origin = origin
        self.first: int = first
        self.last: int = first + len(effects) - 1
        self.base: int = base
        self.deps: Vector = deps
        self.effects: tuple[Effect, ...] = effects
        self.encoded: bytes = b""

    def to_bytes(self) -> bytes:
        """The operation as bytes. Encoded once; every link and log shares the result."""
        if not self.encoded:
            deps: list[int] = []
            for origin in sorted(self.deps):
                deps += (origin, self.deps[origin])
            self.encoded = codec.pack((self.origin, self.first, self.base, deps, self.effects))
        return self.encoded

    @staticmethod
    def from_bytes(data: bytes) -> Op:
        """Read an operation. Raises DecodeError if `data` is not one."""
        origin, first, base, deps, packed = items_of(codec.unpack(data), 5, "an operation")
        effects = tuple_of(packed, "an operation's effects")
        if not effects:
            raise DecodeError("an operation without effects")
        integer_of(origin, "an operation's origin", 1, ORIGIN_MAX)
        integer_of(first, "an operation's first dot", 1, SEQ_MAX - len(effects))
        integer_of(base, "an operation's time base", -STAMP_MAX, STAMP_MAX)
        for effect in effects:
            check_effect(effect)
        op = Op(origin, first, base, read_vector(deps), effects)
        op.encoded = data
        return op

    def beyond(self, seq: int) -> Op:
        """What is left of the operation for somebody who has its origin's effects up to `seq`."""
        effects = self.effects[seq + 1 - self.first :]
        return Op(self.origin, seq + 1, self.base, self.deps, effects)

    def divided(self, limit: int) -> list[Op]:
        """Return the operation in several, of at most `limit` bytes each or of a single effect."""
        parts: list[Op] = []
        begin, size = 0, 0
        for index, effect in enumerate(self.effects):
            more = weight(effect)
            if size + more > limit and index > begin:
                parts.append(self.part(begin, index))
                begin, size = index, 0
            size += more
        parts.append(self.part(begin, len(self.effects)))
        return parts

    def part(self, begin: int, end: int) -> Op:
        """Some of the effects. What others had done was seen by the first of them."""
        deps = {} if begin else self.deps
        return Op(self.origin, self.first + begin, self.base, deps, self.effects[begin:end])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash((self.origin, self.first))

    def __repr__(self) -> str:
        return f"<Op {self.origin}:{self.first}..{self.last}>"


def write_vector(vector: Vector) -> tuple[int, ...]:
    """A vector as a flat tuple, by origin."""
    held: dict[Any, Any] = vector  # numbers are passed on as the objects that they are
    flat: list[Any] = []
    for origin in sorted(held):
        flat.append(origin)
        flat.append(held[origin])
    return tuple(flat)


def read_vector(flat: object) -> Vector:
    """The inverse of `write_vector`. Raises DecodeError, also if it is not written by origin: equal
    vectors are equal bytes."""
    items = tuple_of(flat, "a vector", 2)
    if len(items) > 2 * ORIGINS_MAX:
        raise DecodeError(f"a vector of more than {ORIGINS_MAX} origins")
    vector: dict[Any, Any] = {}
    before: Any = 0
    for index in range(0, len(items), 2):
        origin, seq = items[index], items[index + 1]
        integer_of(origin, "a vector's origin", 1, ORIGIN_MAX)
        integer_of(seq, "a vector's sequence number", 0, SEQ_MAX)
        if origin <= before:
            raise DecodeError("a vector's origins: expected each once and in order")
        before = origin
        vector[origin] = seq
    return vector
