"""Fingerprints, by which two replicas that write under one identity are noticed.

Each operation holds the fingerprint of the previous operation of its origin. So the fingerprint of
an origin's latest operation stands for all of its operations, as a commit of git stands for its
history. Two replicas that have applied the same effects of an origin hold the same fingerprint.

A replica keeps a *trail* for each origin: the fingerprints of the first operation and of the latest
few, each with the sequence number at which the operation ended. Trails travel in snapshots, and the
latest fingerprints in vectors. Where two trails say different things about the same operation, two
replicas have written under one identity.

A part of an operation (see `Op.beyond`) has no fingerprint. A trail is cut where one is applied,
and what is not known is never taken for a contradiction.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from crdt.causality.dots import SEQ_MAX, Origin, Vector, read_origin
from crdt.causality.op import FINGERPRINT_MAX, FRAGMENT, UNKNOWN, Op
from crdt.errors import DecodeError
from crdt.wire.decoding import integer_of, items_of, tuple_of

MARKS_MAX: Final = 8
Mark: TypeAlias = tuple[int, int]
"""The sequence number at which an operation ended, and its fingerprint."""


class Trail:
    """The fingerprints of one origin. `marks` are of consecutive operations, the latest last."""

    __slots__ = ("birth", "marks")

    def __init__(self) -> None:
        self.birth: Mark | None = None
        """The mark of the origin's first operation."""
        self.marks: list[Mark] = []

    def record(self, op: Op) -> None:
        """Note that `op` was made or applied."""
        if op.previous == FRAGMENT or (self.marks and self.marks[-1][0] != op.first - 1):
            self.marks.clear()
        fingerprint = op.fingerprint()
        if fingerprint == UNKNOWN:
            return
        mark = (op.last, fingerprint)
        if op.first == 1 and op.previous == UNKNOWN:
            self.birth = mark
        self.marks.append(mark)
        if len(self.marks) > MARKS_MAX:
            del self.marks[0]

    def copy(self) -> Trail:
        """Return a copy that does not change."""
        twin = Trail()
        twin.birth = self.birth
        twin.marks = self.marks[:]
        return twin

    def fingerprint(self, seq: int) -> int:
        """Return the fingerprint of the operation that ended at `seq`, or UNKNOWN."""
        for last, fingerprint in reversed(self.marks):
            if last <= seq:
                return fingerprint if last == seq else UNKNOWN
        if self.birth is not None and self.birth[0] == seq:
            return self.birth[1]
        return UNKNOWN

    def contradicts(self, other: Trail) -> bool:
        """Return whether the two cannot be of the same operations."""
        if self.birth is not None and other.birth is not None and self.birth != other.birth:
            return True
        if not self.marks or not other.marks:
            return False
        begin = max(self.marks[0][0], other.marks[0][0])
        end = min(self.marks[-1][0], other.marks[-1][0])
        ours = [mark for mark in self.marks if begin <= mark[0] <= end]
        return ours != [mark for mark in other.marks if begin <= mark[0] <= end]


Trails: TypeAlias = dict[Origin, Trail]


def write_trails(trails: Trails, vector: Vector) -> tuple[tuple[Any, ...], ...]:
    """Return the trails of the origins in `vector`, as they stand in a snapshot."""
    written: list[tuple[Any, ...]] = []
    for origin in sorted(trails):
        trail = trails[origin]
        if origin in vector and (trail.birth or trail.marks):
            flat = [number for mark in trail.marks for number in mark]
            written.append((origin, trail.birth or (), flat))
    return tuple(written)


def read_trails(packed: object, vector: Vector) -> Trails:
    """Return what `write_trails` was given. Raises DecodeError."""
    trails: Trails = {}
    for item in tuple_of(packed, "a snapshot's fingerprints"):
        origin, birth, flat = items_of(item, 3, "an origin's fingerprints")
        read_origin(origin, "an origin's fingerprints")
        trail = trails[origin] = Trail()
        if birth != ():
            trail.birth = read_mark(items_of(birth, 2, "a fingerprint"))
        numbers = tuple_of(flat, "fingerprints", 2)
        if len(numbers) > 2 * MARKS_MAX:
            raise DecodeError(f"more than {MARKS_MAX} fingerprints of one origin")
        for index in range(0, len(numbers), 2):
            trail.marks.append(read_mark(numbers[index : index + 2]))
        last = [mark[0] for mark in trail.marks]
        if last != sorted(set(last)) or (last and last[-1] > vector.get(origin, 0)):
            raise DecodeError("fingerprints: expected in order, and up to the snapshot's vector")
    return trails


def read_mark(pair: tuple[Any, ...]) -> Mark:
    """Return a mark. Raises DecodeError."""
    return (
        integer_of(pair[0], "a fingerprint's sequence number", 1, SEQ_MAX),
        integer_of(pair[1], "a fingerprint", 1, FINGERPRINT_MAX),
    )
