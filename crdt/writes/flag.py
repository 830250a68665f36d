"""Set and clear flags."""

from __future__ import annotations

from crdt.store.keyspace import Keyspace
from crdt.types.flag import DISABLE, DISABLE_WINS, ENABLE


def enable(db: Keyspace, key: bytes, code: int) -> None:
    """Switch a flag of this type on."""
    db.emit((code, ENABLE, key))


def disable(db: Keyspace, key: bytes, code: int) -> None:
    """Switch a flag off. In a disable-wins flag, this wins over concurrent enables."""
    if code == DISABLE_WINS or db.remains(key, code) is not None:
        db.emit((code, DISABLE, key))
