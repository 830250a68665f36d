"""Positions of keys in commands, and what a command does with them."""

from __future__ import annotations

from crdb.commands.declare.key_specs import FLAGS, ROLES, KeySpec, key_specs
from crdb.commands.table import COMMANDS

SHARED = [c for c in COMMANDS if not c.name.startswith(b"crdb.")]
ALL = SHARED + [child for command in SHARED for child in command.subcommands.values()]


def test_the_tables_hold_commands_only() -> None:
    assert set(FLAGS) | set(ROLES) <= {command.full_name.decode() for command in ALL}
    assert not set(FLAGS) & set(ROLES)


def test_a_command_without_keys_has_no_specification() -> None:
    [ping] = [command for command in ALL if command.name == b"ping"]
    assert key_specs(ping) == ()


def test_a_range_may_end_before_the_last_argument() -> None:
    keys = KeySpec("RO", 1, -2)
    assert [position for position in range(5) if keys.holds(position, 5)] == [1, 2, 3]
