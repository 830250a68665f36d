"""The command table: how a request finds its command."""

from __future__ import annotations

import pytest

from crdb.commands.table import TABLE
from crdb.engine.client import Client
from crdb.engine.command import Command, find, install, no_handler, require
from crdb.engine.errors import CommandError
from tests.crdb.raw import instance


def nothing(_client: Client, _args: list[bytes]) -> None:
    """A handler that does nothing."""


def test_names_in_any_case() -> None:
    assert find([b"GET"]) is find([b"get"]) is find([b"gEt"]) is TABLE[b"get"]
    assert find([b"nothing"]) is None


def test_subcommands() -> None:
    config = TABLE[b"config"]
    assert find([b"CONFIG", b"gEt", b"x"]) is config.subcommands[b"get"]
    assert config.subcommands[b"get"].full_name == b"config|get"
    assert find([b"CONFIG"]) is config
    assert find([b"CONFIG", b"none"]) is None
    assert find([b"GET", b"get"]) is TABLE[b"get"]


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
        require(request_)
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
    with pytest.raises(AssertionError):
        install((Command("get", nothing, 2),))


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
