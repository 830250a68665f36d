"""The events that operators see about scripts."""

from __future__ import annotations

from crdb.engine.events.event_bases import RegionEvent, detail, operator_event


@operator_event("script log")
class ScriptLogEvent(RegionEvent):
    """A script has called `redis.log`."""

    level: str = detail("`notice` or `warning`")
    text: str = detail("what it said")


@operator_event("slow script")
class SlowScriptEvent(RegionEvent):
    """A script has run for longer than `busy-reply-threshold`. Clients get BUSY until it ends."""

    script: str = detail("its SHA-1 digest, or the name of the function")
    ms: int = detail("for how long it has run")
    how: str = detail("the command that ends it")


@operator_event("script killed")
class ScriptKilledEvent(RegionEvent):
    """A client has ended a script."""

    script: str = detail("its SHA-1 digest, or the name of the function")
