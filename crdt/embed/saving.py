"""The saved form of a replica, from which it is restored after a restart of its process.

A save holds the whole replica: origin, values, vector, history and causal buffer. If the original
continues to write after a save, a restored replica of the same origin would use the same dots
again. Therefore a save records whether it is the *last* one, after which the original refuses to
write. A replica that is restored from a last save keeps its origin. It also does so if the caller
states that nothing was written since. Otherwise it takes a new incarnation, which gets an entry in
the vector with its first write.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import GROUP_MAX, SEQ_MAX, Origin, read_origin
from crdt.causality.op import Op, read_vector, write_vector
from crdt.causality.schema import STAMP_MAX
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.decoding import bytes_of, check_version, integer_of, items_of, tuple_of
from crdt.wire.expect import expect
from crdt.wire.formats import SAVE, SAVE_ITEMS, SAVE_MAGIC, explain

SAVE_VERSION: Final = 2
USE: Final = "use what Replica.save or close returned"


class Saved:
    """The content of a save."""

    __slots__ = ("early", "floor", "group", "expiry_clock", "is_last", "ops", "origin", "state")

    def __init__(
        self, origin: Origin, is_last: bool, expiry_clock: int, state: bytes, ops: list[bytes]
    ) -> None:
        self.origin: Origin = origin
        self.is_last: bool = is_last
        self.expiry_clock: int = expiry_clock
        self.state: bytes = state
        self.ops: list[bytes] = ops
        """The operations of the history, encoded."""
        self.floor: dict[int, int] = {}
        """The vector of the operations that the history no longer holds."""
        self.group: int = 0
        """The slot group whose keys the replica holds."""
        self.early: list[bytes] = []
        """The operations in the causal buffer, encoded."""

    def to_bytes(self) -> bytes:
        """Return everything as one byte string."""
        body = (
            self.origin,
            self.group,
            int(self.is_last),
            self.expiry_clock,
            self.state,
            tuple(self.ops),
            write_vector(self.floor),
            tuple(self.early),
        )
        return codec.pack((SAVE_MAGIC, SAVE_VERSION, codec.pack(body)))


def read_saved(given: object) -> Saved:
    """Read a saved replica. Raises DecodeError, or TypeError if `given` is not bytes."""
    data = expect(given, bytes, USE)
    try:
        return saved_of(data)
    except DecodeError as error:
        raise explain(error, data, SAVE) from None


def saved_of(data: bytes) -> Saved:
    """Read a saved replica from its bytes. Raises DecodeError."""
    try:
        outer = tuple_of(codec.unpack(data), "a saved replica")
    except DecodeError as error:
        raise DecodeError(f"{error}; {USE}") from None
    if len(outer) != SAVE_ITEMS or outer[0] != SAVE_MAGIC:
        raise DecodeError(f"this is not a saved replica: {USE}")
    check_version(outer[1], SAVE_VERSION, "a saved replica")
    body = items_of(codec.unpack(bytes_of(outer[2], "a saved replica")), 8, "a saved replica")
    origin, group, is_last, expiry_clock, state, ops, floor, early = body
    saved = Saved(
        read_origin(origin, "a saved replica's name"),
        integer_of(is_last, "whether a save is the last", 0, 1) == 1,
        integer_of(expiry_clock, "a saved replica's clock", -STAMP_MAX, STAMP_MAX),
        bytes_of(state, "a saved replica's state"),
        encoded(ops),
    )
    saved.group = integer_of(group, "a saved replica's slot group", 0, GROUP_MAX)
    saved.floor = read_vector(floor)
    saved.early = encoded(early)
    return saved


def encoded(items: Any) -> list[bytes]:
    """Return the encoded operations in `items`. Raises DecodeError if one is not valid."""
    found = [bytes_of(item, "a saved operation") for item in tuple_of(items, "saved operations")]
    for data in found:
        op = Op.from_bytes(data)
        integer_of(op.last, "a saved operation's last dot", 1, SEQ_MAX)
    return found
