"""The progress of a peer: its permitted transitions."""

from __future__ import annotations

from itertools import product

import pytest

from replication.machines.sending.progress import MARKS_MAX, MOVES, Progress, Stage


@pytest.mark.parametrize(("before", "after"), list(product(Stage, Stage)))
def test_moves_are_those_of_table(before: Stage, after: Stage) -> None:
    progress = Progress(before)
    if before is after or (before, after) in MOVES:
        progress.move(after)
        assert progress.stage is after
    else:
        with pytest.raises(AssertionError, match=f"{before.name} to {after.name}"):
            progress.move(after)


def test_snapshot_is_followed_by_catching_up() -> None:
    assert {after for before, after in MOVES if before is Stage.SNAPSHOT} == {Stage.CATCHING_UP}


def test_acknowledged_position_only_grows() -> None:
    progress = Progress()
    progress.acknowledge({1: 5, 2: 1})
    progress.acknowledge({1: 3, 3: 1})
    assert progress.acknowledged == {1: 5, 2: 1, 3: 1}


@pytest.mark.parametrize("every", [1, 50, 3_000])
@pytest.mark.parametrize("acknowledged", [0, 1, 3])
def test_lag_is_nearly_age_of_oldest_effect(every: int, acknowledged: int) -> None:
    """The peer acknowledges `acknowledged` of four effects at the pace at which the effects are
    made."""
    progress = Progress()
    longest = now = number = 0
    for number in range(1, 3_000):
        now = number * every
        progress.acknowledge({1: number * acknowledged // 4})
        progress.mark(now, 1, number)
        age = now - (number * acknowledged // 4 + 1) * every
        longest = max(longest, age)
        assert age - longest // 16 - every <= progress.lag_ns(now) <= age
        assert len(progress.marks) <= MARKS_MAX
    progress.acknowledge({1: number})
    progress.mark(now, 1, number)
    assert progress.lag_ns(now + 1) == 0
