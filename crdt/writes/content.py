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
from crdt.types.registry import BY_CODE
from crdt.types.set import SET_TYPE
from crdt.types.sorted_set import ZSET
from crdt.types.string import STRING
from crdt.writes import hash as hashes
from crdt.writes import list as lists
from crdt.writes import set as sets
from crdt.writes import sorted_set as zset
from crdt.writes import string

TYPE_NAMES: Final[dict[int, bytes]] = {
    code: each.redis_name for code, each in BY_CODE.items() if each.redis_name is not None
}
"""The names of the types that commands of Redis serve, by code."""

RUN_MAX: Final = 8192
"""Items written in one effect, a field and its value being two: no effect grows without bound."""

WRITERS: Final[dict[int, Callable[[Keyspace, bytes, list[Any]], None]]] = {
    SET_TYPE: sets.add,
    HASH: hashes.assign,
    ZSET: zset.assign,
    LIST: lists.push_tail,
}


def type_name(value: Value | None) -> bytes:
    """What TYPE replies."""
    return b"none" if value is None else TYPE_NAMES[value.code()]


def content_of(value: Value) -> list[Any]:
    """Everything that readers see of a value, in the form that its write function takes."""
    content = BY_CODE[value.code()].content
    assert content is not None, "commands copy only types that define their content"
    return content(value)


def put(db: Keyspace, key: bytes, code: int, content: list[Any], deadline: int | None) -> None:
    """Let `key` hold exactly `content`, not empty, until `deadline` (ms; None is for ever)."""
    if code == STRING:
        string.assign(db, key, content[0])
        if deadline is not None:
            db.expire(key, deadline)
        return
    db.delete(key)
    if len(content) <= LONG_ITEMS:
        db.outbox_bytes += weight(
            tuple(content)
        )  # an effect of more items is weighed as it is made
    for start in range(0, len(content), RUN_MAX):
        WRITERS[code](db, key, content[start : start + RUN_MAX])
    db.expire(key, deadline)
