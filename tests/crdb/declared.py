"""Commands that are declared by tests."""

from __future__ import annotations

from crdb.engine.command import Command, Handler
from crdb.engine.declare.declaration import Declaration, Facts


def declared(
    name: str, handler: Handler | None, syntax: str = "", flags: str = "", group: str = "server"
) -> Command:
    """Return a command as a family of `group` declares it."""
    facts: Facts = {"group": group, "summary": f"Does {name}."}
    return Command(Declaration(name, syntax, flags, facts, is_container=handler is None), handler)
