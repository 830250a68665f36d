"""The estimate of the memory in use."""

from __future__ import annotations

from crdb.engine.eviction.live_memory import LiveMemory


def test_use_falls_with_blocks_although_process_keeps_memory() -> None:
    live = LiveMemory()
    live.begin(100, 10)
    assert live.estimate(1100, 1010) == 1100
    assert live.estimate(1100, 510) == 600
    assert live.estimate(1050, 510) == 600
    assert live.estimate(400, 510) == 400, "it is never more than the process holds"
    assert live.estimate(1100, 5) == 100
    assert live.estimate(1200, 510) == 700, "large objects have come"
    assert live.estimate(1300, 1020) == 1300, "the places of small objects are full again"
    assert live.estimate(1300, 515) == 700


def test_without_count_everything_is_in_use() -> None:
    live = LiveMemory()
    assert [live.estimate(held, 0) for held in (10, 5, 7)] == [10, 5, 7]
