"""One replicated operation: a run of effects with consecutive dots.

All effects of an operation saw the same of other origins: `deps`, sent as the difference from the
origin's previous operation and therefore usually empty. Of its own origin each saw everything
before itself. An operation is applied whole, without interleaving: a transaction is one (D-16).

On the wire it is a version byte, a CRC-32, and a msgpack array: `[origin, first, base, deps,
effects]`. Stamps in effects count from `base`, in milliseconds, which keeps them short.
"""

from __future__ import annotations

from typing import Any

from crdt import codec
from crdt.dots import ORIGIN_MAX, SEQ_MAX, Origin, Vector
from crdt.effects import check_effect
from crdt.errors import DecodeError
from crdt.value import Effect


class Op:
    """Effects `first` to `last` of `origin`. Not to be changed once made."""

    __slots__ = ("base", "deps", "effects", "encoded", "first", "last", "origin")

    def __init__(
        self, origin: Origin, first: int, base: int, deps: Vector, effects: tuple[Effect, ...]
    ) -> None:
        assert effects, "an operation has effects"
        self.origin = origin
        self.first = first
        self.last = first + len(effects) - 1
        self.base = base
        self.deps = deps
        self.effects = effects
        self.encoded = b""

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
        items = codec.unpack(data)
        if type(items) is not tuple or len(items) != 5:
            raise DecodeError("an operation has five items")
        origin, first, base, deps, effects = items
        if type(origin) is not int or not 0 < origin <= ORIGIN_MAX:
            raise DecodeError("an operation's origin is out of range")
        if type(first) is not int or type(base) is not int or first < 1:
            raise DecodeError("an operation's first dot or time base is out of range")
        if type(effects) is not tuple or not effects or first + len(effects) - 1 > SEQ_MAX:
            raise DecodeError("an operation has effects")
        for effect in effects:
            check_effect(effect)
        op = Op(origin, first, base, read_vector(deps), effects)
        op.encoded = data
        return op

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Op) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash((self.origin, self.first))

    def __repr__(self) -> str:
        return f"<Op {self.origin}:{self.first}..{self.last}>"


def write_vector(vector: Vector) -> tuple[int, ...]:
    """A vector as a flat tuple, by origin."""
    flat: list[int] = []
    for origin in sorted(vector):
        flat += (origin, vector[origin])
    return tuple(flat)


def read_vector(flat: Any) -> Vector:
    """The inverse of `write_vector`. Raises DecodeError."""
    if type(flat) is not tuple or len(flat) % 2:
        raise DecodeError("a vector is origins and sequence numbers in turn")
    vector: Vector = {}
    for index in range(0, len(flat), 2):
        origin, seq = flat[index], flat[index + 1]
        if type(origin) is not int or type(seq) is not int:
            raise DecodeError("a vector holds integers")
        if not 0 < origin <= ORIGIN_MAX or not 0 <= seq <= SEQ_MAX or origin in vector:
            raise DecodeError("a vector's origin or sequence number is out of range")
        vector[origin] = seq
    return vector
