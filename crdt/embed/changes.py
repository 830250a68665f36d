"""The changes that a peer is missing, as one value. `changes_for` returns it, `apply` takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from crdt.causality.op import Op
from crdt.causality.version_vector import Vector
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.decoding import bytes_of, items_of_version, tuple_of
from crdt.wire.expect import expect
from crdt.wire.formats import CHANGES, explain

VERSION: Final = 1


class Changes:
    """The operations that a peer is missing, or a whole state if the history no longer holds them.

    `vector` is the sender's vector. A peer that has applied the changes covers it.
    """

    __slots__ = ("ops", "state", "vector")

    def __init__(self, vector: Vector, ops: Sequence[Op] = (), state: bytes = b"") -> None:
        self.vector = expect(vector, Vector, "use what Replica.vector returned", "vector")
        expect(ops, Sequence, "use what Replica.since returned", "ops")
        self.ops = tuple(expect(op, Op, "use what Replica.since returned", "ops") for op in ops)
        """The operations, in causal order."""
        self.state = expect(state, bytes, "use what Replica.to_bytes returned", "state")
        """The state, in the form that `Replica.merge_bytes` takes, or empty."""

    def __bool__(self) -> bool:
        """Return whether the peer was missing anything."""
        return bool(self.ops or self.state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        what = f"a state of {len(self.state)} bytes" if self.state else f"{len(self.ops)} ops"
        return f"<Changes to {self.vector.to_text() or 'nothing'}: {what}>"

    def to_bytes(self) -> bytes:
        """Return the changes as bytes, for example for a file or an HTTP request."""
        ops = tuple(op.to_bytes() for op in self.ops)
        return codec.pack((VERSION, self.vector.to_bytes(), ops, self.state))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the result of `to_bytes`. Raises DecodeError, or TypeError if it is not bytes."""
        plain = expect(data, bytes, "from_text reads a str")
        try:
            return cls(*parts_of(plain))
        except DecodeError as error:
            raise explain(error, plain, CHANGES) from None

    def to_text(self) -> str:
        """Return the changes as ASCII text (base64)."""
        return codec.to_text(self.to_bytes())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the result of `to_text`. Raises DecodeError, or TypeError if `text` is not str."""
        return cls.from_bytes(codec.from_text(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)


def parts_of(data: bytes) -> tuple[Vector, list[Op], bytes]:
    """Read vector, operations and state from the bytes of changes. Raises DecodeError."""
    items = items_of_version(codec.unpack(data), VERSION, 4, "changes")
    _, vector, packed, state = items
    ops = [bytes_of(op, "an operation") for op in tuple_of(packed, "the operations of changes")]
    return (
        Vector.from_bytes(bytes_of(vector, "the vector of changes")),
        [Op.from_bytes(op) for op in ops],
        bytes_of(state, "the state of changes"),
    )


def changes_of(given: object) -> Changes:
    """Return `given` if it is `Changes`, or read it from bytes. Raises DecodeError, TypeError."""
    if isinstance(given, bytes):
        return Changes.from_bytes(given)
    return expect(given, Changes, "use what changes_for returned, or its to_bytes()")
