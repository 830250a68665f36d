"""Merging one key: both sides' values and deadlines, by one rule.

A dot stays if both sides hold it, or if one side holds it and the other side's vector does not
cover it (rule ORD-4; Almeida, Shoker and Baquero, "Delta State Replicated Data Types", 2018).
"""

from __future__ import annotations

from collections.abc import Iterator

from crdt.causality.dots import Vector, covers
from crdt.causality.effect import ANY_TYPE, DELETE
from crdt.causality.schema import FOREVER
from crdt.store.mutable_key_table import MutableKeyTable
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.components.register import Register, plain_register


class MergedVectors:
    """The vectors of both sides of a merge, as they were before it."""

    __slots__ = ("mine", "second", "theirs")

    def __init__(self, mine: Vector, theirs: Vector, second: int) -> None:
        self.mine: Vector = mine
        self.theirs: Vector = theirs
        self.second: int = second
        """The time of the merge in seconds. A value that changes counts as used then."""


def merge_key(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    vectors: MergedVectors,
) -> None:
    """Merge what another replica holds under `key` into `db`."""
    if not vectors.mine:
        adopt_key(db, key, given, deadlines, vectors.second)
    elif not merge_plain(db, key, given, deadlines, vectors):
        merge_any(db, key, given, deadlines, vectors)


def adopt_key(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    second: int,
) -> None:
    """Store what another replica holds under `key`. At the merge, `db` had not seen anything."""
    if db.readers:
        db.warn_readers(key)
    if given is not None:
        place(db, key, given, second)
    if deadlines:
        db.deadlines.put(key, deadlines)
        db.garbage[key] = None
    if key in db.watched_keys and db.lookup(key) is not None:
        db.dirty_keys.append(key)


def merge_plain(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    vectors: MergedVectors,
) -> bool:
    """Merge a key that is a lone string write without deadlines on one side or on both.

    Most keys are of this kind. Return False, with nothing changed, if `key` is not, or if both
    sides' writes stay.
    """
    held = db.data.get(key)
    if deadlines or key in db.deadlines.table or key in db.tombstones.index:
        return False
    code = db.types.plain_code
    ours = None if held is None else plain_register(held, code)
    other = None if given is None else plain_register(given, code)
    if (held is not None and ours is None) or (given is not None and other is None):
        return False
    mine = 0 if ours is None else ours.dot
    theirs = 0 if other is None else other.dot
    if mine == theirs:
        return ours is None or other is None or ours.no_expiry == other.no_expiry
    keep = mine != 0 and not covers(vectors.theirs, mine)
    take = theirs != 0 and not covers(vectors.mine, theirs)
    if keep:
        return not take
    if take or held is not None:
        if db.readers:
            db.warn_readers(key)
        before = db.visible_state((ANY_TYPE, DELETE, key)) if key in db.watched_keys else None
        if take:
            assert given is not None
            place(db, key, given, vectors.second)
        else:
            db.data.drop(key)
        if key in db.watched_keys and db.visible_state((ANY_TYPE, DELETE, key)) != before:
            db.dirty_keys.append(key)
    return True


def merge_any(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    vectors: MergedVectors,
) -> None:
    """Merge both sides' values and deadlines of a key of any kind."""
    merge = begin_merge(db, key, given, deadlines, vectors)
    if merge is not None:
        for code in merge.codes():
            value = merge.ours[code]
            value.merge(merge.others[code], vectors.mine, vectors.theirs)
        merge.end()


def merge_in_slices(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    vectors: MergedVectors,
) -> Iterator[None]:
    """Merge a large key like `merge_key`, but yield after each slice. Nothing else may touch the
    key until the iterator has ended."""
    if not vectors.mine:
        adopt_key(db, key, given, deadlines, vectors.second)
        return
    merge = begin_merge(db, key, given, deadlines, vectors)
    if merge is not None:
        for code in merge.codes():
            value = merge.ours[code]
            yield from value.merge_in_slices(merge.others[code], vectors.mine, vectors.theirs)
        merge.end()


class KeyMerge:
    """The merge of both sides' values of one key, type by type."""

    __slots__ = ("before", "db", "key", "others", "ours", "second")

    def __init__(self, db: MutableKeyTable, key: bytes, second: int) -> None:
        self.db: MutableKeyTable = db
        self.key: bytes = key
        self.second: int = second
        self.before: object = None
        """The state that readers saw of a watched key."""
        self.ours: dict[int, Value] = {}
        self.others: dict[int, Value] = {}

    def take(self, held: Value | None, given: Value | None) -> None:
        """Take both sides' values. Each side gets an empty value of the types that it lacks."""
        makers = self.db.types.makers
        ours, others = parts_by_code(held), parts_by_code(given)
        for code in sorted(ours.keys() | others.keys()):
            self.ours[code] = ours.get(code) or makers[code]()
            self.others[code] = others.get(code) or makers[code]()

    def codes(self) -> list[int]:
        """Return the codes of the types, in order."""
        return list(self.ours)

    def end(self) -> None:
        """Store the merged values, and note a change of a watched key."""
        db, key = self.db, self.key
        merged = self.result()
        if merged is None:
            db.data.drop(key)
            db.tombstones.drop(key)
            db.traced.pop(key)
        else:
            place(db, key, merged, self.second)
            db.compact_deadline(key)
        if key in db.deadlines.table:
            db.garbage[key] = None
        if key in db.watched_keys:
            if db.visible_state((ANY_TYPE, DELETE, key)) != self.before:
                db.dirty_keys.append(key)
        for value in (*self.ours.values(), *self.others.values()):
            dropped = value.take_dropped()
            if dropped is not None:
                db.discard(dropped)
        for value in self.others.values():
            left = value.take_content()
            if left is not None:
                db.discard(left)

    def result(self) -> Value | None:
        """Return the merged values as the content of the key, None if nothing is left."""
        contested = Contested()
        for code, value in self.ours.items():
            if not value.is_empty():
                contested.parts[code] = value
        if not contested.parts:
            return None
        if len(contested.parts) > 1:
            return contested
        return next(iter(contested.parts.values()))


def begin_merge(
    db: MutableKeyTable,
    key: bytes,
    given: Value | None,
    deadlines: tuple[int, ...],
    vectors: MergedVectors,
) -> KeyMerge | None:
    """Merge the deadlines of a key. Return what merges its values; None if both sides are
    alike."""
    held = db.data.get(key)
    if held is None:
        held = db.tombstones.get(key)
    if deadlines == db.deadlines.siblings(key) and are_alike(held, given):
        return None
    if db.readers:
        db.warn_readers(key)
    merge = KeyMerge(db, key, vectors.second)
    if key in db.watched_keys:
        merge.before = db.visible_state((ANY_TYPE, DELETE, key))
    materialise_deadline(db, key, held)
    deadlines = with_flag(db, given, deadlines)
    db.deadlines.merge(key, deadlines, vectors.mine, vectors.theirs)
    merge.take(held, given)
    return merge


def are_alike(held: Value | None, given: Value | None) -> bool:
    """Return whether both sides hold an equal value. This is faster than a merge."""
    if held is None or given is None or type(held) is not type(given):
        return False
    return held.equals(given)


def materialise_deadline(db: MutableKeyTable, key: bytes, held: Value | None) -> None:
    """Replace the flag `no_expiry` of the held lone write by the deadline that it encodes."""
    part = held.parts.get(db.types.plain_code) if isinstance(held, Contested) else held
    if isinstance(part, Register) and part.no_expiry:
        db.materialise_deadline(key, part)


def with_flag(
    db: MutableKeyTable, given: Value | None, deadlines: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the other side's deadlines, with the one that its flag `no_expiry` encodes."""
    part = given.parts.get(db.types.plain_code) if isinstance(given, Contested) else given
    if isinstance(part, Register) and part.no_expiry:
        part.no_expiry = False
        return (*deadlines, part.dot, FOREVER)
    return deadlines


def parts_by_code(value: Value | None) -> dict[int, Value]:
    """Return the typed values in a key's value, by type code."""
    if value is None:
        return {}
    return value.parts if isinstance(value, Contested) else {value.code(): value}


def place(db: MutableKeyTable, key: bytes, value: Value, second: int) -> None:
    """Store a merged value in `data` or, if it is not live, in `tombstones`."""
    value.accessed = second
    if isinstance(value, Contested):
        for part in value.parts.values():
            part.accessed = second
    db.retire(key, value)
