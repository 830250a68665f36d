"""Events go where they can be read: to programs as JSON, to people as lines or into a live view."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from crdb.cli import stdout_writer
from crdb.cli.screen import ENTER, HOME, LEAVE, Screen, terminal_size
from tests.crdb.processes import WAIT_SECONDS, ask
from tests.ports import free_base

CTRL_S = b"\x13"


def written(screen: Screen) -> list[str]:
    """The lines that wait to be written."""
    return b"".join(screen.stdout.waiting).decode().splitlines()


def test_for_programs_every_event_is_a_line_of_json() -> None:
    screen = Screen(as_json=True)
    screen.show_event("link up", {"region": "us", "peer": "eu"})
    screen.show_event("stopping", {"signal": "SIGINT"})
    events = [json.loads(line) for line in written(screen)]
    assert [event["event"] for event in events] == ["link up", "stopping"]
    assert events[0]["peer"] == "eu"


def test_for_people_every_line_has_its_time() -> None:
    screen = Screen(as_json=False)
    assert not screen.is_live, "there is no terminal here"
    screen.show_event("internal error", {"region": "us", "traceback": "Traceback"})
    first, second = written(screen)
    assert first[10] == " "
    assert first.endswith("  us: internal error")
    assert second == "Traceback"


def test_people_are_told_once_of_the_two_ends_of_a_link_and_not_of_those_we_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "strftime", at_noon)
    screen = Screen(as_json=False)
    down = {"region": "us", "peer": "eu", "direction": "in", "reason": "lost"}
    for event in ("link up", "link down", "link down", "stopping", "link down"):
        screen.show_event(event, down)
    assert written(screen) == [
        "12:00  eu -> us: down: lost",
        "12:00  us: stopping peer=eu direction=in reason=lost",
    ]


def at_noon(_: str) -> str:
    return "12:00"


def test_what_nobody_reads_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 100)
    screen = Screen(as_json=True)
    for number in range(4):
        screen.show_event("link up", {"region": "us", "peer": "eu", "number": number})
    assert len(written(screen)) == 1
    screen.stdout.waiting.clear()  # somebody reads again
    screen.stdout.size = 0
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 10_000)
    screen.show_event("stopping", {})
    dropped, last = (json.loads(line) for line in written(screen))
    assert (dropped["event"], dropped["count"]) == ("events dropped", 3)
    assert last["event"] == "stopping"


def test_without_any_output_there_is_nothing_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    screen = Screen(as_json=False)
    assert not screen.is_live
    screen.show_event("stopping", {})
    assert screen.stdout.fd is None
    assert written(screen) == []


def test_where_there_is_no_terminal_it_has_the_usual_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(_: int) -> os.terminal_size:
        raise OSError

    def no_size(_: int) -> os.terminal_size:
        return os.terminal_size((0, 0))

    for answer in (no_terminal, no_size):
        monkeypatch.setattr(os, "get_terminal_size", answer)
        assert terminal_size() == (80, 24)


@contextmanager
def on_a_terminal(base: int, **environment: str) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """`crdb up` on a terminal of 60 columns and 20 lines, and our end of it."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (20, 60))
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", "up", "--regions", "us,eu", "--port", str(base)],
        stdin=theirs,
        stdout=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(WAIT_SECONDS)
        os.close(ours)


def seen(terminal: int, text: str) -> str:
    """What the terminal shows, up to and with the screen that has this text."""
    shown = ""
    while text not in shown:
        shown += os.read(terminal, 65_536).decode(errors="replace")
    return shown


def rest(terminal: int) -> str:
    """What it shows until the last process has left it."""
    shown = b""
    try:
        while data := os.read(terminal, 65_536):
            shown += data
    except OSError:  # how Linux tells the end
        pass
    return shown.decode()


def test_on_a_terminal_there_is_a_live_view_that_leaves_no_trace() -> None:
    with on_a_terminal(free_base()) as (process, terminal):
        shown = seen(terminal, "lag of links")
        assert shown.startswith(ENTER + HOME)
        assert "\x1b[1m" in shown
        process.send_signal(signal.SIGINT)
        assert rest(terminal).endswith(LEAVE)
        assert process.wait(WAIT_SECONDS) == 0


def test_what_is_lost_by_stopping_stays_on_the_terminal() -> None:
    base = free_base()
    with on_a_terminal(base) as (process, terminal):
        seen(terminal, "lag of links")
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(signal.SIGINT)
        seen(terminal, "stop all the same?")
        os.write(terminal, b"n\n")
        seen(terminal, "not stopped")
        process.send_signal(signal.SIGTERM)
        _, _, left = rest(terminal).rpartition(LEAVE)
        assert left.count("us: stopping loses 1 key") == 1
        assert process.wait(WAIT_SECONDS) == 0


def test_a_process_that_rests_gives_its_terminal_back_meanwhile() -> None:
    with on_a_terminal(free_base()) as (process, terminal):
        seen(terminal, "lag of links")
        process.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        process.send_signal(signal.SIGCONT)
        shown = seen(terminal, ENTER)
        assert LEAVE in shown
        assert "lag of links" in seen(terminal, "lag of links")


def test_a_terminal_without_colours_gets_none() -> None:
    with on_a_terminal(free_base(), NO_COLOR="1") as (_, terminal):
        shown = seen(terminal, " ms")
    assert "\x1b[32m" not in shown


def test_a_dumb_terminal_gets_lines() -> None:
    with on_a_terminal(free_base(), TERM="dumb") as (_, terminal):
        shown = seen(terminal, "all that")
    assert "\x1b" not in shown
    assert "listening\r\n  1 us: redis-cli -h 127.0.0.1 -p" in shown


def test_a_terminal_that_takes_nothing_stops_nobody() -> None:
    base = free_base()
    with on_a_terminal(base) as (process, terminal):
        seen(terminal, "lag of links")
        os.write(terminal, CTRL_S)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "5000") == b":1\r\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
