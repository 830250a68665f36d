"""Whatever a peer lacks, as one value: what `Replica.changes_for` returns and `apply` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from crdt.causality.op import Op
from crdt.causality.version_vector import Vector
from crdt.wire import codec
from crdt.wire.decoding import bytes_of, items_of_version, tuple_of
from crdt.wire.expect import expect

VERSION: Final = 1


class Changes:
    """The operations that a peer lacks, or a whole state where the history does not hold them.

    `vector` is where the sender stands. A peer that applies the changes gets there.
    """

    __slots__ = ("ops", "state", "vector")

    def __init__(self, vector: Vector, ops: Sequence[Op] = (), state: bytes = b"") -> None:
        self.vector = vector
        self.ops = tuple(ops)
        """In causal order."""
        self.state = state
        """The state, as `Replica.merge_bytes` takes it, or nothing."""

    def __bool__(self) -> bool:
        """Return whether there is anything that the peer lacked."""
        return bool(self.ops or self.state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        what = f"a state of {len(self.state)} bytes" if self.state else f"{len(self.ops)} ops"
        return f"<Changes to {self.vector.to_text() or 'nothing'}: {what}>"

    def to_bytes(self) -> bytes:
        """Return the changes as bytes, for a file or a request over HTTP."""
        ops = tuple(op.to_bytes() for op in self.ops)
        return codec.pack((VERSION, self.vector.to_bytes(), ops, self.state))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` returned. Raises DecodeError, or TypeError if it is not bytes."""
        items = items_of_version(codec.unpack(data), VERSION, 4, "changes")
        _, vector, packed, state = items
        ops = [bytes_of(op, "an operation") for op in tuple_of(packed, "the operations of changes")]
        return cls(
            Vector.from_bytes(bytes_of(vector, "the vector of changes")),
            [Op.from_bytes(op) for op in ops],
            bytes_of(state, "the state of changes"),
        )

    def to_text(self) -> str:
        """Return the changes as ASCII text (base64)."""
        return codec.to_text(self.to_bytes())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` returned. Raises DecodeError, or TypeError if `text` is not str."""
        return cls.from_bytes(codec.from_text(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)


def changes_of(given: object) -> Changes:
    """Return changes from changes or their bytes. Raises DecodeError, TypeError."""
    if isinstance(given, bytes):
        return Changes.from_bytes(given)
    expect(given, Changes, "use what changes_for returned, or its to_bytes()")
    assert isinstance(given, Changes)
    return given
