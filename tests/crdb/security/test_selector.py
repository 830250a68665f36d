"""Test selectors: rules for keys and channels, and their form in ACL LIST."""

from __future__ import annotations

import pytest

from crdb.security.rule_error import RuleError
from crdb.security.selector import Selector, has_spaces, parse_key_rule, parse_selector
from crdb.security.verdict import EITHER, READ, WRITE
from tests.crdb.security.rules import TABLE


def selector_of(rules: str) -> Selector:
    selector = Selector(TABLE)
    for rule in rules.split():
        selector.apply(rule.encode())
    return selector


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ("", "resetchannels -@all"),
        ("~* &* +@all", "~* &* +@all"),
        ("AllKeys AllChannels AllCommands", "~* &* +@all"),
        ("%rw~a %R~b %W~c ~d", "~a %R~b %W~c ~d resetchannels -@all"),
        ("%R~a %W~a ~b", "~a ~b resetchannels -@all"),
        ("~a ~b resetkeys ~c", "~c resetchannels -@all"),
        ("&a &b &a", "resetchannels &a &b -@all"),
        ("&* resetchannels &c", "resetchannels &c -@all"),
        ("%R", "%R~ resetchannels -@all"),
        ("%RW~*", "~* resetchannels -@all"),
        ("+@all -get nocommands", "resetchannels -@all"),
    ],
)
def test_rules_are_described(rules: str, shown: str) -> None:
    assert selector_of(rules).describe() == shown.encode()


@pytest.mark.rule("ACL-6")
@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ("~* ~a", "'allkeys' flag"),
        ("~* %x", "'allkeys' flag"),
        ("&* &a", "'allchannels' flag"),
        ("%~a", "Syntax error"),
        ("%", "Syntax error"),
        ("%RR~a", "Syntax error"),
        ("%RX~a", "Syntax error"),
        ("bogus", "Syntax error"),
        ("on", "Syntax error"),
    ],
)
def test_wrong_rule_is_refused(rules: str, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        selector_of(rules)


@pytest.mark.parametrize("rule", [b"~a b", b"&a\tb", b"~a\x00", b"%R~\n"])
def test_pattern_has_no_spaces(rule: bytes) -> None:
    assert has_spaces(rule)
    with pytest.raises(RuleError, match="Syntax error"):
        Selector(TABLE).apply(rule)


@pytest.mark.rule("ACL-13")
def test_one_pattern_must_permit_all_that_is_needed() -> None:
    selector = selector_of("%R~read* %W~write* %R~*both %W~both* ~all*")
    permitted = {
        name: [selector.permits_key(name, needs) for needs in (EITHER, READ, WRITE, READ | WRITE)]
        for name in (b"read1", b"write1", b"bothboth", b"all", b"other")
    }
    assert permitted == {
        b"read1": [True, True, False, False],
        b"write1": [True, False, True, False],
        b"bothboth": [True, True, True, False],
        b"all": [True, True, True, True],
        b"other": [False] * 4,
    }


def test_every_key_needs_star() -> None:
    rules = ("~*", "%R~*", "%W~*", "%RW~*", "~**", "~a")
    found = [selector_of(each).permits_every_key(READ) for each in rules]
    assert found == [True, True, False, True, False, False]


@pytest.mark.rule("ACL-18")
def test_pattern_of_channels_must_be_there_literally() -> None:
    selector = selector_of("&news.* &x")
    assert selector.permits_channel(b"news.1", is_pattern=False)
    assert not selector.permits_channel(b"news.1", is_pattern=True)
    assert selector.permits_channel(b"news.*", is_pattern=True)
    assert not selector.permits_channel(b"news.?", is_pattern=True)
    assert not selector.permits_channel(b"y", is_pattern=False)
    assert selector_of("&*").permits_channel(b"y*", is_pattern=True)


def test_key_rule_ends_letters_at_tilde() -> None:
    assert parse_key_rule(b"~%R~x") == (READ | WRITE, b"%R~x")
    assert parse_key_rule(b"%wR~~x") == (READ | WRITE, b"~x")
    assert parse_key_rule(b"%W~") == (WRITE, b"")


def test_selector_in_parentheses_may_quote() -> None:
    made = parse_selector(b"""("+get" '~a\\'b' &c)""", TABLE, has_all_channels=False)
    assert made.describe() == b"~a'b resetchannels &c -@all +get"
    assert parse_selector(b"(+get 'x)", TABLE, has_all_channels=True).describe() == b"&* -@all"
    with pytest.raises(RuleError, match="Syntax error"):
        parse_selector(b"(on)", TABLE, has_all_channels=False)


def test_copy_is_independent() -> None:
    selector = selector_of("%R~a &x +get")
    other = selector.copy()
    for rule in (b"%W~a", b"&y", b"+set"):
        other.apply(rule)
    assert selector.describe() == b"%R~a resetchannels &x -@all +get"
    assert other.describe() == b"~a resetchannels &x &y -@all +get +set"


def test_selector_of_everything_denies_nothing() -> None:
    rules = ("~* &* +@all", "~* +@all", "&* +@all", "~* &* +@all -get", "~* &* +get")
    assert [selector_of(each).allows_everything for each in rules] == [True] + [False] * 4
