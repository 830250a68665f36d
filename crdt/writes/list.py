"""Insert, replace and remove elements of lists."""

from __future__ import annotations

from typing import Final

from crdt.store.keyspace import Keyspace
from crdt.structures.blocks import FIRST, LAST
from crdt.structures.runs import INDEX_MAX
from crdt.types.components.list_elements import LIST, REMOVE, Span, position_of
from crdt.types.list import ASSIGN, INSERT, List
from crdt.writes.content_writers import add_content_writer
from crdt.writes.list_places import InsertPlace, head_place, place_between, tail_place

PUSH_MAX: Final = INDEX_MAX + 1
"""The elements that one effect can insert."""


def held_list(db: Keyspace, key: bytes) -> List | None:
    """Return the list under `key`, live or a tombstone; None without one."""
    if db.is_unsettled:
        db.settle(key)
    held = db.data.get(key)
    if type(held) is not List:
        held = db.remains(key, LIST)
        assert held is None or isinstance(held, List)
    return held


def push(db: Keyspace, key: bytes, place: InsertPlace, values: list[bytes]) -> None:
    """Insert `values` next to each other at `place`."""
    parent, k, sign = place
    if len(values) == 1:
        db.emit((LIST, INSERT, key, parent, k, sign, values[0]))
    else:
        db.emit((LIST, INSERT, key, parent, k, sign, *values))


def push_head(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """LPUSH: insert values, one after another, before the first element."""
    if len(values) > PUSH_MAX:
        for start in range(0, len(values), PUSH_MAX):
            push_head(db, key, values[start : start + PUSH_MAX])
    else:
        push(db, key, head_place(held_list(db, key), db.origin, db.seq + 1), values)


def push_tail(db: Keyspace, key: bytes, values: list[bytes]) -> None:
    """RPUSH: insert values, one after another, behind the last element."""
    if len(values) > PUSH_MAX:
        for start in range(0, len(values), PUSH_MAX):
            push_tail(db, key, values[start : start + PUSH_MAX])
    else:
        push(db, key, tail_place(held_list(db, key), db.origin, db.seq + 1), values)


def insert(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LINSERT: put `value` before the element at `index`, or at the tail if there is none."""
    held = held_list(db, key)
    if held is None or index >= held.length():
        push_tail(db, key, [value])
    elif index == 0:
        push_head(db, key, [value])
    else:
        place, k, sign = place_between(held, index, db.origin, db.seq + 1)
        db.emit((LIST, INSERT, key, place, k, sign, value))


def assign(db: Keyspace, key: bytes, index: int, value: bytes) -> None:
    """LSET: replace the existing element at `index`. A negative index counts from the end."""
    held = held_list(db, key)
    assert held is not None
    items = held.items
    place = items.locate(index if index >= 0 else index + items.size)
    element = items.thing(place)
    stamp = db.now - db.base if type(element) is bytes else db.stamp(element.stamp)
    position = position_of(items.run(place), items.key(place))
    db.emit((LIST, ASSIGN, key, stamp, position, value))


def remove_range(db: Keyspace, key: bytes, start: int, stop: int) -> None:
    """Remove the elements with `start` <= index < `stop` (LTRIM, pops)."""
    held = held_list(db, key)
    if held is not None:
        remove(db, key, held.spans(start, stop))


def remove_at(db: Keyspace, key: bytes, indexes: list[int]) -> None:
    """Remove the elements at some ascending indexes (LREM)."""
    held = held_list(db, key)
    if held is not None:
        remove(db, key, held.spans_at(indexes))


def remove(db: Keyspace, key: bytes, spans: list[Span]) -> None:
    """Remove the elements that these spans name."""
    if spans:
        db.emit((LIST, REMOVE, key, *spans))


def pop(db: Keyspace, key: bytes, index: int) -> bytes:
    """Remove and return the first (0) or last (-1) element of an existing list (rule LST-4)."""
    held = held_list(db, key)
    assert held is not None
    items = held.items
    block = items.block(FIRST if index == 0 else LAST)
    element = block.things[index]
    value: bytes = element if type(element) is bytes else element.value
    db.emit((LIST, REMOVE, key, position_of(block.runs[index], block.keys[index])))
    return value


add_content_writer(LIST, push_tail)
