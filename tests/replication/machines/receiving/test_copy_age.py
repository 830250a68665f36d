"""The age of a copy counts from the time at which a report was sent."""

from __future__ import annotations

from replication.machines.receiving.copy_age import CopyAge
from replication.protocol.limits import MS, SECOND

PAUSE = 400 * MS
BEST = 100 * MS
AHEAD = 7 * SECOND  # the source's clock minus ours


def report(age: CopyAge, sent: int, arrived: int, trip: int | None = BEST) -> None:
    age.record_report(sent + AHEAD, trip, BEST, arrived)


def test_first_report_may_be_as_old_as_connection() -> None:
    age = CopyAge(1 * SECOND)
    age.record_report(AHEAD, None, 0, 3 * SECOND)
    age.record_covered()
    assert age.sent_at == 1 * SECOND
    assert age.age_ns(4 * SECOND, PAUSE) == 3 * SECOND


def test_age_of_covered_copy_is_delay_of_report() -> None:
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    age.record_covered()
    assert age.age_ns(450 * MS, PAUSE) == 50 * MS
    assert age.age_ns(451 * MS, PAUSE) == 451 * MS, "a source that is silent may have moved on"


def test_age_of_copy_that_is_behind_grows_from_covered_report() -> None:
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    age.record_covered()
    report(age, 200 * MS, 250 * MS)
    assert not age.is_covered
    assert age.age_ns(300 * MS, PAUSE) == 300 * MS
    age.record_covered()
    assert age.age_ns(300 * MS, PAUSE) == 50 * MS
    assert age.covered_at == 250 * MS


def test_old_reports_that_come_together_do_not_make_copy_young() -> None:
    """This happens after a fault. We have everything up to the first report, which is the
    oldest."""
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    age.record_covered()
    for sent in range(1000 * MS, 4000 * MS, 200 * MS):
        report(age, sent, 4 * SECOND, 4 * SECOND - sent + 50 * MS)
        if sent == 1000 * MS:
            age.record_covered()
    assert age.age_ns(4 * SECOND, PAUSE) == 3 * SECOND
    assert age.age_ns(5 * SECOND, PAUSE) == 4 * SECOND


def test_late_way_there_makes_copy_no_older() -> None:
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    report(age, 2000 * MS, 2050 * MS, trip=2 * SECOND)
    age.record_covered()
    assert age.age_ns(2100 * MS, PAUSE) == 50 * MS


def test_clock_that_stood_still_makes_copy_no_older() -> None:
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    age.record_report(AHEAD + 1000 * MS, BEST, BEST, 3050 * MS)
    age.record_covered()
    assert age.age_ns(3100 * MS, PAUSE) == 50 * MS


def test_report_without_echo_is_dated_by_clocks() -> None:
    age = CopyAge(0)
    report(age, 0, 50 * MS)
    report(age, 200 * MS, 350 * MS, trip=None)
    age.record_covered()
    assert age.age_ns(400 * MS, PAUSE) == 150 * MS
