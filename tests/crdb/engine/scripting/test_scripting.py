"""Slices of scripts, and the time that the code of libraries may take."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.scripting.scripting import KILLED, SLICE_TICKS, Scripting, ScriptRun
from crdb.resp.decoder import ErrorReply
from tests.crdb.commands.scripting.running_scripts import ask
from tests.crdb.raw import instance


def run_of(scripting: Scripting, ticks: int, ended: list[bytes | None]) -> ScriptRun:
    """Return a script that looks at the clock so many times."""

    def call() -> None:
        for _ in range(ticks):
            text = scripting.tick()
            if isinstance(text, bytes):
                ended.append(text)
                return
        ended.append(None)

    return ScriptRun(Client(instance()), b"name", [], call)


def test_script_is_paused_without_a_clock() -> None:
    scripting, ended = Scripting(instance().timing), list[bytes | None]()
    assert not scripting.begin(run_of(scripting, 3 * SLICE_TICKS - 1, ended))
    assert not scripting.resume()
    assert scripting.resume()
    assert (ended, scripting.run) == ([None], None)


def test_script_is_paused_by_the_clock() -> None:
    timing = instance().timing
    times = iter(range(1000))
    timing.clock = lambda: next(times) / 1500
    scripting, ended = Scripting(timing), list[bytes | None]()
    assert not scripting.begin(run_of(scripting, 4, ended))
    assert scripting.resume()


def test_abandoned_script_ends() -> None:
    scripting, ended = Scripting(instance().timing), list[bytes | None]()
    run = run_of(scripting, 1000, ended)
    assert not scripting.begin(run)
    assert not scripting.abandon(Client(instance())), "it is the script of another client"
    assert scripting.run is run
    assert scripting.abandon(run.session)
    assert (ended, scripting.run) == ([KILLED], None)
    assert not scripting.abandon(run.session)


def test_script_that_raises_is_not_kept() -> None:
    scripting = Scripting(instance().timing)

    def fail() -> None:
        scripting.pause()
        raise ValueError("a bug")

    run = ScriptRun(Client(instance()), b"name", [], fail)
    assert not scripting.begin(run)
    with pytest.raises(ValueError, match="a bug"):
        scripting.resume()
    assert scripting.run is None


def test_only_the_first_reason_to_end_counts() -> None:
    scripting, ended = Scripting(instance().timing), list[bytes | None]()
    scripting.end(b"nothing runs")
    assert not scripting.begin(run_of(scripting, 1000, ended))
    scripting.end(b"first")
    scripting.end(b"second")
    assert scripting.resume()
    assert ended == [b"first"]
    assert scripting.tick() is False, "the interpreter asks also while no script runs"


def test_script_ends_if_nobody_can_resume_it() -> None:
    scripting, ended = Scripting(instance().timing), list[bytes | None]()
    assert not scripting.begin(run_of(scripting, 1000, ended))
    scripting.fiber.body = None
    assert ended == [KILLED]


def test_code_of_a_library_must_be_quick() -> None:
    client = Client(instance())
    reply = ask(client, "FUNCTION", "LOAD", "#!lua name=l\nwhile true do end")
    assert reply == ErrorReply(b"ERR Error registering functions: ERR FUNCTION LOAD timeout")
    assert ask(client, "EVAL", "return 1", 0) == 1
