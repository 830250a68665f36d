"""CRDB.HELP: all commands that Redis does not have."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared.help import send_lines, usage_lines
from crdb.engine.client import Client
from crdb.engine.command import CONTAINER

COMMANDS: Final[CommandFamily] = CommandFamily("server", since="0.1.0")


TITLE: Final = "CRDB commands are:"


@COMMANDS.declare(
    "crdb.help",
    "",
    "loading stale",
    summary="Lists all commands of crdb that Redis does not have.",
    complexity="O(N) where N is the number of commands.",
    categories="admin",
)
def crdb_help(client: Client, _args: list[bytes]) -> None:
    lines = [TITLE]
    for command in client.instance.commands.everything():
        name = command.full_name.decode()
        if name.startswith("crdb.") and not command.bits & CONTAINER:
            lines += usage_lines(command, name.replace("|", " "))
    send_lines(client, lines)
