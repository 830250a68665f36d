"""The recorder of a run, and the diagram that it makes."""

from __future__ import annotations

import pytest

from sim.report.diagram import Arrow, Band, Mark
from sim.report.report import KEPT_MAX, TEXT_MAX, Recorder, shorten_text

REGIONS = ("eu", "us")


@pytest.mark.parametrize(
    ("what", "detail", "mark"),
    [
        ("run", "SET a 1 → OK", Mark(7, "eu", "write", "SET a 1 → OK")),
        ("Merged", "merges a snapshot of us", Mark(7, "eu", "sync", "merges a snapshot of us")),
        ("boot", "life 2", Mark(7, "eu", "life", "boot life 2")),
        ("crash", "", Mark(7, "eu", "fault", "crash")),
    ],
)
def test_notable_events_are_marked(what: str, detail: str, mark: Mark) -> None:
    recorder = Recorder()
    recorder.record_note(7, "eu", what, detail)
    assert recorder.make_picture(REGIONS).marks == (mark,)


def test_other_records_leave_no_mark() -> None:
    recorder = Recorder()
    recorder.record_note(7, "eu", "op", "1:1..1")
    recorder.record_note(8, "eu>us", "opened", "")
    assert recorder.make_picture(REGIONS).marks == ()
    assert recorder.make_picture(REGIONS).bands == ()


def test_band_is_from_first_closing_to_opening() -> None:
    recorder = Recorder()
    recorder.record_note(1, "eu>us", "closed", "")
    recorder.record_note(2, "eu>us", "cut", "")
    recorder.record_note(5, "eu>us", "opened", "")
    recorder.record_note(6, "us>eu", "cut", "")
    recorder.record_note(9, "us>eu", "healed", "")
    assert recorder.make_picture(REGIONS).bands == (Band(1, 5, "eu", "us"), Band(6, 9, "us", "eu"))


def test_band_that_is_open_lasts_until_now() -> None:
    recorder = Recorder()
    recorder.record_note(1, "eu>us", "closed", "")
    recorder.record_note(4, "eu", "run", "PING")
    assert recorder.make_picture(REGIONS).bands == (Band(1, 4, "eu", "us"),)


def test_messages_come_or_are_lost() -> None:
    recorder = Recorder()
    recorder.record_message(1, 5, ("eu", "us"), "Ops")
    recorder.record_lost(2, 6, ("us", "eu"), "Ops")
    assert recorder.make_picture(REGIONS).arrows == (
        Arrow(1, 5, "eu", "us", "Ops"),
        Arrow(2, 6, "us", "eu", "Ops", is_lost=True),
    )


def test_picture_may_begin_late() -> None:
    recorder = Recorder()
    for now in (1, 10):
        recorder.record_note(now, "eu", "run", "PING")
        recorder.record_message(now, now + 4, ("eu", "us"), "Ops")
        recorder.record_note(now, "eu>us", "closed", "")
        recorder.record_note(now + 3, "eu>us", "opened", "")
    picture = recorder.make_picture(REGIONS, begin=10)
    assert [mark.at for mark in picture.marks] == [10]
    assert [arrow.sent for arrow in picture.arrows] == [10]
    assert [band.begin for band in picture.bands] == [10]


def test_only_latest_are_kept() -> None:
    recorder = Recorder()
    for now in range(KEPT_MAX + 5):
        recorder.record_note(now, "eu", "run", "PING")
        recorder.record_message(now, now, ("eu", "us"), "Ops")
    picture = recorder.make_picture(REGIONS)
    assert [mark.at for mark in picture.marks] == list(range(5, KEPT_MAX + 5))
    assert len(picture.arrows) == KEPT_MAX


def test_labels_are_short() -> None:
    assert shorten_text("x" * TEXT_MAX) == "x" * TEXT_MAX
    assert shorten_text("x" * (TEXT_MAX + 1)) == "x" * (TEXT_MAX - 1) + "…"
