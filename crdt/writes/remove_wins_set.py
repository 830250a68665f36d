"""Add and remove members of remove-wins sets."""

from __future__ import annotations

from crdt.store.keyspace import Keyspace
from crdt.types.remove_wins_set import ADD, REMOVE, REMOVE_WINS, RemoveWinsSet


def add(db: Keyspace, key: bytes, members: list[bytes]) -> None:
    """Add members. A concurrent remove wins over this add."""
    db.emit((REMOVE_WINS, ADD, key, *dict.fromkeys(members)))


def remove(db: Keyspace, key: bytes, members: list[bytes]) -> int:
    """Remove members. Return the number of members that existed.

    The remove is also emitted for members that do not exist here. It wins over concurrent adds.
    """
    held = db.remains(key, REMOVE_WINS)
    assert held is None or isinstance(held, RemoveWinsSet)
    chosen = list(dict.fromkeys(members))
    present = 0 if held is None else sum(held.has(member) for member in chosen)
    db.emit((REMOVE_WINS, REMOVE, key, *chosen))
    return present
