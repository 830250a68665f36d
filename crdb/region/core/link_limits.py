"""Derive the bounds of a region's links from its configuration and the memory of its machine."""

from __future__ import annotations

from typing import Final

from crdb.deployment.config import AUTO, Config
from replication.protocol.limits import SECOND, Limits

BACKLOG_SHARE: Final = 32
"""A backlog of the size "auto" grows to this share of the memory."""
BACKLOG_MOST: Final = 1 << 30
PINNED_SHARE: Final = 16
"""This share of the memory holds what connected peers have not been sent."""

REST_NS: Final = 2 * SECOND
"""An idle link carries a message in each direction so often."""


def link_limits(config: Config, memory_bytes: int) -> Limits:
    """Return the limits of the links of a region whose process may use `memory_bytes`, or
    `maxmemory` if that is less."""
    memory = min(memory_bytes, config.maxmemory or memory_bytes)
    least = config.link.backlog_least
    most = max(least, min(memory // BACKLOG_SHARE, BACKLOG_MOST))
    return Limits(
        pinned_bytes_max=max(least, memory // PINNED_SHARE),
        rest_ns=REST_NS,
        backlog_bytes_max=most if config.link.backlog == AUTO else 0,
    )
