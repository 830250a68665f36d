"""Metadata of each command, as COMMAND INFO reports it."""

from __future__ import annotations

from crdb.commands.table import COMMANDS

SHARED = [c for c in COMMANDS if not c.name.startswith(b"crdb.")]
ALL = SHARED + [child for command in SHARED for child in command.subcommands.values()]


def test_a_command_tells_about_itself() -> None:
    silent = [
        command.full_name
        for command in ALL
        if not (command.summary.endswith(".") and command.complexity and command.since)
    ]
    assert silent == []
