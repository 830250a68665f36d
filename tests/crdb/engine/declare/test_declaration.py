"""Properties derived from the declaration of a command."""

from __future__ import annotations

from typing import Unpack

import pytest

from crdb.engine.declare.declaration import CommandKind, Declaration, Facts


def declare(syntax: str, flags: str = "readonly", **facts: Unpack[Facts]) -> Declaration:
    """Declare a command."""
    return Declaration("test", syntax, flags, facts)


@pytest.mark.parametrize(
    ("syntax", "arity"),
    [
        ("", 1),
        ("key value", 3),
        ("key [value]", -2),
        ("key...", -2),
        ("<LEFT | RIGHT> timeout", 3),
        ("<ALL | source:string sink>", -2),
    ],
)
def test_arity_follows_from_syntax(syntax: str, arity: int) -> None:
    assert declare(syntax, summary="").arity == arity
    assert Declaration("test|child", syntax, "", {"summary": ""}).arity == arity + (
        1 if arity > 0 else -1
    )


@pytest.mark.parametrize(
    ("kind", "arity"), [(CommandKind.CALLABLE_CONTAINER, -1), (CommandKind.CONTAINER, -2)]
)
def test_arity_of_container(kind: CommandKind, arity: int) -> None:
    assert Declaration("test", "", "", {"summary": ""}, kind).arity == arity


def test_ignored_arguments_open_arity() -> None:
    assert declare("", summary="", ignores_arguments=True).arity == -1
    assert declare("key", summary="", ignores_arguments=True).arity == -2


def test_deprecated_argument_has_version() -> None:
    declaration = declare("<old | new>", summary="", deprecated_arguments=("2.8.12 old",))
    (choice,) = declaration.arguments
    versions = [declaration.argument_deprecated_since(each) for each in choice.parts]
    assert versions == ["2.8.12", ""]


def test_flags_follow_from_keys() -> None:
    assert declare("key", "write", summary="").flags == ["write"]
    assert declare("numkeys key...", "write", summary="").flags == ["write", "movablekeys"]
    hidden = declare("", "fast unqueued", summary="")
    assert (hidden.flags, hidden.is_unqueued) == (["fast"], True)


def test_key_flags_follow_from_command_flags() -> None:
    (reading,) = declare("key", "readonly", summary="").key_specs
    (writing,) = declare("key", "write", summary="").key_specs
    assert (reading.flags, writing.flags) == ("RO access", "RW access update")


def test_key_flags_of_request() -> None:
    store = declare("destination numkeys key...", "write", keys="OW update; RO", summary="")
    request = b"X a 2 b c".split()
    assert store.key_positions(request) == [1, 3, 4]
    assert [store.key_flags_at(request, each) for each in (1, 3, 4)] == [
        ["OW", "update"],
        ["RO"],
        ["RO"],
    ]
    options = declare("key", "write", key_flags=lambda request: "RM delete", summary="")
    assert options.key_flags_at(b"X k".split(), 1) == ["RM", "delete"]


def test_keys_at_unknown_positions_are_found_by_command() -> None:
    found = declare(
        "key [STORE destination]",
        "write",
        keys="RO; OW",
        find_keys=lambda request: [1, len(request) - 1],
        summary="",
    )
    request = b"X k STORE d".split()
    assert found.key_positions(request) == [1, 3]
    assert found.key_flags_at(request, 3) == ["OW"]
    assert found.spec_indexes == {"key": 0, "destination": 1}


def test_key_arguments_refer_to_their_specification() -> None:
    sort = declare(
        "key [BY by-pattern] [GET get-pattern]... [STORE destination]",
        "write",
        keys="RO; RO; OW",
        summary="",
    )
    assert sort.spec_indexes == {"key": 0, "by-pattern": 1, "get-pattern": 1, "destination": 2}
    assert declare("key1 key2", summary="").spec_indexes == {"key1": 0, "key2": 0}
    assert declare("(key value)...", summary="").spec_indexes == {"key": 0}


def test_versions_of_arguments_follow_from_history() -> None:
    declaration = declare(
        "key [condition: NX | XX] [EX seconds] [KEEPTTL]",
        summary="",
        history=("2.6.12 `condition`", "6.0.0 option `EX`", "7.0.0 KEEPTTL with NX"),
    )
    versions = [declaration.argument_since(each) for each in declaration.arguments]
    assert versions == ["", "2.6.12", "6.0.0", ""]
    assert declaration.history[1] == ("6.0.0", "option `EX`")


def test_replacement_of_deprecated_command() -> None:
    assert declare("", summary="", deprecated="7.2.0 another one").deprecated == (
        "7.2.0",
        "another one",
    )
    assert declare("", summary="").deprecated == ("", "")


def test_categories_follow_from_flags_and_group() -> None:
    hash_ = declare("", "write fast", summary="", group="hash")
    assert hash_.categories == ["fast", "hash", "write"]
    other = declare("", "admin pubsub blocking", summary="", categories="x")
    assert other.categories == ["admin", "blocking", "dangerous", "pubsub", "slow", "x"]
    less = declare("", "", summary="", group="generic", categories="connection -keyspace")
    assert less.categories == ["connection", "slow"]
    script = declare("", "readonly", summary="", group="scripting")
    assert script.categories == ["scripting", "slow"]


def test_defaults() -> None:
    plain = declare("", summary="Does something.", tips="a b")
    assert (plain.group, plain.since, plain.complexity) == ("server", "1.0.0", "O(1)")
    assert plain.tips == ["a", "b"]
    container = Declaration("test", "", "", {"summary": ""}, CommandKind.CONTAINER)
    assert container.complexity == "Depends on subcommand."
