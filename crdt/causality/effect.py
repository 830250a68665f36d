"""An effect: one change of one key, as a tuple, and about how many bytes it takes.

The tuple is `(type code, operation, key, item, ...)`. The type says what its operations mean, and
which items they have. Type code 0 has the operations that concern a key whatever its type is.
"""

from __future__ import annotations

from typing import Any, Final, cast

Effect = tuple[Any, ...]

ANY_TYPE: Final = 0
DELETE: Final = 0  #  (code, operation, key, carried)  removes what was observed under the key
EXPIRE: Final = 1  #  (code, operation, key, ms)       sets the deadline, FOREVER for none
FLUSH: Final = 2  #   (code, operation, b"")           removes what was observed, everywhere
FORGET: Final = 3  #  (code, operation, key)           removes the observed deadlines, of which one
#                                                      never comes
MESSAGE: Final = 4  # (code, operation, b"", kind, channel, payload)  changes no key: see PUBLISH
OPERATION_MAX: Final = 255
"""The highest number of an operation that this program reads and writes."""
TO_CHANNEL: Final = 0  # the kind of a message for those who subscribed to a channel or a pattern
TO_SHARD_CHANNEL: Final = 1  # for those who subscribed to a shard channel

LARGE_BYTES: Final = 1024
"""Larger items count in `Keyspace.outbox_bytes` and share effects. Smaller ones are limited by the
number of effects."""


LONG_ITEMS: Final = 32


def is_key_effect(effect: Effect, operation: int) -> bool:
    """Return whether `effect` is this operation, one of those that concern keys of any type, or
    none: DELETE, EXPIRE, FLUSH, FORGET or MESSAGE."""
    return bool(effect[0] == ANY_TYPE and effect[1] == operation)


def weight(items: tuple[Any, ...]) -> int:
    """Return about how many bytes an effect, or a part of one, takes when it is encoded."""
    size = 0
    for item in items:
        if isinstance(item, bytes):
            size += len(item) + 5
        elif isinstance(item, tuple):
            size += weight(cast("tuple[Any, ...]", item)) + 5
        else:
            size += 9
    return size


def large_bytes(effect: Effect, known: int = 0) -> int:
    """Return what an effect counts in `Keyspace.outbox_bytes`. `known` is its weight, or 0."""
    last: object = effect[len(effect) - 1]
    size = len(last) if isinstance(last, bytes) and len(last) > LARGE_BYTES else 0
    return size + (known or weight(effect) if len(effect) > LONG_ITEMS else 0)
