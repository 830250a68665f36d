"""CRDB.HELP: all commands that Redis does not have."""

from __future__ import annotations

from typing import Final

from crdb.commands.declare.syntaxes import SYNTAXES
from crdb.engine.client import Client
from crdb.engine.command import CONTAINER, Command
from crdb.resp import reply

TITLE: Final = "CRDB commands are:"


def crdb_help(client: Client, _args: list[bytes]) -> None:
    """CRDB.HELP."""
    lines = [TITLE]
    for command in client.instance.commands.everything():
        name = command.full_name.decode()
        if name.startswith("crdb.") and not command.bits & CONTAINER:
            usage = f"{name.upper().replace('|', ' ')} {SYNTAXES.get(name, '')}"
            lines += [usage.replace(":string", "").rstrip(), f"    {command.summary}"]
    reply.array(client.out, len(lines))
    for line in lines:
        reply.simple(client.out, line.encode())


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "crdb.help", crdb_help, 1, "loading stale", categories="admin", since="0.1.0",
        summary="Lists all commands of crdb that Redis does not have.",
        complexity="O(N) where N is the number of commands.",
    ),
)  # fmt: skip
