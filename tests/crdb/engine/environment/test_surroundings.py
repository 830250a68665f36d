"""An instance without a driver."""

from __future__ import annotations

from crdb.engine.environment.surroundings import Surroundings


def test_it_is_alone() -> None:
    surroundings = Surroundings()
    assert surroundings.count_acknowledged(0) == 0
    assert surroundings.count_copies() == 0
    assert list(surroundings.neighbours) == []
    assert surroundings.request_stop is None
