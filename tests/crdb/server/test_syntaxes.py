"""Every command says what it takes, and it is what the executor lets pass."""

from __future__ import annotations

import pytest

from crdb.server.information import every_command
from crdb.server.registry import COMMANDS
from crdb.server.syntaxes import SYNTAXES, arguments_of
from crdb.server.table import CONTAINER, Command

LIBERAL = {b"command", b"quit", b"client|kill"}
"""These take more, or less, than they have a use for; CLIENT KILL then says what is wrong."""


def test_nothing_is_described_that_is_not_there() -> None:
    assert COMMANDS
    assert SYNTAXES.keys() <= {command.full_name.decode() for command in every_command()}


@pytest.mark.parametrize("command", every_command(), ids=lambda command: command.full_name.decode())
def test_arguments_fit_the_arity(command: Command) -> None:
    arguments = arguments_of(command.full_name)
    if command.bits & CONTAINER or command.full_name in LIBERAL:
        return
    least = 1 + command.full_name.count(b"|") + sum(argument.least() for argument in arguments)
    is_fixed = all(argument.is_fixed() for argument in arguments)
    assert command.arity == (least if is_fixed else -least)


@pytest.mark.parametrize("command", every_command(), ids=lambda command: command.full_name.decode())
def test_who_has_keys_names_them(command: Command) -> None:
    kinds = [argument.kind for argument in arguments_of(command.full_name)]
    kinds += [part.kind for each in arguments_of(command.full_name) for part in each.parts]
    assert ("key" in kinds) == (command.first_key > 0 or command.getkeys is not None)
