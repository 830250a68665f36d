"""Test the rules for commands: what they allow, and how they are described."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.security.command_rules import (
    CATEGORIES,
    CommandRules,
    commands_of_category,
    find_by_full_name,
)
from crdb.security.rule_error import RuleError
from tests.crdb.security.rules import TABLE

RULES = [
    sign + name
    for sign in "+-"
    for name in ("@all", "@read", "@slow", "@connection", "get", "config", "config|get", "client")
] + ["+select|0", "+config|set", "-select", "+select"]


def applied(text: str) -> CommandRules:
    rules = CommandRules(TABLE)
    for rule in text.split():
        rules.apply(rule.encode())
    return rules


def may(rules: CommandRules, words: str) -> bool:
    args = words.encode().split()
    return rules.allows(TABLE.require(args), args)


@pytest.mark.rule("ACL-8")
@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ("", "-@all"),
        ("+@all", "+@all"),
        ("-@all +get +set +get", "-@all +set +get"),
        ("+config|get +config", "-@all +config"),
        ("+config +config|get", "-@all +config +config|get"),
        ("+config|get -config", "-@all -config"),
        ("+GET +@Read -Config|SET", "-@all +get +@read -config|set"),
        ("+@read -@read", "-@all -@read"),
        ("-get +@all", "+@all"),
        ("+@all -get +config|get nothing", "+@all -get +config|get"),
        ("+select|0 +select|1 -select", "-@all -select"),
        ("+get +getex -get", "-@all +getex -get"),
    ],
)
def test_rules_are_described_in_order(rules: str, shown: str) -> None:
    words = rules.removesuffix(" nothing")
    assert applied(words).describe() == shown.encode()


@pytest.mark.rule("ACL-7")
def test_command_and_category_include_subcommands() -> None:
    for rules in ("+config", "+@all"):
        assert may(applied(rules), "CONFIG GET x")
        assert may(applied(rules), "CONFIG RESETSTAT")
    assert not may(applied("+config -config|set"), "CONFIG SET a b")
    assert may(applied("+config -config|set"), "CONFIG GET a")
    assert not may(applied("+@all -client"), "CLIENT LIST")
    # CLIENT itself is in @slow, so all of its subcommands come with it
    assert may(applied("+@slow"), "CLIENT ID")


def test_first_argument_is_compared_without_case() -> None:
    rules = applied("+select|0 +select|0")
    assert [may(rules, f"SELECT {index}") for index in (0, 1)] == [True, False]
    assert may(applied("+set|KEY"), "SET key v")
    assert not may(applied("+select|0 -select"), "SELECT 0")
    assert not may(applied("+ping|x"), "PING")


@pytest.mark.rule("ACL-10")
def test_login_is_always_allowed() -> None:
    assert all(may(applied("-@all"), words) for words in ("AUTH x", "HELLO", "QUIT", "RESET"))


@pytest.mark.parametrize(
    "rule",
    ["+nope", "-nope", "+@nope", "+", "+config|nope", "-select|0", "+a|b|c", "-config|get|x"],
)
def test_unknown_name_is_refused(rule: str) -> None:
    with pytest.raises(RuleError, match="Unknown command or category"):
        applied(rule)


def test_subcommand_takes_no_first_argument() -> None:
    with pytest.raises(RuleError, match="first-arg of a subcommand"):
        applied("+config|get|x")
    with pytest.raises(RuleError, match="Syntax error"):
        applied("+get|")


def test_everything_is_allowed_only_without_exception() -> None:
    given = ("+@all", "+@all -get", "+@all -get +get", "+@all -@read +@read", "+get")
    assert [applied(rules).allows_everything for rules in given] == [True, False, True, True, False]


@given(st.lists(st.sampled_from(RULES), max_size=8))
def test_shown_rules_and_allowed_commands_agree(chosen: list[str]) -> None:
    rules = applied(" ".join(chosen))
    again = applied(rules.describe().decode())
    assert again.allowed == rules.allowed
    everything = {command.full_name for command in TABLE.everything()}
    assert not rules.allows_everything or rules.allowed == everything


def test_copy_is_independent() -> None:
    rules = applied("+@all -get +select|0")
    other = rules.copy()
    other.reset(allow=False)
    other.apply(b"+select|1")
    assert rules.describe() == b"+@all -get +select|0"
    assert may(rules, "SET k v")
    assert not may(other, "SELECT 0")


def test_categories_are_those_of_declarations() -> None:
    declared = {name for each in TABLE.everything() for name in each.declaration.categories}
    assert declared <= set(CATEGORIES)
    assert len(CATEGORIES) == 21
    found = commands_of_category(TABLE, "transaction")
    assert found is not None
    names = {b"discard", b"exec", b"multi", b"unwatch", b"watch"}
    assert {each.full_name for each in found} == names
    assert commands_of_category(TABLE, "nope") is None


def test_full_name_finds_command() -> None:
    for name, is_there in ((b"get", True), (b"config|get", True), (b"get|x", False), (b"", False)):
        assert (find_by_full_name(TABLE, name) is not None) is is_there
