"""Every command says what it takes, and it is what the executor lets pass."""

from __future__ import annotations

from crdb.commands.declare.syntaxes import SYNTAXES, arguments_of
from crdb.commands.table import COMMANDS, build_table
from crdb.engine.command import CONTAINER, Command

LIBERAL = {b"command", b"quit", b"client|kill"}
"""These take more, or less, than they have a use for; CLIENT KILL then says what is wrong."""


def test_nothing_is_described_that_is_not_there() -> None:
    assert COMMANDS
    assert SYNTAXES.keys() <= {command.full_name.decode() for command in build_table().everything()}


def described_arity(command: Command) -> int:
    """The arity that the description of its arguments asks for."""
    arguments = arguments_of(command.full_name)
    least = 1 + command.full_name.count(b"|") + sum(argument.least() for argument in arguments)
    is_fixed = all(argument.is_fixed() for argument in arguments)
    return least if is_fixed else -least


def test_arguments_fit_the_arity() -> None:
    strict = [
        command
        for command in build_table().everything()
        if not command.bits & CONTAINER and command.full_name not in LIBERAL
    ]
    named = {command.full_name: command.arity for command in strict}
    assert named == {command.full_name: described_arity(command) for command in strict}


def has_keys(command: Command) -> bool:
    """Whether a key is among the arguments that are described."""
    arguments = arguments_of(command.full_name)
    kinds = [argument.kind for argument in arguments]
    return "key" in kinds + [part.kind for each in arguments for part in each.parts]


def test_who_has_keys_names_them() -> None:
    named = {
        each.full_name for each in build_table().everything() if each.first_key > 0 or each.getkeys
    }
    assert named == {each.full_name for each in build_table().everything() if has_keys(each)}
