"""The whole table."""

from __future__ import annotations

from pathlib import Path

from crdb.server import commands
from crdb.server.registry import COMMANDS, TABLE


def test_every_family_is_in_it() -> None:
    families = {path.stem for path in Path(str(commands.__file__)).parent.glob("*.py")}
    registry = Path(str(commands.__file__)).parent.parent / "registry.py"
    named = {line.strip(" ,") for line in registry.read_text().splitlines()}
    assert families - {"__init__"} <= named


def test_each_command_has_its_own_number_and_both_spellings() -> None:
    everything = [c for parent in COMMANDS for c in (parent, *parent.subcommands.values())]
    assert len({command.number for command in everything}) == len(everything)
    assert all(TABLE[command.name] is TABLE[command.name.upper()] for command in COMMANDS)
