"""What operators see about scripts."""

from __future__ import annotations

from crdb.engine.events.script_events import ScriptLogEvent, SlowScriptEvent


def test_lines() -> None:
    logged = ScriptLogEvent(region="us", level="notice", text="hello")
    assert logged.lines() == ["us: script log level=notice text=hello"]
    slow = SlowScriptEvent(region="us", script="f", ms=5000, how="FUNCTION KILL")
    assert slow.lines() == ["us: slow script script=f ms=5000 how=FUNCTION KILL"]
