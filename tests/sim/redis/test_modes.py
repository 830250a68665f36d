"""The model of a connection's modes refuses like Redis, and changes nothing then."""

from __future__ import annotations

from typing import Any

import pytest

from sim.redis.connection import ANY
from sim.redis.modes import ModesModel, Properties, ServerModel
from sim.redis.state import CommandFailure


def code(reply: Any) -> str:
    """Return the first word of an expected error."""
    assert isinstance(reply, CommandFailure)
    return reply.code


@pytest.fixture
def model() -> ModesModel:
    return ModesModel(ServerModel())


@pytest.fixture
def locked() -> ModesModel:
    return ModesModel(ServerModel("secret"))


def test_hello_changes_protocol_and_name(model: ModesModel) -> None:
    assert model.run(("HELLO", "3", "SETNAME", "n")) == Properties(3)
    assert model.run(("HELLO",)) == Properties(3)
    assert model.describe() == {"name": "n", "resp": "3", "flags": "N"}
    assert model.run(("CLIENT", "GETNAME")) == "n"
    assert model.run(("RESET",)) == "RESET"
    assert model.describe() == {"name": "", "resp": "2", "flags": "N"}
    assert model.run(("CLIENT", "GETNAME")) is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("HELLO x", "ERR"),
        ("HELLO 4", "NOPROTO"),
        ("HELLO 3 SETNAME", "ERR"),
        ("HELLO 3 AUTH default", "ERR"),
        ("HELLO 3 NAME n", "ERR"),
        ("HELLO 3 AUTH default wrong", "WRONGPASS"),
        ("HELLO 3 AUTH other secret", "WRONGPASS"),
        ("HELLO 3 SETNAME n", "NOAUTH"),
        ("AUTH wrong", "WRONGPASS"),
        ("ECHO x", "NOAUTH"),
    ],
)
def test_refused_command_changes_nothing(locked: ModesModel, words: str, error: str) -> None:
    assert code(locked.run(tuple(words.split()))) == error
    assert not locked.is_authenticated
    assert locked.describe() == {"name": "", "resp": "2", "flags": "N"}


@pytest.mark.parametrize(
    "words", ["AUTH secret", "AUTH default secret", "HELLO 2 AUTH default secret"]
)
def test_right_password_opens_until_reset(locked: ModesModel, words: str) -> None:
    assert not isinstance(locked.run(tuple(words.split())), CommandFailure)
    assert locked.run(("ECHO", "x")) == "x"
    locked.run(("RESET",))
    assert code(locked.run(("ECHO", "x"))) == "NOAUTH"


def test_empty_password_lets_all_in_and_authenticates_nobody(locked: ModesModel) -> None:
    locked.server.password = ""
    assert locked.run(("ECHO", "x")) == "x"
    assert code(locked.run(("HELLO", "3"))) == "NOAUTH"
    locked.server.password = "another"
    assert code(locked.run(("ECHO", "x"))) == "NOAUTH"
    locked.server.password = ""
    assert locked.run(("RESET",)) == "RESET"
    locked.server.password = "another"
    assert locked.run(("ECHO", "x")) == "x"


def test_auth_without_password_is_refused(model: ModesModel) -> None:
    assert code(model.run(("AUTH", "any"))) == "ERR"
    assert model.run(("AUTH", "default", "any")) == "OK"


def test_switches_show_in_flags(model: ModesModel) -> None:
    assert model.run(("CLIENT", "NO-TOUCH", "ON")) == "OK"
    assert model.run(("CLIENT", "NO-EVICT", "on".upper())) == "OK"
    assert model.describe()["flags"] == "eT"
    assert code(model.run(("CLIENT", "NO-EVICT", "no"))) == "ERR"
    assert code(model.run(("CLIENT", "SETNAME", "two words"))) == "ERR"
    assert model.run(("CLIENT", "SETNAME", "n")) == "OK"
    assert model.run(("PING",)) is ANY
