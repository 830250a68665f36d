"""Assign and increment strings."""

from __future__ import annotations

from crdt.causality.effect import LARGE_BYTES, Effect
from crdt.errors import NotANumber
from crdt.numbers.long_double import LongDouble
from crdt.numbers.number import (
    Number,
    check_range,
    integer_of,
    portable,
)
from crdt.store.keyspace import Keyspace
from crdt.types.counter import next_sum
from crdt.types.string import ADD, KEEP, SET, STRING, String


def assign(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool = False) -> None:
    """SET: `value` replaces what was observed, whatever its type was."""
    held = db.data.get(key)
    stamp = db.now - db.base
    resets: object = None
    if held is not None:
        if type(held) is not String:
            assign_anew(db, key, value, keep_ttl)
            return
        stamp = db.stamp(held.stamp)
        if held.shares:
            resets = held.resets()
    operation = KEEP if keep_ttl else SET
    if resets is None:
        effect: Effect = (STRING, operation, key, stamp, value)
        if len(value) <= LARGE_BYTES or held is None or not db.rewrite(held, effect):
            db.emit(effect)
    else:
        db.emit((STRING, operation, key, stamp, value, resets))


def mark(db: Keyspace, key: bytes, *, is_raw: bool) -> None:
    """Note how Redis would keep a string that this region has just written, for OBJECT ENCODING.

    Changes in place leave it raw, and INCRBYFLOAT leaves a text even if that is an integer. Other
    regions do not learn this.
    """
    held = db.data.get(key)
    if type(held) is String:
        held.is_raw, held.is_text = is_raw, not is_raw
        db.data.put(key, held)


def assign_anew(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool) -> None:
    """SET over another type, or over several at once: those go, a time to live may stay."""
    deadline = db.deadline(key) if keep_ttl else None
    db.delete(key)
    db.emit((STRING, SET, key, db.now - db.base, value))
    if deadline is not None:
        db.expire(key, deadline)


def increment(db: Keyspace, key: bytes, delta: int, held: String | None = None) -> int:
    """INCRBY: the value afterwards. `held` is the string under `key`, if the caller knows it.

    Raises NotANumber if the key holds something else than an integer, CounterOverflow if the result
    is beyond 59 bits of magnitude and not nearer to them; nothing is changed then.
    """
    if held is None:
        held = held_string(db, key)
    before = 0 if held is None else integer_of(held.integer())
    result = before + delta
    check_range(result, before)
    add_to(db, key, held, delta)
    return result


def increment_decimal(db: Keyspace, key: bytes, delta: LongDouble) -> bytes:
    """INCRBYFLOAT: the value afterwards, as text. Raises NotANumber if there is no number."""
    held = held_string(db, key)
    text, difference = (String() if held is None else held).increased(delta)
    if text is None:
        raise NotANumber("value is not a valid float")
    add_to(db, key, held, difference)
    return text


def held_string(db: Keyspace, key: bytes) -> String | None:
    """The string under `key`, alive or remembered."""
    held = db.remains(key, STRING)
    assert held is None or isinstance(held, String)
    return held


def add_to(db: Keyspace, key: bytes, held: String | None, delta: Number) -> None:
    """Make the increment, known to be allowed."""
    birth, amount = db.seq + 1, delta
    if held is not None and held.shares:
        birth, amount = next_sum(held.shares, db.origin, birth, delta)
    db.emit((STRING, ADD, key, birth, portable(amount)))
