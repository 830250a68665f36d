"""The command table: how a request finds its command."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.command import (
    CONTAINER,
    DENY_BUSY,
    DENY_LOADING,
    TIMED,
    UNQUEUED,
    WRITE,
    CommandTable,
    no_handler,
)
from crdb.engine.errors import CommandError
from crdb.engine.metrics.memory import DENY_OOM
from crdb.engine.metrics.statistics import COMMANDS_MAX
from tests.crdb.declared import declared
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
def test_unknown_command_is_named(request_: list[bytes], text: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        TABLE.require(request_)
    assert caught.value.text == text


def test_arity() -> None:
    exactly = declared("a", nothing, "key")
    at_least = declared("b", nothing, "key [value]")
    assert [exactly.takes(n) for n in (1, 2, 3)] == [False, True, False]
    assert [at_least.takes(n) for n in (1, 2, 3)] == [False, True, True]


def test_flags_become_bits() -> None:
    bits = declared("a", nothing, "", "write denyoom unqueued stale fast").bits
    assert bits == WRITE | DENY_OOM | UNQUEUED | DENY_LOADING | DENY_BUSY
    assert declared("a", None, "", "loading stale").bits == CONTAINER | TIMED | DENY_BUSY


@pytest.mark.parametrize(
    ("name", "flags", "group", "is_timed"),
    [
        ("a", "fast", "string", False),
        ("a", "", "string", True),
        ("a", "fast", "sorted-set", True),
        ("set", "", "string", False),
        ("config|set", "", "server", True),
        ("unlink", "fast", "generic", True),
    ],
)
def test_slow_commands_are_timed(name: str, flags: str, group: str, is_timed: bool) -> None:
    assert bool(declared(name, nothing, "", flags, group).bits & TIMED) == is_timed


def test_container_alone_cannot_be_called() -> None:
    with pytest.raises(AssertionError):
        no_handler(Client(instance()), [])
    with pytest.raises(AssertionError, match="neither a handler nor subcommands"):
        CommandTable((declared("e", None),))


def test_name_is_taken_once() -> None:
    with pytest.raises(AssertionError, match="is there twice"):
        CommandTable((declared("get", nothing), declared("get", nothing)))


def test_command_has_one_number_in_all_tables() -> None:
    first, second = declared("a", nothing), declared("b", nothing)
    CommandTable((first, second))
    CommandTable((first, second))
    assert (first.number, second.number) == (1, 2)
    with pytest.raises(AssertionError, match="has another number"):
        CommandTable((second,))


def test_table_is_not_larger_than_counters() -> None:
    names = [f"c{number}" for number in range(COMMANDS_MAX)]
    CommandTable([declared(name, nothing) for name in names[1:]])
    with pytest.raises(AssertionError, match="counts calls of 511"):
        CommandTable([declared(name, nothing) for name in names])


def test_commands_are_listed_by_name() -> None:
    container = declared("b", None)
    container.add_subcommand(declared("b|z", nothing))
    container.add_subcommand(declared("b|y", nothing))
    table = CommandTable((container, declared("a", nothing)))
    assert [each.full_name for each in table.top_level()] == [b"a", b"b"]
    assert [each.full_name for each in table.everything()] == [b"a", b"b", b"b|y", b"b|z"]
