"""The last uses of keys, and random keys: what the choice of keys to evict needs."""

from __future__ import annotations

from typing import Any

from crdt.store.key_table import KeyTable
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.folded_string import second_of


def read_use(db: KeyTable, key: bytes) -> int | None:
    """Return what is stored for the last use of a key that holds a value, expired or not: the
    second, or where uses are counted, their word. None for other keys."""
    if db.is_unsettled:
        db.settle(key)
    entry: Any = db.data.entry(key)
    if entry is None:
        return None
    return second_of(entry) if type(entry) is bytes else shown_value(entry).accessed


def store_use(db: KeyTable, key: bytes, word: int) -> None:
    """Store a word, or a second, for the last use of `key`, if it holds a value."""
    entry: Any = db.data.entry(key)
    if type(entry) is bytes:
        db.data.replace_folded(key, db.folder.used(entry, word))
    elif entry is not None:
        shown_value(entry).accessed = word
        if not db.data.shares(entry):
            db.data.put(key, entry)


def shown_value(entry: Value) -> Value:
    """Return the value that readers see."""
    return entry.shown() if type(entry) is Contested else entry


def settled_keys_from(db: KeyTable, cursor: int, *, timed: bool) -> tuple[int, list[bytes]]:
    """Return the next cursor and the settled keys of one part of the table, or of the table of
    deadlines. The first and the last cursor is 0."""
    return (db.deadlines.table if timed else db.data.index).walk(cursor)
