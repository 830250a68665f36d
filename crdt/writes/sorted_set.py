"""Set, increase and remove scores of sorted sets."""

from __future__ import annotations

from typing import Any

from crdt.errors import NotANumber
from crdt.store.keyspace import Keyspace
from crdt.types.components.counter import share_of
from crdt.types.components.fields import ADD
from crdt.types.components.lone_write import compact
from crdt.types.sorted_set import ZSET, Score, SortedSet
from crdt.writes.content_writers import add_content_writer
from crdt.writes.fields import assign_fields, assign_seen, remains_of, remove_fields


def assign(db: Keyspace, key: bytes, pairs: list[Any]) -> None:
    """ZADD: set scores, given as alternating members and floats."""
    flat: list[Any] = list(pairs)
    for index in range(1, len(flat), 2):
        flat[index] = compact(flat[index])
    assign_fields(db, key, ZSET, flat)


def assign_one(
    db: Keyspace, key: bytes, held: SortedSet | None, member: bytes, score: float
) -> bool:
    """ZADD: set the score of one member of the visible sorted set. Return whether it is new."""
    return assign_seen(db, key, held, ZSET, (member, compact(score)))


def remove(db: Keyspace, key: bytes, members: list[bytes]) -> int:
    """ZREM: remove members. Return the number of members that existed."""
    return remove_fields(db, key, ZSET, members)


def increment(db: Keyspace, key: bytes, member: bytes, delta: float) -> float:
    """ZINCRBY: add `delta` to a score. Return the new score. Raises NotANumber if it is NaN."""
    held = remains_of(db, key, ZSET, member)
    birth, total, score = db.seq + 1, delta, delta
    if held is not None:
        assert isinstance(held, Score)
        score = held.number() + delta
        share = share_of(held.shares, db.origin)
        if share is not None and share.live():
            birth, total = share.birth, float(share.sum) + delta
    if score != score or total != total:
        raise NotANumber("resulting score is not a number (NaN)")
    db.emit((ZSET, ADD, key, member, birth, compact(total)))
    if held is None:
        return score
    held = remains_of(db, key, ZSET, member)
    assert isinstance(held, Score)
    return held.number()


add_content_writer(ZSET, assign)
