"""Test users: their flags, passwords and selectors."""

from __future__ import annotations

import pytest

from crdb.security.passwords import hash_password
from crdb.security.rule_error import RuleError
from crdb.security.user import UnmatchedParenthesis, User, merge_selectors
from crdb.security.verdict import READ
from tests.crdb.security.rules import TABLE, request_of, user_of

HASH = hash_password(b"pw").decode()


@pytest.mark.rule("ACL-2")
def test_new_user_may_nothing() -> None:
    user = User(b"alice", TABLE)
    assert user.describe() == b"off sanitize-payload resetchannels -@all"
    assert not user.may_log_in(b"")
    assert User(b"a", TABLE, opens_channels=True).describe() == b"off sanitize-payload &* -@all"


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ("on", "on sanitize-payload"),
        ("ON nopass OFF", "off nopass sanitize-payload"),
        ("skip-sanitize-payload", "off skip-sanitize-payload"),
        (">pw >pw", f"off sanitize-payload #{HASH}"),
        (f"#{HASH}", f"off sanitize-payload #{HASH}"),
        ("nopass >pw", f"off sanitize-payload #{HASH}"),
        (">pw nopass", "off nopass sanitize-payload"),
        (">pw <pw", "off sanitize-payload"),
        (f">pw !{HASH}", "off sanitize-payload"),
        (">pw nopass resetpass", "off sanitize-payload"),
    ],
)
def test_flags_and_passwords_are_described(rules: str, shown: str) -> None:
    assert user_of(rules).describe() == f"{shown} resetchannels -@all".encode()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [("<pw", "does not exist"), (f"!{HASH}", "does not exist"), ("#x", "64 characters")],
)
def test_wrong_password_rule_is_refused(rule: str, reason: str) -> None:
    with pytest.raises(RuleError, match=reason) as caught:
        user_of(f"on {rule}")
    assert caught.value.rule == rule.encode()


@pytest.mark.parametrize("opens_channels", [True, False])
def test_reset_makes_new_user(opens_channels: bool) -> None:
    rules = "on nopass >x skip-sanitize-payload ~* &* +@all (+get) reset"
    fresh = User(b"alice", TABLE, opens_channels=opens_channels)
    assert user_of(rules, opens_channels=opens_channels).describe() == fresh.describe()


@pytest.mark.rule("ACL-1")
def test_selectors_are_added_and_cleared() -> None:
    user = user_of("+get ~a (+set ~b) ( +del %W~c &x )")
    assert user.describe().endswith(
        b"~a resetchannels -@all +get (~b resetchannels -@all +set)"
        b" (%W~c resetchannels &x -@all +del)"
    )
    user.apply(b"ClearSelectors")
    assert user.describe().endswith(b"~a resetchannels -@all +get")
    assert user_of("(+get)", opens_channels=True).describe().endswith(b"-@all (&* -@all +get)")


def test_empty_rule_does_nothing() -> None:
    user = User(b"alice", TABLE)
    before = user.describe()
    user.apply(b"")
    assert user.describe() == before


@pytest.mark.parametrize(
    ("rules", "password", "is_right"),
    [
        ("on >a >b", b"b", True),
        ("on >a >b", b"c", False),
        ("on >a", b"", False),
        ("on nopass", b"anything", True),
        ("off nopass", b"", False),
        ("on", b"", False),
    ],
)
def test_login(rules: str, password: bytes, is_right: bool) -> None:
    assert user_of(rules).may_log_in(password) is is_right


@pytest.mark.rule("ACL-11")
def test_selectors_do_not_add_up() -> None:
    user = user_of("+get ~a (+mget ~b) (+mget ~c)")
    assert user.deny(request_of("MGET b")) is None
    assert user.deny(request_of("MGET b c")) is not None
    assert user.deny(request_of("MGET a")) is not None


@pytest.mark.rule("ACL-16")
def test_every_key_must_be_readable_by_the_same_selector() -> None:
    sort = request_of("SORT l BY w_*")
    for rules, expected in (
        ("+sort ~*", True),
        ("+sort %R~*", True),
        ("+sort ~l", False),
        ("+sort ~l (+get ~*)", False),
        ("+get ~l (+sort ~*)", True),
    ):
        user = user_of(rules)
        assert user.permits_every_key(sort.command, sort.args, READ) is expected


def test_channel_is_permitted_by_any_selector() -> None:
    user = user_of("&a (&b)")
    assert [user.permits_channel(name, is_pattern=False) for name in (b"a", b"b", b"c")] == [
        True,
        True,
        False,
    ]


def test_unlimited_user_has_one_open_selector() -> None:
    assert user_of("~* &* +@all").is_unlimited
    assert user_of("-@all (~* &* +@all)").is_unlimited
    assert not user_of("~* (&* +@all)").is_unlimited


def test_copy_is_independent() -> None:
    user = user_of("on >pw +get (+set)")
    before, other = user.describe(), user.copy()
    assert other.describe() == before
    for rule in (b"reset", b"+@all", b"(+get)"):
        other.apply(rule)
    assert user.describe() == before


@pytest.mark.parametrize(
    ("rules", "merged"),
    [
        ("on ( +get ~a ) off", ["on", "( +get ~a )", "off"]),
        ("(+get ~a) ()", ["(+get ~a)", "()"]),
        ("(a (b c) d)", ["(a (b c)", "d)"]),
        ("", []),
    ],
)
def test_selectors_are_merged(rules: str, merged: list[str]) -> None:
    assert merge_selectors(rules.encode().split()) == [each.encode() for each in merged]


def test_unmatched_parenthesis_is_refused() -> None:
    with pytest.raises(UnmatchedParenthesis) as caught:
        merge_selectors([b"on", b"(+get", b"~a"])
    assert caught.value.argument == b"(+get"
