"""An effect: one change of one key, as a tuple, and about how many bytes it takes."""

from __future__ import annotations

from typing import Any, Final, cast

Effect = tuple[Any, ...]


LARGE_BYTES: Final = 1024
"""Larger items count in `Keyspace.outbox_bytes` and share effects. Smaller ones are limited by the
number of effects."""


LONG_ITEMS: Final = 32


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


def large_bytes(effect: Effect) -> int:
    """Return what an effect counts in `Keyspace.outbox_bytes`."""
    last: object = effect[len(effect) - 1]
    size = len(last) if isinstance(last, bytes) and len(last) > LARGE_BYTES else 0
    return size + (weight(effect) if len(effect) > LONG_ITEMS else 0)
