"""Assign, edit and increment strings."""

from __future__ import annotations

from typing import Final

from crdt.causality.dots import SEQ_BITS
from crdt.causality.effect import LARGE_BYTES, Effect
from crdt.errors import NotANumber
from crdt.numbers.long_double import LongDouble
from crdt.numbers.number import (
    Number,
    add,
    check_range,
    integer_of,
    portable,
)
from crdt.store.keyspace import JOINED_BYTES_MAX, Keyspace
from crdt.structures.large_text import overwritten
from crdt.types.base import Value
from crdt.types.components.counter import next_sum, share_of
from crdt.types.folded_string import (
    FOLDED_BYTES_MAX,
    dot_of,
    is_counter,
    stamp_of,
    sum_of,
    value_of,
)
from crdt.types.string import ADD, EDIT, KEEP, REBASE, SET, STRING, String

WHOLE_BYTES_MAX: Final = 4096
"""A string up to this size is sent as a whole when a part of it changes."""


def assign(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool = False) -> None:
    """SET: replace the observed content of `key`, of any type, by `value`."""
    if db.is_unsettled:
        db.settle(key)
    entry = db.data.entry(key)
    if len(value) <= LARGE_BYTES and not keep_ttl and db.is_quiet(key):
        if type(entry) is bytes:
            if not is_counter(entry):
                assign_lone(db, key, None, db.stamp(stamp_of(entry)), value)
                return
        elif entry is None:
            if not db.tombstones.index:
                assign_lone(db, key, None, db.now - db.base, value)
                return
        elif type(entry) is String and entry.is_lone():
            assign_lone(db, key, entry, db.stamp(entry.stamp), value)
            return
    found: Value | None = value_of(entry)
    stamp = db.now - db.base
    resets: object = None
    held: String | None = None
    if found is not None:
        held = found if type(found) is String else sole_string(db, key)
        if held is None:
            assign_anew(db, key, value, keep_ttl)
            return
        stamp = db.stamp(held.shown_stamp())
        if held.shares:
            resets = held.resets()
    operation = KEEP if keep_ttl else SET
    if resets is None:
        effect: Effect = (STRING, operation, key, stamp, value)
        if len(value) <= LARGE_BYTES or held is None or not db.rewrite(held, effect):
            db.emit(effect)
    else:
        db.emit((STRING, operation, key, stamp, value, resets))


def assign_lone(db: Keyspace, key: bytes, held: String | None, stamp: int, value: bytes) -> None:
    """SET of a key that is quiet, and holds nothing or one write. `held` is the write if it is not
    folded."""
    effect: Effect = (STRING, SET, key, stamp, value)
    dot = db.record(effect)
    try:
        if len(value) <= FOLDED_BYTES_MAX:
            db.data.replace_folded(key, db.folder.write(dot, db.base + stamp, db.second, value))
        else:
            held = held or String()
            held.set_lone(dot, db.base + stamp, value, db.second)
            db.data.put(key, held)
    except MemoryError:
        db.complete(effect)


def edit(
    db: Keyspace, key: bytes, offset: int, patch: bytes, whole_bytes_max: int = WHOLE_BYTES_MAX
) -> int:
    """APPEND and SETRANGE: write `patch` at `offset`, and zeros before it where nothing is. Return
    the new length. The time to live is kept.

    The effect is a write of the whole resulting value (rule STR-4). If the value is long, only the
    change is sent (see `crdt.types.string`).
    """
    held = sole_string(db, key)
    shown = db.lookup(key) if held is None else held
    assert shown is None or isinstance(shown, String), "callers refuse other types"
    result = max(0 if shown is None else shown.size(), offset + len(patch))
    is_contested = shown is not held
    if result <= whole_bytes_max or is_contested or (held is not None and held.shares):
        assign(db, key, overwritten(b"" if shown is None else shown.read(), offset, patch), True)
        return result
    if held is not None and held.dot >> SEQ_BITS == db.origin and held.large_text() is not None:
        effect: Effect = (STRING, EDIT, key, db.stamp(held.stamp), offset, patch)
        if not db.join_edit(held, effect):
            db.emit(effect)
        return result
    text = b"" if held is None else held.read()
    if len(patch) > JOINED_BYTES_MAX:
        text, offset, patch = overwritten(text, offset, patch), result, b""
    stamp = db.now - db.base if held is None else db.stamp(held.shown_stamp())
    db.emit((STRING, REBASE, key, stamp, offset, patch, text))
    return result


def mark(db: Keyspace, key: bytes, *, is_raw: bool) -> None:
    """Record the encoding that Redis would use for a string just written, for OBJECT ENCODING.

    In Redis, changes in place leave the encoding raw, and INCRBYFLOAT leaves a text even if that is
    an integer. The record is local. It is not replicated.
    """
    held = sole_string(db, key)
    if held is not None:
        held.is_raw, held.is_text = is_raw, not is_raw
        db.put_part(key, held)


def sole_string(db: Keyspace, key: bytes) -> String | None:
    """Return the string under `key` if no other live value is there. Tombstones of other types do
    not count: readers see nothing of them, so no write may depend on them."""
    if db.is_unsettled:
        db.settle(key)
    held = db.data.get(key)
    if type(held) is String:
        return held
    parts = db.live_parts(key)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], String) else None


def assign_anew(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool) -> None:
    """SET over a value of another type, or of several types. Remove it, and keep the time to live
    if `keep_ttl`."""
    deadline = db.deadline(key) if keep_ttl else None
    db.delete(key)
    db.emit((STRING, SET, key, db.now - db.base, value))
    if deadline is not None:
        db.expire(key, deadline)


def increment(db: Keyspace, key: bytes, delta: int, held: String | None = None) -> int:
    """INCRBY: add `delta`. Return the new value. `held` is the string under `key` if known.

    Raises NotANumber if the key does not hold an integer. Raises CounterOverflow if the result
    needs more than 59 bits, unless it is closer to 0 than before. Nothing is changed then.
    """
    if held is None:
        held = held_string(db, key)
    before = 0 if held is None else integer_of(held.integer())
    result = before + delta
    check_range(result, before)
    add_to(db, key, held, delta)
    return result


def increment_counted(db: Keyspace, key: bytes, delta: int) -> int | None:
    """INCRBY of a key that holds increments of this origin and that nobody watches. Return the new
    value, or None, with nothing changed, for any other key.

    The result and the errors are those of `increment`.
    """
    if db.is_unsettled:
        db.settle(key)
    entry = db.data.entry(key)
    if type(entry) is bytes:
        if dot_of(entry) >> SEQ_BITS != db.origin or not is_counter(entry) or not db.is_quiet(key):
            return None
        before = sum_of(entry)
        result = before + delta
        check_range(result, before)
        effect: Effect = (STRING, ADD, key, stamp_of(entry), result)
        dot = db.record(effect)
        try:
            counted = db.folder.counter(dot, stamp_of(entry), db.second, result)
            db.data.replace_folded(key, counted)
        except MemoryError:
            db.complete(effect)
        return result
    if type(entry) is String and entry.shares and db.is_quiet(key):
        return increment_share(db, key, delta, entry)
    return None


def increment_share(db: Keyspace, key: bytes, delta: int, held: String) -> int | None:
    """INCRBY of a quiet key that holds increments of several origins, or a write and increments.
    Return the new value, or None, with nothing changed, if this origin has no increment there."""
    share = share_of(held.shares, db.origin)
    if share is None or share.seq <= share.reset_seq:
        return None
    before = held.integer()
    if before is None:
        return None
    result = before + delta
    check_range(result, before)
    amount = portable(add(share.sum, delta))
    db.record((STRING, ADD, key, share.birth, amount))
    share.seq = db.seq
    share.sum = amount
    held.is_raw = held.is_text = False
    held.accessed = db.second
    db.data.put(key, held)
    return result


def increment_decimal(db: Keyspace, key: bytes, delta: LongDouble) -> bytes:
    """INCRBYFLOAT: add `delta`. Return the new value as text. Raises NotANumber if the key does not
    hold a number."""
    held = held_string(db, key)
    text, difference = (String() if held is None else held).increased(delta)
    if text is None:
        raise NotANumber("value is not a valid float")
    add_to(db, key, held, difference)
    return text


def held_string(db: Keyspace, key: bytes) -> String | None:
    """Return the string under `key`, live or a tombstone; None without one."""
    held = db.remains(key, STRING)
    assert held is None or isinstance(held, String)
    return held


def add_to(db: Keyspace, key: bytes, held: String | None, delta: Number) -> None:
    """Emit the increment. The caller has checked the range."""
    birth, amount = db.seq + 1, delta
    if held is not None and held.shares:
        birth, amount = next_sum(held.shares, db.origin, birth, delta)
    db.emit((STRING, ADD, key, birth, portable(amount)))
