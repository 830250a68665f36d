"""Assign multi-value registers."""

from __future__ import annotations

from crdt.store.keyspace import Keyspace
from crdt.types.multi_value import MULTI_VALUE, WRITE


def assign(db: Keyspace, key: bytes, value: bytes) -> None:
    """Replace all observed values by `value`."""
    db.emit((MULTI_VALUE, WRITE, key, value))
