"""Messages to other regions (rule PUB-1).

A message is an effect that changes nothing. So each region receives it once, in causal order, and
no state holds it.
"""

from __future__ import annotations

from crdt.causality.effect import ANY_TYPE, MESSAGE
from crdt.store.keyspace import Keyspace


def publish(db: Keyspace, kind: int, channel: bytes, payload: bytes) -> None:
    """Send a message to all other regions, behind what was written here before. `kind` is
    TO_CHANNEL or TO_SHARD_CHANNEL."""
    db.record((ANY_TYPE, MESSAGE, b"", kind, channel, payload))
