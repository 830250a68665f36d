"""What a key holds, taken out and written anew: RENAME, COPY and the commands that store a result.

A copy is new content: its elements get new dots, and a counter becomes the number that it shows.
So the old key's concurrent changes stay with the old key, and what others add to the new one at
the same time merges with the copy (rule KEY-8, D-09). Writing a whole value ends the time to live
that the key had, also where a concurrent change would prolong it (D-10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crdt.causality.effect import LONG_ITEMS, weight
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.hash import HASH
from crdt.types.list import LIST
from crdt.types.set import SET_TYPE
from crdt.types.sorted_set import ZSET
from crdt.types.string import STRING, String
from crdt.writes import hash as hashes
from crdt.writes import list as lists
from crdt.writes import set as sets
from crdt.writes import sorted_set as zset
from crdt.writes import string

RUN_MAX: Final = 8192
"""Items written in one effect, a field and its value being two: no effect grows without bound."""

WRITERS: Final[dict[int, Callable[[Keyspace, bytes, list[Any]], None]]] = {
    SET_TYPE: sets.add,
    HASH: hashes.assign,
    ZSET: zset.assign,
    LIST: lists.push_tail,
}


def type_name(db: Keyspace, value: Value | None) -> bytes:
    """Return the reply of TYPE."""
    if value is None:
        return b"none"
    name = db.types.definition(value).redis_name
    return b"custom" if name is None else name


def copy(db: Keyspace, value: Value, key: bytes, deadline: int | None) -> None:
    """Let `key` hold a copy of a value of the same keyspace, until `deadline`."""
    content = db.types.definition(value).content
    assert content is not None, "commands copy only types that define their content"
    put(db, key, value.code(), content(value), deadline)
    if isinstance(value, String) and (value.is_raw or value.is_text):
        string.mark(db, key, is_raw=value.is_raw)


def put_list(db: Keyspace, key: bytes, items: list[bytes]) -> None:
    """Let `key` hold exactly this list, which is not empty, without a time to live."""
    put(db, key, LIST, items, None)


def put(db: Keyspace, key: bytes, code: int, content: list[Any], deadline: int | None) -> None:
    """Let `key` hold exactly `content`, not empty, until `deadline` (ms; None is for ever)."""
    if code == STRING:
        string.assign(db, key, content[0])
        if deadline is not None:
            db.expire(key, deadline)
        return
    db.delete(key)
    if len(content) <= LONG_ITEMS:
        # An effect of more items is weighed as it is made.
        db.outbox_bytes += weight(tuple(content))
    for start in range(0, len(content), RUN_MAX):
        WRITERS[code](db, key, content[start : start + RUN_MAX])
    db.expire(key, deadline)
