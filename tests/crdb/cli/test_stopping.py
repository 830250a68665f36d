"""Stopping the last region that holds something, at a terminal and elsewhere."""

from __future__ import annotations

import os
import signal

import pytest

from tests.crdb.cli.test_screen import on_a_terminal, rest, seen
from tests.e2e.processes import WAIT_SECONDS, ask
from tests.ports import free_base


@pytest.mark.parametrize("terminal_type", ["xterm-256color", "dumb"])
@pytest.mark.parametrize("answer", [b"y\n", b""])
def test_ctrl_c_asks_before_it_loses_data(terminal_type: str, answer: bytes) -> None:
    base = free_base()
    with on_a_terminal(base, TERM=terminal_type) as (process, terminal):
        seen(terminal, "all that")
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(signal.SIGINT)
        shown = seen(terminal, "stop all the same?")
        assert "stopping loses 1 keys" in shown
        assert ask(base + 1, "GET", "k") == b"$1\r\nv\r\n"
        if answer:
            os.write(terminal, answer)
        else:
            process.send_signal(signal.SIGINT)
        rest(terminal)
        assert process.wait(WAIT_SECONDS) == 0


def test_any_other_answer_lets_it_run() -> None:
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
