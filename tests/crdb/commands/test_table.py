"""The complete command table."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest

from crdb import commands
from crdb.commands.table import COMMANDS, build_table
from crdb.engine.command import no_handler

TABLE = build_table().by_name

PLACE = Path(str(commands.__file__)).parent


def test_every_family_is_in_it() -> None:
    families = [path.stem for path in PLACE.glob("*/*.py") if "\nCOMMANDS:" in path.read_text()]
    named = re.findall(r"\*(\w+)\.COMMANDS", (PLACE / "table.py").read_text())
    assert sorted(named) == sorted(families)


def test_each_command_has_its_own_number_and_both_spellings() -> None:
    everything = [c for parent in COMMANDS for c in (parent, *parent.subcommands.values())]
    assert len({command.number for command in everything}) == len(everything)
    assert all(TABLE[command.name] is TABLE[command.name.upper()] for command in COMMANDS)


@pytest.mark.interpreted("compiled functions have no signatures")
def test_each_handler_takes_client_and_arguments() -> None:
    everything = [c for parent in COMMANDS for c in (parent, *parent.subcommands.values())]
    for command in everything:
        if command.handler is not no_handler:
            taken = [each.annotation for each in signature(command.handler).parameters.values()]
            assert taken == ["Client", "list[bytes]"], command.full_name
