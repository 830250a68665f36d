"""A peer's stage: which moves there are."""

from __future__ import annotations

from itertools import product

import pytest

from replication.progress import MOVES, Progress, Stage


@pytest.mark.parametrize(("before", "after"), list(product(Stage, Stage)))
def test_the_moves_are_those_of_the_table(before: Stage, after: Stage) -> None:
    progress = Progress(before)
    if before is after or (before, after) in MOVES:
        progress.move(after)
        assert progress.stage is after
    else:
        with pytest.raises(AssertionError, match=f"{before.name} to {after.name}"):
            progress.move(after)


def test_a_snapshot_is_followed_by_catching_up() -> None:
    assert {after for before, after in MOVES if before is Stage.SNAPSHOT} == {Stage.CATCHING_UP}


def test_what_is_acknowledged_only_grows() -> None:
    progress = Progress()
    progress.acknowledge({1: 5, 2: 1})
    progress.acknowledge({1: 3, 3: 1})
    assert progress.acknowledged == {1: 5, 2: 1, 3: 1}
