"""The list of fields that INFO leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.engine.metrics.metric_table import METRICS
from tests.crdb.redis_peer import decode, started
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


def test_every_field_of_redis_has_row_or_reason(tmp_path: Path) -> None:
    with started(tmp_path) as server:
        info = decode(server.run([b"INFO", b"everything"])).decode()
    listed: dict[str, set[str]] = {}
    names: set[str] = set()
    for line in info.splitlines():
        if line.startswith("# "):
            names = listed.setdefault(line[2:].lower(), set())
        elif line:
            names.add(line.partition(":")[0])
    for section, names in listed.items():
        rows = METRICS.get(section, ())
        known = {name for name in names if any(row.is_name_of(name) for row in rows)}
        assert names - known - LEFT_OUT.keys() == set()
        assert known & LEFT_OUT.keys() == set()
