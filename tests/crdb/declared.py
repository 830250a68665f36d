"""Declarations of commands: those of tests, and the positions of keys."""

from __future__ import annotations

from crdb.commands.table import build_table
from crdb.engine.command import Command, Handler
from crdb.engine.declare.declaration import CommandKind, Declaration, Facts


def declared(
    name: str, handler: Handler | None, syntax: str = "", flags: str = "", group: str = "server"
) -> Command:
    """Return a command as a family of `group` declares it."""
    facts: Facts = {"group": group, "summary": f"Does {name}."}
    kind = CommandKind.CONTAINER if handler is None else CommandKind.PLAIN
    return Command(Declaration(name, syntax, flags, facts, kind), handler)


def key_positions(request: bytes) -> list[int]:
    """Return the positions of the keys in a request."""
    words = request.split()
    return build_table().require(words).declaration.key_positions(words)
