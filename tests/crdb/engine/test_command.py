"""The command table: how a request finds its command."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.command import Command, CommandTable, no_handler
from crdb.engine.errors import CommandError
from crdb.engine.metrics.statistics import COMMANDS_MAX
from tests.crdb.raw import instance

TABLE = build_table()


def nothing(_client: Client, _args: list[bytes]) -> None:
    """A handler that does nothing."""


def test_names_in_any_case() -> None:
    assert (
        TABLE.find([b"GET"])
        is TABLE.find([b"get"])
        is TABLE.find([b"gEt"])
        is TABLE.by_name[b"get"]
    )
    assert TABLE.find([b"nothing"]) is None


def test_subcommands() -> None:
    config = TABLE.by_name[b"config"]
    assert TABLE.find([b"CONFIG", b"gEt", b"x"]) is config.subcommands[b"get"]
    assert config.subcommands[b"get"].full_name == b"config|get"
    assert TABLE.find([b"CONFIG"]) is config
    assert TABLE.find([b"CONFIG", b"none"]) is None
    assert TABLE.find([b"GET", b"get"]) is TABLE.by_name[b"get"]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (
            [b"FOO", b"bar", b"baz\r\n\x00hidden"],
            b"ERR unknown command 'FOO', with args beginning with: 'bar' 'baz  ' ",
        ),
        ([b"x" * 200], b"ERR unknown command '%b', with args beginning with: " % (b"x" * 128)),
        (
            [b"x", b"a" * 100, b"b" * 100, b"c"],
            b"ERR unknown command 'x', with args beginning with: '%b' '%b' "
            % (b"a" * 100, b"b" * 25),
        ),
        ([b"Config", b"none"], b"ERR unknown subcommand 'none'. Try CONFIG HELP."),
    ],
)
def test_what_is_not_there_is_named(request_: list[bytes], text: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        TABLE.require(request_)
    assert caught.value.text == text


def test_arity() -> None:
    exactly, at_least = Command("a", nothing, 2), Command("b", nothing, -2)
    assert [exactly.takes(n) for n in (1, 2, 3)] == [False, True, False]
    assert [at_least.takes(n) for n in (1, 2, 3)] == [False, True, True]


def test_keys() -> None:
    pairs = Command("a", nothing, -3, keys=(1, -1, 2))
    assert pairs.key_positions([b"a", b"k", b"v", b"l", b"w"]) == [1, 3]
    assert Command("b", nothing, 1).key_positions([b"b"]) == []
    assert Command("c", nothing, 3, keys=(1, 2, 1)).key_positions([b"c", b"k", b"l"]) == [1, 2]
    own = Command("d", nothing, -1, getkeys=lambda args: [len(args) - 1])
    assert own.key_positions([b"d", b"x", b"k"]) == [2]


def test_a_parent_alone_cannot_be_called() -> None:
    with pytest.raises(AssertionError):
        no_handler(Client(instance()), [])
    with pytest.raises(AssertionError):
        Command("e", None, 1)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(AssertionError, match="is there twice"):
        CommandTable((Command("get", nothing, 2), Command("get", nothing, 2)))


def test_a_command_has_one_number_in_all_tables() -> None:
    first, second = Command("a", nothing, 1), Command("b", nothing, 1)
    CommandTable((first, second))
    CommandTable((first, second))
    assert (first.number, second.number) == (1, 2)
    with pytest.raises(AssertionError, match="has another number"):
        CommandTable((second,))


def test_a_table_is_no_larger_than_the_counters() -> None:
    names = [f"c{number}" for number in range(COMMANDS_MAX)]
    CommandTable([Command(name, nothing, 1) for name in names[1:]])
    with pytest.raises(AssertionError, match="counts calls of 511"):
        CommandTable([Command(name, nothing, 1) for name in names])


def test_commands_are_listed_by_name() -> None:
    table = CommandTable(
        (
            Command(
                "b", None, -2, subcommands=(Command("z", nothing, 2), Command("y", nothing, 2))
            ),
            Command("a", nothing, 1),
        )
    )
    assert [each.full_name for each in table.top_level()] == [b"a", b"b"]
    assert [each.full_name for each in table.everything()] == [b"a", b"b", b"b|y", b"b|z"]


def test_categories_follow_from_what_a_command_is() -> None:
    assert Command("a", nothing, 1, "write fast", group="hash").categories == [
        "fast",
        "hash",
        "write",
    ]
    assert Command("b", nothing, 1, "admin pubsub blocking", categories="x").categories == [
        "admin",
        "blocking",
        "dangerous",
        "pubsub",
        "slow",
        "x",
    ]
