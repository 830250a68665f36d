"""The whole table."""

from __future__ import annotations

import re
from pathlib import Path

from crdb import commands
from crdb.commands.table import COMMANDS, TABLE

PLACE = Path(str(commands.__file__)).parent


def test_every_family_is_in_it() -> None:
    families = [path.stem for path in PLACE.glob("*/*.py") if "\nCOMMANDS:" in path.read_text()]
    named = re.findall(r"\*(\w+)\.COMMANDS", (PLACE / "table.py").read_text())
    assert sorted(named) == sorted(families)


def test_each_command_has_its_own_number_and_both_spellings() -> None:
    everything = [c for parent in COMMANDS for c in (parent, *parent.subcommands.values())]
    assert len({command.number for command in everything}) == len(everything)
    assert all(TABLE[command.name] is TABLE[command.name.upper()] for command in COMMANDS)
