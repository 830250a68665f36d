"""Test the text of a file of users."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.security.acl_file import AclFileError, format_users, parse_users
from crdb.security.users import Users
from tests.crdb.security.rules import TABLE, user_of

RULES = [
    *("on", "off", "nopass", ">pw", "skip-sanitize-payload", "~a*", "%R~b", "%W~c", "~*", "&x"),
    *("&*", "+@all", "-@write", "+get", "+config|get", "-config", "+select|0", "(+set ~d)"),
    *("(~* &* +@all -get)", "()"),
]


def parse(text: str) -> dict[bytes, bytes]:
    users = parse_users(text.encode(), b"users.acl", Users(TABLE))
    return {name: user.describe() for name, user in users.items()}


def test_line_describes_user() -> None:
    found = parse("user alice on >x ~a +get\n\n  user bob \t\r\n")
    assert found == {
        b"alice": user_of("on >x ~a +get").describe(),
        b"bob": user_of("").describe(),
    }
    assert parse("user  on") == {b"": user_of("on").describe()}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("# users", "users.acl:1 should start with user keyword followed by the username. "),
        ("user", "users.acl:1 should start with user keyword followed by the username. "),
        ("\nuser a\vb on", "'users.acl:2: username 'a\vb' contains invalid characters. "),
        ("user a\nuser a", "WARNING: Duplicate user 'a' found on line 2. "),
        ("user a (+get", "users.acl:1: Unmatched parenthesis in selector definition."),
        ("user a x y", "users.acl:1: Syntax error. "),
        (
            "user a +nope x +@no y",
            (
                "users.acl:1: Error in applying operation '+nope': Unknown command or category name"
                " in ACL. users.acl:1: Syntax error. users.acl:1: Error in applying operation "
                "'+@no': Unknown command or category name in ACL. "
            ),
        ),
        (
            "x\n\nuser a y",
            (
                "users.acl:1 should start with user keyword followed by the username. "
                "users.acl:3: Syntax error. "
            ),
        ),
    ],
)
def test_all_errors_are_listed_with_line(text: str, error: str) -> None:
    with pytest.raises(AclFileError) as caught:
        parse(text)
    assert caught.value.text == error.encode()


@given(st.lists(st.lists(st.sampled_from(RULES), max_size=6), min_size=1, max_size=3))
def test_users_are_the_same_after_writing_and_reading(chosen: list[list[str]]) -> None:
    users = Users(TABLE)
    for number, rules in enumerate(chosen):
        user = users.draft(b"user%d" % number)
        for rule in rules:
            if rule[:1] in "~%":
                user.apply(b"resetkeys")
            if rule[:1] == "&":
                user.apply(b"resetchannels")
            user.apply(rule.encode())
        users.by_name[user.name] = user
    text = format_users(users.sorted())
    again = parse_users(text, b"", users)
    assert format_users(again.values()) == text
    for user in users.sorted():
        allowed = [each.commands.allowed for each in user.selectors]
        assert [each.commands.allowed for each in again[user.name].selectors] == allowed
