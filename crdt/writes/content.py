"""Write the content of one key to another: RENAME, COPY and the commands that store a result.

A copy is new content: its elements get new dots, and a counter is copied as a plain number.
Concurrent changes of the old key therefore stay with the old key. Concurrent additions to the new
key merge with the copy (rule KEY-8, D-09). Writing a whole value removes the time to live that the
key had, even if a concurrent change prolongs it (D-10).
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.effect import LONG_ITEMS, weight
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.list import LIST
from crdt.types.string import STRING, String
from crdt.writes import string
from crdt.writes.content_writers import CONTENT_WRITERS

RUN_MAX: Final = 1000
"""The largest number of items in one effect. A field and its value are two items."""


def type_name(db: Keyspace, value: Value | None) -> bytes:
    """Return the type name of a value, as the command TYPE replies it."""
    if value is None:
        return b"none"
    name = db.types.definition(value).redis_name
    return b"custom" if name is None else name


def is_copyable(db: Keyspace, value: Value) -> bool:
    """Return whether `copy` can write the content of `value` to another key."""
    code = value.code()
    is_writable = code == STRING or code in CONTENT_WRITERS
    return is_writable and db.types.definition(value).content is not None


def copy(db: Keyspace, value: Value, key: bytes, deadline: int | None) -> None:
    """Replace the content of `key` by a copy of `value`, which expires at `deadline`. The value
    must be copyable."""
    content = db.types.definition(value).content
    assert content is not None, "ask `is_copyable` first"
    put(db, key, value.code(), content(value), deadline)
    if isinstance(value, String) and (value.is_raw or value.is_text):
        string.mark(db, key, is_raw=value.is_raw)


def put_list(db: Keyspace, key: bytes, items: list[bytes]) -> None:
    """Replace the content of `key` by a non-empty list without a time to live."""
    put(db, key, LIST, items, None)


def put(db: Keyspace, key: bytes, code: int, content: list[Any], deadline: int | None) -> None:
    """Replace the content of `key` by `content`, which is not empty.

    It expires at `deadline`, in ms of wall clock, or never if that is None.
    """
    if code == STRING:
        string.assign(db, key, content[0])
        if deadline is not None:
            db.expire(key, deadline)
        return
    db.delete(key)
    if len(content) <= LONG_ITEMS:
        # `emit` counts the bytes of effects with more items itself.
        db.outbox_bytes += weight(tuple(content))
    for start in range(0, len(content), RUN_MAX):
        CONTENT_WRITERS[code](db, key, content[start : start + RUN_MAX])
    db.expire(key, deadline)
