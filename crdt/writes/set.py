"""Add and remove members of sets."""

from __future__ import annotations

from crdt.store.keyspace import Keyspace
from crdt.types.set import ADD, REMOVE, SET_TYPE, Set
from crdt.writes.content_writers import add_content_writer


def add(db: Keyspace, key: bytes, members: list[bytes]) -> None:
    """SADD: add members. Each member gets a new dot even if it exists already (rule SET-3)."""
    if len(members) == 1:
        add_one(db, key, members[0])
    else:
        db.emit((SET_TYPE, ADD, key, *dict.fromkeys(members)))


def add_one(db: Keyspace, key: bytes, member: bytes) -> None:
    """SADD: add one member."""
    db.emit((SET_TYPE, ADD, key, member))


def remove(db: Keyspace, key: bytes, members: list[bytes]) -> int:
    """SREM: remove members. Return the number of members that existed.

    Members that do not exist here are not removed in other regions either (rule SET-2).
    """
    value = db.remains(key, SET_TYPE)
    if not isinstance(value, Set):
        return 0
    present = [member for member in dict.fromkeys(members) if value.has(member)]
    if present:
        db.emit((SET_TYPE, REMOVE, key, *present))
    return len(present)


add_content_writer(SET_TYPE, add)
