"""Insert, replace and remove elements of lists."""

from __future__ import annotations

from crdt.store.keyspace import Keyspace
from crdt.structures.blocks import Position
from crdt.types.list import (
    ASSIGN,
    INSERT,
    LIST,
    REMOVE,
    List,
    Place,
    head_place,
    place_between,
    tail_place,
)
from crdt.writes.content_writers import add_content_writer


def held_list(db: Keyspace, key: bytes) -> List | None:
    """Return the list under `key`, live or a tombstone; None without one."""
    if db.is_unsettled:
        db.settle(key)
    held = db.data.get(key)
    if type(held) is not List:
        held = db.remains(key, LIST)
        assert held is None or isinstance(held, List)
    return held


def push(db: Keyspace, key: bytes, place: Place, values: list[bytes]) -> None:
    """Insert `values` next to each other at `place`."""
    parent, k, sign = place
    if len(values) == 1:
        db.emit((LIST, INSERT, key, parent, k, sign, values[0]))
    else:
        db.emit((LIST, INSERT, key, parent, k, sign, *values))


def push_head(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """LPUSH: insert values, one after another, before the first element."""
    push(db, key, head_place(held_list(db, key), db.origin, db.seq + 1), values)


def push_tail(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """RPUSH: insert values, one after another, behind the last element."""
    push(db, key, tail_place(held_list(db, key), db.origin, db.seq + 1), values)


def insert(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LINSERT: put `value` before the element at `index`, or at the tail if there is none."""
    held = held_list(db, key)
    if held is None or index >= held.length():
        push_tail(db, key, [value])
    elif index == 0:
        push_head(db, key, [value])
    else:
        before, after = held.positions(index - 1, index + 1)
        parent, k, sign = place_between(before, after, db.origin, db.seq + 1)
        db.emit((LIST, INSERT, key, parent, k, sign, value))


def assign(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LSET: replace the existing element at `index`. A negative index counts from the end."""
    held = held_list(db, key)
    assert held is not None
    items = held.items
    place = items.locate(index if index >= 0 else index + items.size)
    element = items.thing(place)
    stamp = db.now - db.base if type(element) is bytes else db.stamp(element.stamp)
    db.emit((LIST, ASSIGN, key, stamp, items.position(place), value))


def remove(db: Keyspace, key: bytes, positions: list[Position]) -> None:
    """Remove the elements at these positions (LREM, LTRIM, pops)."""
    if positions:
        db.emit((LIST, REMOVE, key, *positions))


def pop(db: Keyspace, key: bytes, index: int) -> bytes:
    """Remove and return the first (0) or last (-1) element of an existing list (rule LST-4)."""
    held = held_list(db, key)
    assert held is not None
    items = held.items
    place = (index, index, index)
    element = items.thing(place)
    value: bytes = element if type(element) is bytes else element.value
    db.emit((LIST, REMOVE, key, items.position(place)))
    return value


add_content_writer(LIST, push_tail)
