"""The backlog is bounded and counts while keys are evicted (rules EVI-5 and EVI-6)."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.eviction.backlog import BACKLOG_SHARE, bound_backlog
from crdb.engine.eviction.policy import EvictionPolicy
from crdb.engine.metrics.memory import PLENTY
from crdt.causality.op_log import DROPS_MAX, HISTORY_BYTES, OpLog
from crdt.embed.replica import Replica
from tests.crdb.raw import instance, lines

ALL = EvictionPolicy.of("allkeys-random")
MB = 1 << 20


def backlog_of(writes: int, limit: int = 1 << 30) -> OpLog:
    """Return the backlog of a replica after so many operations."""
    replica = Replica(1, history_bytes=limit)
    for n in range(writes):
        replica.counter("c").add(n)
        replica.seal()
    return replica.history


@pytest.mark.parametrize(
    ("policy", "maxmemory", "limit"),
    [
        ("noeviction", 160 * MB, 1 << 30),
        ("allkeys-lru", 0, 1 << 30),
        ("allkeys-lru", 160 * MB, 160 * MB // BACKLOG_SHARE),
        ("volatile-ttl", 5 * MB, HISTORY_BYTES),
    ],
)
def test_limit_is_share_of_maxmemory(policy: str, maxmemory: int, limit: int) -> None:
    history = OpLog(1 << 30)
    assert bound_backlog(history, EvictionPolicy.of(policy), maxmemory) == 0
    assert history.limit == limit
    bound_backlog(history, EvictionPolicy.of("noeviction"), maxmemory)
    assert history.limit == 1 << 30


def test_large_backlog_shrinks_in_steps_and_counts_up_to_limit() -> None:
    history = backlog_of(2 * DROPS_MAX)
    excess = bound_backlog(history, ALL, MB)
    assert history.start == DROPS_MAX
    assert excess == history.bytes - HISTORY_BYTES > 0
    assert bound_backlog(history, ALL, MB) == 0
    assert HISTORY_BYTES // 2 < history.bytes <= HISTORY_BYTES


def test_ops_for_connected_peer_stay_and_do_not_count() -> None:
    history = backlog_of(5000)
    history.pin(1 << 30, lambda: 10)
    excess = bound_backlog(history, ALL, MB)
    assert history.start == 10
    assert excess == history.bytes - HISTORY_BYTES > 0


@pytest.mark.rule("EVI-6")
def test_backlog_counts_for_maxmemory() -> None:
    database = instance(maxmemory_policy="allkeys-random")
    client = Client(database)
    lines(client, "CONFIG SET maxmemory 64mb", *(f"SET k{n} v" for n in range(20)))
    database.replica.seal()
    database.memory.probe = lambda: (database.replica.history.bytes, PLENTY)
    database.sample_memory()
    assert database.memory.counted_bytes() == database.replica.history.bytes > 0
    assert b"mem_not_counted_for_evict:0\r\n" in lines(client, "INFO memory")[0]
