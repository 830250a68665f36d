"""The output of events: JSON for programs, lines or a live view for people."""

from __future__ import annotations

import json
import sys
import time

import pytest

from crdb.cli import stdout_writer
from crdb.cli.screen import Screen, TerminalFile
from crdb.cli.stdout_writer import StdoutWriter
from crdb.engine.events.operator_events import (
    LinkDownEvent,
    LinkUpEvent,
    PromotedEvent,
    StoppingEvent,
)
from tests.crdb.events import make_event


def written(screen: Screen) -> list[str]:
    """Return the lines that wait to be written."""
    return b"".join(screen.stdout.waiting).decode().splitlines()


def test_for_programs_every_event_is_line_of_json() -> None:
    screen = Screen(as_json=True)
    screen.show_event(LinkUpEvent(region="us", peer="eu", direction="in"))
    screen.show_event(StoppingEvent(signal="SIGINT"))
    events = [json.loads(line) for line in written(screen)]
    assert [event["event"] for event in events] == ["link up", "stopping"]
    assert events[0]["peer"] == "eu"


def test_for_people_every_line_has_its_time() -> None:
    screen = Screen(as_json=False)
    assert not screen.is_live, "there is no terminal here"
    fault = {"region": "us", "client": 3, "command": "get", "traceback": "Traceback"}
    screen.show_event(make_event("internal error", fault))
    first, second = written(screen)
    assert first[10] == " "
    assert first.endswith("  us: internal error client=3 command=get")
    assert second == "Traceback"


def test_view_shows_link_events_once_and_no_own_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "strftime", at_noon)
    screen = Screen(as_json=False)
    up = LinkUpEvent(region="us", peer="eu", direction="in")
    down = LinkDownEvent(region="us", peer="eu", direction="in", reason="lost")
    for event in (up, down, down, StoppingEvent(signal="SIGINT"), down):
        screen.show_event(event)
    assert written(screen) == [
        "12:00  eu -> us: down: lost",
        "12:00  stopping signal=SIGINT",
    ]


def at_noon(_: str) -> str:
    return "12:00"


def test_unread_events_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 100)
    screen = Screen(as_json=True)
    for number in range(4):
        screen.show_event(LinkUpEvent(region="us", peer=f"p{number}", direction="in"))
    assert len(written(screen)) == 1
    screen.stdout.waiting.clear()  # somebody reads again
    screen.stdout.size = 0
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 10_000)
    screen.show_event(StoppingEvent(signal="SIGINT"))
    dropped, last = (json.loads(line) for line in written(screen))
    assert (dropped["event"], dropped["count"]) == ("events dropped", 3)
    assert last["event"] == "stopping"


def test_events_that_a_full_disk_has_lost_are_counted() -> None:
    screen = Screen(as_json=True)
    screen.stdout.lost = 2
    screen.show_event(StoppingEvent(signal="SIGINT"))
    screen.show_event(PromotedEvent(region="us"))
    dropped, *others = (json.loads(line) for line in written(screen))
    assert (dropped["event"], dropped["count"]) == ("events dropped", 2)
    assert [event["event"] for event in others] == ["stopping", "promoted"]


def test_without_any_output_there_is_nothing_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    screen = Screen(as_json=False)
    assert not screen.is_live
    screen.show_event(StoppingEvent(signal="SIGINT"))
    assert screen.stdout.fd is None
    assert written(screen) == []


def test_terminal_file_drops_output_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdout = StdoutWriter(1)
    file = TerminalFile(stdout)
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 5)
    assert [file.write("four"), file.write("five")] == [4, 4]
    assert stdout.waiting == [b"four"]
    assert not TerminalFile(StdoutWriter(None)).isatty()
