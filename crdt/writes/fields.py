"""Write fields of hashes and sorted sets."""

from __future__ import annotations

from typing import Any

from crdt.store.keyspace import Keyspace
from crdt.types.components.fields import ASSIGN, ERASE, REMOVE, RESET, Fields
from crdt.types.components.lone_write import LoneWrite
from crdt.types.components.register import Register


def assign_fields(db: Keyspace, key: bytes, code: int, pairs: list[Any]) -> None:
    """Write fields, given as alternating names and values.

    Fields share one effect and one stamp. A field that holds increments, or a stamp that is not
    before the current time, gets an effect of its own. So a region's fast clock affects only the
    fields that this region wrote.
    """
    if len(pairs) == 2:
        assign_field(db, key, code, pairs[0], pairs[1])
        return
    latest: dict[bytes, Any] = dict(zip(pairs[::2], pairs[1::2], strict=True))
    held = db.remains(key, code)
    if held is None:
        pairs = [item for pair in latest.items() for item in pair]
        db.emit((code, ASSIGN, key, db.now - db.base, *pairs))
        return
    assert isinstance(held, Fields)
    plain: list[Any] = []
    for field, value in latest.items():
        register = held.thing(field)
        if register is None or isinstance(register, LoneWrite):
            if register is None or register.stamp < db.now:
                plain += (field, value)
            else:
                db.emit((code, ASSIGN, key, db.stamp(register.stamp), field, value))
        elif not register.shares and register.stamp < db.now:
            plain += (field, value)
        else:
            stamp = db.stamp(register.shown_stamp())
            resets = register.resets()
            if resets is None:
                db.emit((code, ASSIGN, key, stamp, field, value))
            else:
                db.emit((code, RESET, key, stamp, field, value, resets))
    if plain:
        db.emit((code, ASSIGN, key, db.now - db.base, *plain))


def assign_field(db: Keyspace, key: bytes, code: int, field: bytes, value: Any) -> None:
    """Write one field."""
    held = db.remains(key, code)
    assert held is None or isinstance(held, Fields)
    assign_seen(db, key, held, code, (field, value))


def assign_seen(
    db: Keyspace, key: bytes, held: Fields | None, code: int, pair: tuple[bytes, Any]
) -> bool:
    """Write one field of the visible map `held`. Return whether it is new."""
    field, value = pair
    thing = None if held is None else held.thing(field)
    if thing is None:
        db.emit((code, ASSIGN, key, db.now - db.base, field, value))
        return True
    if isinstance(thing, LoneWrite):
        db.emit((code, ASSIGN, key, db.stamp(thing.stamp), field, value))
        return False
    stamp = db.stamp(thing.shown_stamp())
    resets = thing.resets()
    if resets is None:
        db.emit((code, ASSIGN, key, stamp, field, value))
    else:
        db.emit((code, RESET, key, stamp, field, value, resets))
    return False


def remove_fields(db: Keyspace, key: bytes, code: int, fields: list[bytes]) -> int:
    """Remove fields. Return the number of fields that existed."""
    held = db.remains(key, code)
    if held is None:
        return 0
    assert isinstance(held, Fields)
    present = 0
    plain: list[bytes] = []
    for field in dict.fromkeys(fields):
        thing = held.thing(field)
        if thing is not None:
            present += 1
            resets = thing.resets() if isinstance(thing, Register) else None
            if resets is None:
                plain.append(field)
            else:
                db.emit((code, ERASE, key, field, resets))
    if plain:
        db.emit((code, REMOVE, key, *plain))
    return present


def remains_of(db: Keyspace, key: bytes, code: int, field: bytes) -> Register | None:
    """Return the register of a field, live or a tombstone; None without one."""
    held = db.remains(key, code)
    if held is None:
        return None
    assert isinstance(held, Fields)
    return held.held(field)
