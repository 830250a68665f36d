"""The text of results, and the exit status."""

from __future__ import annotations

import attrs
import pytest

from sim.campaign.run import Result, Verdict
from sim.campaign.summary import (
    REASON_MAX,
    RECORD_MAX,
    exit_status,
    print_result,
    shortfalls,
    speed_text,
    summarise,
    summary_line,
    verdict_text,
)
from sim.engine.events import SECOND
from sim.faults.kinds import FAULTS
from sim.world.coverage_probes import NAMES

VALID = Result(
    seed=7,
    verdict=Verdict.VALID,
    reason="",
    promise="",
    virtual=60 * SECOND,
    converged_in=1_500_000_000,
    writes=12,
    frames=34,
    events=56,
    fired={"cut": 2},
    probes={"gap found": 1, "link lost": 0},
    looked={"convergence": 5},
    digest="abc",
    tail=(),
)
INVALID = attrs.evolve(
    VALID,
    seed=8,
    verdict=Verdict.INVALID,
    promise="convergence",
    reason="eu and us differ",
    converged_in=-1,
    tail=("1 eu boot", "2 us boot"),
)
UNKNOWN = attrs.evolve(VALID, verdict=Verdict.UNKNOWN, reason="nothing was written")


def test_valid_run_shows_its_counts() -> None:
    assert list(print_result(VALID, 2.0)) == [
        "",
        "writes        12",
        "frames        34",
        "faults        cut 2",
        "probes        gap found 1",
        "checked       convergence 5",
        "converged     1.500 s after all was healed",
        "trace         abc",
        "speed         60.0 virtual s in 2.00 CPU s: 30 to 1",
        "verdict       valid",
    ]


def test_failure_shows_last_records_and_replay_command() -> None:
    lines = list(print_result(INVALID, 1.0))
    assert lines[:4] == ["", "  1 eu boot", "  2 us boot", ""]
    assert lines[-2:] == [
        "verdict       invalid: convergence: eu and us differ",
        "              the same command does the same again",
    ]
    assert not any(line.startswith("converged") for line in lines)


def test_verdict_contains_reason() -> None:
    assert verdict_text(VALID) == "valid"
    assert verdict_text(UNKNOWN) == "unknown: nothing was written"


def test_duration_of_nothing_is_zero() -> None:
    assert speed_text(0.0, 0.0) == "speed         0.0 virtual s in 0.00 CPU s: 0 to 1"


def test_in_table_reason_is_short() -> None:
    assert summary_line(INVALID) == "       8  invalid: convergence: eu and us differ"
    long = attrs.evolve(INVALID, reason="x" * 2 * REASON_MAX)
    assert len(summary_line(long)) == REASON_MAX + len("       8  ")


def test_summary_adds_up_runs_and_lists_missing_probes() -> None:
    lines = {line[:13].strip(): line[14:] for line in summarise([VALID, INVALID, VALID], 6.0)}
    assert lines["runs"] == "3: valid 2, invalid 1"
    assert lines["writes"] == "36"
    assert lines["faults"] == "cut 6"
    assert lines["probes"] == "gap found 3"
    assert lines["failed"] == "8"
    assert lines["speed"].startswith("180.0 virtual s")
    never = lines["never seen"].split(", ")
    assert never == [name for name in (*FAULTS, *NAMES) if name not in {"cut", "gap found"}]


def test_complete_campaign_prints_short_summary() -> None:
    everything = attrs.evolve(VALID, fired=dict.fromkeys(FAULTS, 1), probes=dict.fromkeys(NAMES, 1))
    reported = "\n".join(summarise([everything], 1.0))
    assert "never seen" not in reported
    assert "failed" not in reported


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([VALID, VALID], 0),
        ([VALID, UNKNOWN], 2),
        ([VALID, INVALID], 1),
        ([UNKNOWN, INVALID], 1),
        ([UNKNOWN], 2),
        ([], 2),
    ],
)
def test_status_is_good_only_if_something_was_proved(results: list[Result], code: int) -> None:
    assert exit_status(results) == code


def test_rare_events_seen_too_seldom_are_named() -> None:
    full = attrs.evolve(
        VALID, fired=dict.fromkeys(FAULTS, 1), probes=dict.fromkeys(NAMES, 1), looked={"expiry": 0}
    )
    assert list(shortfalls([full])) == []
    assert list(shortfalls([full] * 4)) == ["expiry: put to the test in 0 of 4 runs, not 1"]
    rare = attrs.evolve(full, fired={**full.fired, "ring": 0}, looked={"expiry": 1})
    assert list(shortfalls([rare] * 100)) == ["ring: done in 0 of 100 runs, not 1"]


def test_unchecked_promises_of_run_are_reported() -> None:
    lines = list(print_result(attrs.evolve(VALID, looked={"convergence": 5, "expiry": 0}), 2.0))
    assert "not checked   expiry" in lines


def test_long_records_are_cut() -> None:
    long = "1 eu run SET k " + "x" * RECORD_MAX
    lines = list(print_result(attrs.evolve(INVALID, tail=("1 eu boot", long)), 1.0))
    assert lines[1:3] == ["  1 eu boot", f"  {long[: RECORD_MAX - 1]}…"]
