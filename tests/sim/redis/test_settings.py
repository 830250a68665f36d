"""The table of parameters names values that differ, and parameters that exist."""

from __future__ import annotations

from sim.redis.settings import ACCEPTED, REFUSED, SHOWN_BY_INFO


def test_each_parameter_has_several_values() -> None:
    assert all(len({shown for _, shown in values}) > 1 for values in ACCEPTED.values())


def test_refused_values_are_not_accepted_ones() -> None:
    accepted = {(name, given) for name, values in ACCEPTED.items() for given, _ in values}
    assert not accepted & set(REFUSED)
    assert {"no-such", "databases"} <= {name for name, _ in REFUSED}


def test_info_shows_some_parameters() -> None:
    assert SHOWN_BY_INFO.keys() <= ACCEPTED.keys()
