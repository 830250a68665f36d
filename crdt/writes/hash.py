"""Write fields of hashes."""

from __future__ import annotations

from typing import Any

from crdt.causality.schema import FOREVER
from crdt.errors import NotANumber
from crdt.numbers.long_double import LongDouble
from crdt.numbers.number import Number, check_range, portable
from crdt.store.keyspace import Keyspace
from crdt.types.components.counter import next_sum
from crdt.types.components.fields import ADD
from crdt.types.components.register import Register
from crdt.types.hash import EXPIRE_FIELDS, HASH, Hash
from crdt.types.string import String
from crdt.writes.content_writers import add_content_writer
from crdt.writes.fields import assign_fields, assign_seen, remains_of, remove_fields


def assign(db: Keyspace, key: bytes, pairs: list[bytes]) -> None:
    """HSET: write fields, given as alternating names and values. They do not expire afterwards."""
    clear_remnants(db, key, pairs[::2])
    assign_fields(db, key, HASH, pairs)


def assign_one(db: Keyspace, key: bytes, held: Hash | None, field: bytes, value: bytes) -> bool:
    """HSET: write one field of the visible hash. Return whether it is new."""
    if held is None or held.timers is not None:
        clear_remnants(db, key, [field])
    return assign_seen(db, key, held, HASH, (field, value))


def remove(db: Keyspace, key: bytes, fields: list[bytes]) -> int:
    """HDEL: remove fields. Return the number of fields that existed."""
    return remove_fields(db, key, HASH, fields)


def expire(db: Keyspace, key: bytes, fields: list[bytes], deadline: int | None) -> None:
    """HPEXPIREAT: set the deadline of existing fields, in ms of wall clock. None ends it
    (HPERSIST)."""
    db.emit((HASH, EXPIRE_FIELDS, key, FOREVER if deadline is None else deadline, *fields))


def remnants(db: Keyspace, key: bytes, fields: list[bytes]) -> list[bytes]:
    """Return those of these fields that are not visible and yet have deadlines."""
    held = db.remains(key, HASH)
    return held.remnants(fields) if isinstance(held, Hash) else []


def clear_remnants(db: Keyspace, key: bytes, fields: list[bytes]) -> None:
    """Remove what is left of fields that have expired, before they are written (EXP-6)."""
    held = db.remains(key, HASH)
    if isinstance(held, Hash) and held.timers is not None:
        for effect in held.removals_of(key, held.remnants(dict.fromkeys(fields))):
            db.emit(effect)


def increment(db: Keyspace, key: bytes, field: bytes, delta: int) -> int:
    """HINCRBY: add `delta` to a field. Return its new value.

    Raises NotANumber if the field does not hold an integer. Raises CounterOverflow if the result
    needs more than 59 bits, unless it is closer to 0 than before. Nothing is changed then.
    """
    clear_remnants(db, key, [field])
    held = remains_of(db, key, HASH, field)
    before = 0
    if held is not None and held.is_live():
        assert isinstance(held, String)
        number = held.integer()
        if number is None:
            raise NotANumber("hash value is not an integer")
        before = number
    result = before + delta
    check_range(result, before)
    add_to(db, key, field, held, delta)
    return result


def increment_decimal(db: Keyspace, key: bytes, field: bytes, delta: LongDouble) -> bytes:
    """HINCRBYFLOAT: add `delta` to a field. Return its new value as text. Raises NotANumber if the
    field does not hold a number."""
    clear_remnants(db, key, [field])
    held = remains_of(db, key, HASH, field)
    if held is None:
        text, difference = String().increased(delta)
    else:
        assert isinstance(held, String)
        text, difference = held.increased(delta)
    if text is None:
        raise NotANumber("hash value is not a float")
    add_to(db, key, field, held, difference)
    return text


def add_to(db: Keyspace, key: bytes, field: bytes, held: Register | None, delta: Number) -> None:
    """Emit the increment of a field that holds `held`. The caller has checked the range."""
    birth, amount = db.seq + 1, delta
    if held is not None:
        birth, amount = next_sum(held.shares, db.origin, birth, delta)
    db.emit((HASH, ADD, key, field, birth, portable(amount)))


def write_content(db: Keyspace, key: bytes, pairs: list[Any]) -> None:
    """Write fields, given as alternating names and values. A value may be a pair of its text and
    the field's deadline."""
    flat: list[Any] = list(pairs)
    expiring: dict[int, list[bytes]] = {}
    for index in range(1, len(flat), 2):
        item = flat[index]
        if not isinstance(item, bytes):
            text, deadline = item
            flat[index] = text
            expiring.setdefault(deadline, []).append(flat[index - 1])
    assign(db, key, flat)
    for deadline, fields in expiring.items():
        expire(db, key, fields, deadline)


add_content_writer(HASH, write_content)
