"""A hash of the visible keys. It is equal in converged regions.

Each key is hashed with its type, value and deadline. The digest is the sum of these hashes, so it
does not depend on the order of the keys (rule ORD-9). It detects accidental divergence. It does not
protect against an adversary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from crdt.wire import codec

DIGEST_BYTES: Final = 16


def digest(db: Keyspace) -> bytes:
    """Return the digest of all visible keys, 16 bytes. O(size of the data)."""
    if db.is_unsettled:
        db.settle_all()
    return digest_of(add_keys(db, db.data.index))


def add_keys(db: Keyspace, keys: Iterable[bytes]) -> int:
    """Return the sum of the hashes of those of the keys that are visible."""
    total = 0
    for key in keys:
        value = db.lookup(key)
        if value is not None:
            deadline = db.deadlines.deadline(key)
            ends = deadline if deadline < FOREVER else None
            total += hash_entry((key, value.code(), value.visible(), ends))
    return total


def digest_of(total: int) -> bytes:
    """Return the digest for the sum of the hashes of all keys."""
    return (total % (1 << 8 * DIGEST_BYTES)).to_bytes(DIGEST_BYTES, "big")


def hash_entry(entry: tuple[Any, ...]) -> int:
    """Return the hash of one key's entry, as a number to be added to the sum."""
    packed = codec.pack_body(entry)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=DIGEST_BYTES).digest(), "big")
