"""Test the users of an instance."""

from __future__ import annotations

import pytest

from crdb.security.passwords import hash_password
from crdb.security.rule_error import RuleError
from crdb.security.user import UnmatchedParenthesis, User
from crdb.security.users import Users
from tests.crdb.security.rules import TABLE

DEFAULT = b"on nopass sanitize-payload ~* &* +@all"


@pytest.mark.rule("ACL-3")
def test_default_is_there_and_may_everything() -> None:
    users = Users(TABLE)
    assert [user.name for user in users.sorted()] == [b"default"]
    assert users.default.describe() == DEFAULT
    assert users.default.is_unlimited
    assert not users.requires_login


@pytest.mark.rule("ACL-4")
def test_change_is_whole_or_not_at_all() -> None:
    users = Users(TABLE)
    users.change(b"alice", [b"on", b"+get"])
    before = users.by_name[b"alice"].describe()
    with pytest.raises(RuleError):
        users.change(b"alice", [b"+set", b"bogus"])
    with pytest.raises(UnmatchedParenthesis):
        users.change(b"alice", [b"+set", b"(+get"])
    with pytest.raises(RuleError):
        users.change(b"bob", [b"on", b"bogus"])
    assert users.by_name[b"alice"].describe() == before
    assert users.find(b"bob") is None
    users.change(b"alice", [])
    assert users.by_name[b"alice"].describe() == before


def test_channels_of_new_selectors_follow_setting() -> None:
    users = Users(TABLE)
    users.change(b"alice", [])
    users.opens_channels = True
    assert b"&*" in users.change(b"bob", []).describe()
    assert (
        users.change(b"alice", [b"(+get)"])
        .describe()
        .endswith(b"resetchannels -@all (&* -@all +get)")
    )


def test_deleted_user_is_gone() -> None:
    users = Users(TABLE)
    users.change(b"alice", [])
    assert users.delete(b"alice")
    assert not users.delete(b"alice")


def test_replacing_brings_default_back() -> None:
    users = Users(TABLE)
    users.change(b"default", [b"off", b"-get"])
    assert users.requires_login
    users.replace({b"bob": User(b"bob", TABLE)})
    assert [user.name for user in users.sorted()] == [b"bob", b"default"]
    assert users.default.describe() == DEFAULT


def test_password_of_default_is_the_only_one() -> None:
    users = Users(TABLE)
    users.change(b"default", [b">old"])
    users.set_default_password(b"new")
    assert users.default.passwords == [hash_password(b"new")]
    assert users.requires_login
    users.set_default_password(b"")
    assert users.default.describe() == DEFAULT
