"""The backlog while keys are evicted.

Each evicted key appends an operation to the backlog. A backlog that did not count for `maxmemory`
could become many times as large as the data. One that counted whole, with no bound, would lead to
more evictions, which would make it larger still.

So while a policy evicts, the backlog is bounded by a share of `maxmemory`, and counts up to its
bound. What it holds beyond that is either about to be dropped, or a connected peer has not been
sent it yet. This does not count, as in Redis, since no eviction can free it.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.eviction.policy import EvictionPolicy
from crdt.causality.op_log import HISTORY_BYTES, OpLog

BACKLOG_SHARE: Final = 16
"""The backlog takes at most this share of `maxmemory` while a policy evicts."""


def bound_backlog(history: OpLog, policy: EvictionPolicy, limit_bytes: int) -> int:
    """Bound the backlog if a policy evicts and `maxmemory` is `limit_bytes`, 0 for no limit.

    Return the bytes of the backlog that do not count for `maxmemory`. Drops a bounded number of
    operations, so a large backlog shrinks over several calls.
    """
    if not policy.evicts or not limit_bytes:
        history.cap(None)
        return 0
    history.cap(max(limit_bytes // BACKLOG_SHARE, HISTORY_BYTES))
    if history.bytes > history.limit:
        history.trim()
    return max(history.bytes - history.limit, 0)
