"""The table of parameters."""

from __future__ import annotations

from crdb.engine.parameters import parameters
from crdb.engine.parameters.table import PARAMETERS


def test_numbers_that_redis_holds_unsigned_are_numbers() -> None:
    assert all(PARAMETERS[name].high > 0 for name in parameters.UNSIGNED.split())
    assert set(PARAMETERS) >= parameters.SEVERAL
