"""Run `crdb up` at a pseudo-terminal."""

from __future__ import annotations

import os
import signal

from tests.e2e.cli.terminal import ENTER, HOME, LEAVE, on_a_terminal, rest, seen
from tests.e2e.processes import WAIT_SECONDS, ask
from tests.ports import free_base

CTRL_S = b"\x13"


def test_on_terminal_there_is_live_view_that_leaves_no_trace() -> None:
    with on_a_terminal(free_base()) as (process, terminal):
        shown = seen(terminal, "lag of links")
        assert shown.startswith(ENTER + HOME)
        assert "\x1b[1m" in shown
        process.send_signal(signal.SIGINT)
        assert rest(terminal).endswith(LEAVE)
        assert process.wait(WAIT_SECONDS) == 0


def test_loss_by_stopping_stays_on_terminal() -> None:
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


def test_question_is_seen_on_small_terminal() -> None:
    """The lists of regions and links leave no lines for the events there."""
    base = free_base()
    with on_a_terminal(base, (6, 40)) as (process, terminal):
        seen(terminal, "all hold the same")
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(signal.SIGINT)
        seen(terminal, "stop all the same? press Ctrl-C again")
        os.write(terminal, b"y\n")
        rest(terminal)
        assert process.wait(WAIT_SECONDS) == 0


def test_suspended_process_restores_terminal() -> None:
    with on_a_terminal(free_base()) as (process, terminal):
        seen(terminal, "lag of links")
        process.send_signal(signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        process.send_signal(signal.SIGCONT)
        shown = seen(terminal, ENTER)
        assert LEAVE in shown
        assert "lag of links" in seen(terminal, "lag of links")


def test_terminal_without_colours_gets_none() -> None:
    with on_a_terminal(free_base(), NO_COLOR="1") as (_, terminal):
        shown = seen(terminal, " ms")
    assert "\x1b[32m" not in shown


def test_dumb_terminal_gets_lines() -> None:
    with on_a_terminal(free_base(), TERM="dumb") as (_, terminal):
        shown = seen(terminal, "all that")
    assert "\x1b" not in shown
    assert "listening\r\n  1 us: redis-cli -h 127.0.0.1 -p" in shown


def test_blocked_terminal_blocks_nothing() -> None:
    base = free_base()
    with on_a_terminal(base) as (process, terminal):
        seen(terminal, "lag of links")
        os.write(terminal, CTRL_S)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "20000") == b":1\r\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
