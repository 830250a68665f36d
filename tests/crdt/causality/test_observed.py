"""The writes that an effect had observed."""

from __future__ import annotations

from crdt.causality.dots import make_dot
from crdt.causality.observed import Observed


def test_effect_observes_vector_and_own_past() -> None:
    observed = Observed({2: 3}, 1, 5, 1000)
    assert observed.covers(make_dot(2, 3))
    assert not observed.covers(make_dot(2, 4))
    assert not observed.covers(make_dot(3, 1))
    assert observed.covers(make_dot(1, 4))
    assert not observed.covers(make_dot(1, 5))
    assert observed.dot() == make_dot(1, 5)


def test_local_effect_observes_everything() -> None:
    observed = Observed({}, 1, 5, 1000)
    observed.is_local = True
    assert observed.covers(make_dot(7, 100))
    assert observed.covers_all({7: 100})


def test_effect_covers_all_of_replica_that_is_not_ahead() -> None:
    observed = Observed({2: 3}, 1, 5, 1000)
    assert observed.covers_all({1: 4, 2: 3})
    assert not observed.covers_all({2: 4})
    assert not observed.covers_all({3: 1})
