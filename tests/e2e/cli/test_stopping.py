"""Stopping the last region that holds data, at a terminal and elsewhere."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.e2e.cli.terminal import on_a_terminal, rest, seen
from tests.e2e.processes import WAIT_SECONDS, ask, ready_event, started
from tests.ports import free_base


@pytest.mark.parametrize("terminal_type", ["xterm-256color", "dumb"])
@pytest.mark.parametrize("answer", [b"y\n", b""])
def test_ctrl_c_asks_before_it_loses_data(terminal_type: str, answer: bytes) -> None:
    base = free_base()
    with on_a_terminal(base, TERM=terminal_type) as (process, terminal):
        seen(terminal, "all that")
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(signal.SIGINT)
        seen(terminal, "stopping loses 1 key,", "stop all the same?")
        assert ask(base + 1, "GET", "k") == b"$1\r\nv\r\n"
        if answer:
            os.write(terminal, answer)
        else:
            process.send_signal(signal.SIGINT)
        rest(terminal)
        assert process.wait(WAIT_SECONDS) == 0


def test_any_other_answer_does_not_stop_it() -> None:
    base = free_base()
    with on_a_terminal(base) as (process, terminal):
        seen(terminal, "all that")
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(signal.SIGINT)
        seen(terminal, "stop all the same?")
        os.write(terminal, b"no\n")
        seen(terminal, "not stopped")
        assert ask(base + 1, "GET", "k") == b"$1\r\nv\r\n"
        process.send_signal(signal.SIGTERM)
        rest(terminal)
        assert process.wait(WAIT_SECONDS) == 0


def test_without_data_ctrl_c_stops() -> None:
    with on_a_terminal(free_base()) as (process, terminal):
        seen(terminal, "all that")
        process.send_signal(signal.SIGINT)
        rest(terminal)
        assert process.wait(WAIT_SECONDS) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_elsewhere_it_warns_and_stops(number: signal.Signals) -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        ready_event(process)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=WAIT_SECONDS)
    events = [json.loads(line) for line in out.splitlines()]
    (risk, *_) = [event for event in events if event["event"] == "data at risk"]
    assert risk["region"] == "us"
    assert risk["is_last"] is True
    assert risk["keys"] == 1
    assert process.returncode == 0
