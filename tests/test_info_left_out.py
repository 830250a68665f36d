"""The list of fields that INFO leaves out."""

from __future__ import annotations

import pytest

from crdb.engine.metrics.metric_table import METRICS
from tools.info_left_out import LEFT_OUT


def test_no_field_is_both_left_out_and_reported() -> None:
    rows = [row for rows in METRICS.values() for row in rows]
    assert [name for name in LEFT_OUT if any(row.is_name_of(name) for row in rows)] == []


@pytest.mark.parametrize("name", LEFT_OUT)
def test_reason_is_part_of_sentence(name: str) -> None:
    reason = LEFT_OUT[name]
    assert len(reason) > 15
    assert not reason.endswith(".")
    assert reason[:1] != " "
