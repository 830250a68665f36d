"""The translation of scenarios of other collections."""

from __future__ import annotations

from pathlib import Path

from tests.contract.conflicts.foreign import foreign_conflicts
from tests.contract.conflicts.loading import CONFLICTS

YAML = """
- id: streams
  type: stream
  regions: 2
  config: {"crdt_xadd_id_uniqueness_mode": "liberal"}
  steps:
    - {t: 1, at: 1, cmd: ["FT.CREATE", "idx"]}
    - {t: 1, at: 1, cmd: ["XRANGE", "x", "-", "+"], select: "ids", compare: "unordered", expect: []}
    - {t: 1, at: 1, cmd: ["JSON.GET", "k", "$"], compare: "json", expect: {"a": true}}
    - {t: 1, at: 1, cmd: ["JSON.GET", "k", "."], compare: "json", expect: 1.5}
    - {t: 1, at: 1, cmd: ["ZSCORE", "z", "m"], expect_any: [1.5, 2.5]}
- id: everything
  type: string
  regions: 2
  steps:
    - {t: 1, at: 1, cmd: ["SET", "k", 1], clock_ms: 1700, capture: "first", expect: true}
    - {t: 1, at: "*", cmd: ["GET", "k"], expect_any: ["1", "2"]}
    - {t: 2, sync: true}
    - {t: 2, sync: [1, 2]}
    - {t: 2, wait_ms: 30}
    - {t: 2, at: 2, tx: [["GET", "a key"], ["DEL", "k"]], expect: ["1", 1]}
    - {t: 2, at: 2, cmd: ["ZSCORE", "z", "m"], expect: 1.5}
    - {t: 2, at: 2, cmd: ["SMEMBERS", "s"], expect: ["b", "a"]}
    - {t: 3, at: 2, cmd: ["X"], expect_error: "^WRONGTYPE"}
    - {t: 3, at: 2, cmd: ["X"], compare: "approx", expect: 3}
"""


def test_foreign_steps_become_lines(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(YAML, encoding="utf-8")
    streams, conflict = foreign_conflicts(file)
    setting = "write all CONFIG SET crdt-xadd-id-uniqueness-mode"
    assert [line for _, line in streams.steps] == [
        "regions r1 r2",
        "unmodelled",
        "unlink all",
        f"{setting} liberal",
        "check r1 XRANGE x - + => ids unordered []",
        """check r1 JSON.GET k '$' => json [{"a": true}]""",
        "check r1 JSON.GET k . => json 1.5",
        'check r1 ZSCORE z m => any ["1.5", "2.5"]',
        f"{setting} strict",
    ]
    assert conflict.name == "everything"
    assert [line for _, line in conflict.steps] == [
        "regions r1 r2",
        "unlink all",
        'check r1@1700 SET k 1 => "OK" as first',
        'check all GET k => any ["1", "2"]',
        "wait 5ms",
        "sync",
        "sync r1 r2",
        "wait 30ms",
        """check r2 MULTI ; GET 'a key' ; DEL k ; EXEC => ["1", 1]""",
        "check r2 ZSCORE z m => approx 1.5",
        'check r2 SMEMBERS s => unordered ["b", "a"]',
        "wait 5ms",
        'check r2 X => error "^WRONGTYPE"',
        "check r2 X => approx 3",
    ]


def test_each_of_our_scenarios_has_name_and_check() -> None:
    assert len({conflict.name for conflict in CONFLICTS}) == len(CONFLICTS) > 280
    for conflict in CONFLICTS:
        assert any(line.startswith("check ") for _, line in conflict.steps), conflict.name
