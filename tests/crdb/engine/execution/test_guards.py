"""The guards that refuse commands, and their order."""

from __future__ import annotations

import re

import pytest

from crdb.engine.client import Client
from crdb.engine.command import CONTAINER, DENY_LOADING, DENY_STALE, WRITE, Command
from crdb.engine.errors import (
    NO_AUTH,
    NOT_IN_TRANSACTION,
    OUT_OF_MEMORY,
    READ_ONLY,
    journal_failed,
    wrong_arity,
)
from crdb.engine.execution import guards
from crdb.engine.execution.executor import is_plain
from crdb.engine.execution.guards import GUARDS, check_guards
from crdb.engine.instance import Instance
from crdb.engine.metrics.memory import DENY_OOM, PLENTY
from crdb.engine.session import IN_TRANSACTION, UNAUTHENTICATED
from tests.crdb.declared import declared
from tests.crdb.raw import instance

MASTERDOWN = b"MASTERDOWN the source is away"
LOADING = b"LOADING the data is not back"


def nothing(_client: Client, _args: list[bytes]) -> None:
    """A handler that does nothing."""


WRITING = declared("writing", nothing, "x", "write denyoom no_multi")
READING = declared("reading", nothing, "x", "readonly")
HARMLESS = declared("harmless", nothing, "x", "loading stale no_auth")
ENDING = declared("ending", nothing, "x", "loading stale unqueued")
EXEC = declared("exec", nothing, "x", "loading stale unqueued")
ARGS = [b"x", b"k"]


def fill_memory(database: Instance, used_bytes: int) -> None:
    """Let the process use so much of the 100 bytes that it may use."""
    database.memory.probe = lambda: (used_bytes, PLENTY)
    database.memory.set_limit(100, 0)


def refusing() -> Client:
    """Return a client whose command every guard refuses, except the guard of the arity."""
    database = instance()
    fill_memory(database, 200)
    for bit, error in ((DENY_LOADING, LOADING), (DENY_STALE, MASTERDOWN), (WRITE, READ_ONLY)):
        database.refuse(bit, error)
    client = Client(database)
    client.flags |= UNAUTHENTICATED | IN_TRANSACTION
    return client


def test_guards_have_order_of_redis() -> None:
    client = refusing()
    database = client.instance
    database.fail_journal("disk full")
    found = [check_guards(client, WRITING, [b"writing"]), check_guards(client, WRITING, ARGS)]
    client.flags &= ~UNAUTHENTICATED
    found.append(check_guards(client, WRITING, ARGS))
    client.flags &= ~IN_TRANSACTION
    found.append(check_guards(client, WRITING, ARGS))
    fill_memory(database, 50)
    found.append(check_guards(client, WRITING, ARGS))
    database.journal_error = None
    found.append(check_guards(client, WRITING, ARGS))
    for bit in (WRITE, DENY_STALE, DENY_LOADING):
        database.refuse(bit, None)
        found.append(check_guards(client, WRITING, ARGS))
    assert found == [
        wrong_arity(b"writing"),
        NO_AUTH,
        NOT_IN_TRANSACTION,
        OUT_OF_MEMORY,
        journal_failed("disk full"),
        READ_ONLY,
        MASTERDOWN,
        LOADING,
        None,
    ]


@pytest.mark.interpreted("reads the docstring of a module")
def test_guards_are_listed_in_their_order() -> None:
    listed = re.findall(r"^`(guard_\w+)`", str(guards.__doc__), re.MULTILINE)
    assert listed == [guard.__name__ for guard in GUARDS]


@pytest.mark.parametrize(
    ("command", "gate", "error"),
    [
        (HARMLESS, 0, None),
        (HARMLESS, UNAUTHENTICATED, None),
        (HARMLESS, IN_TRANSACTION, OUT_OF_MEMORY),
        (ENDING, IN_TRANSACTION, None),
        (ENDING, UNAUTHENTICATED, NO_AUTH),
        (READING, 0, MASTERDOWN),
        (READING, IN_TRANSACTION, OUT_OF_MEMORY),
        (WRITING, 0, OUT_OF_MEMORY),
    ],
)
def test_guards_look_at_flags_of_command(command: Command, gate: int, error: bytes | None) -> None:
    client = refusing()
    client.flags = gate
    assert check_guards(client, command, ARGS) == error


@pytest.mark.parametrize(
    ("queued_bits", "error"),
    [
        (0, None),
        (DENY_OOM | WRITE, OUT_OF_MEMORY),
        (WRITE | DENY_STALE, READ_ONLY),
        (DENY_LOADING | DENY_STALE, MASTERDOWN),
        (DENY_LOADING, LOADING),
    ],
)
def test_exec_gets_errors_of_its_queue(queued_bits: int, error: bytes | None) -> None:
    client = refusing()
    client.flags = IN_TRANSACTION
    client.queued_bits = queued_bits
    assert check_guards(client, EXEC, ARGS) == error


def test_fast_path_asks_one_integer() -> None:
    database = instance()
    client = Client(database)
    assert database.guarded_bits == CONTAINER
    assert is_plain(client, WRITING, ARGS)
    fill_memory(database, 200)
    assert database.guarded_bits == CONTAINER | DENY_OOM
    assert [is_plain(client, each, ARGS) for each in (WRITING, READING)] == [False, True]
    fill_memory(database, 50)
    database.refuse(DENY_STALE, MASTERDOWN)
    assert database.guarded_bits == CONTAINER | DENY_STALE
    assert [is_plain(client, each, ARGS) for each in (READING, HARMLESS)] == [False, True]
    database.refuse(DENY_STALE, None)
    assert is_plain(client, READING, ARGS)
    database.memory.exhausted()
    assert not is_plain(client, WRITING, ARGS)
    database.fail_journal("disk full")
    assert database.guarded_bits == CONTAINER | DENY_OOM | WRITE
    assert check_guards(client, READING, ARGS) is None
