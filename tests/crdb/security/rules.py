"""Users made from rules, and requests to ask them about."""

from __future__ import annotations

from crdb.commands.table import build_table
from crdb.security.user import User, merge_selectors
from crdb.security.users import apply_rules
from crdb.security.verdict import Request

TABLE = build_table()


def user_of(rules: str, *, opens_channels: bool = False) -> User:
    """Return a user with rules that are separated by spaces."""
    user = User(b"alice", TABLE, opens_channels=opens_channels)
    apply_rules(user, merge_selectors(rules.encode().split()))
    return user


def request_of(words: str) -> Request:
    """Return a request whose words are separated by spaces."""
    args = words.encode().split()
    return Request(TABLE.require(args), args)


def verdict(rules: str, words: str) -> str:
    """Return `ok`, or what is denied with its position in the request."""
    denial = user_of(rules).deny(request_of(words))
    return "ok" if denial is None else f"{denial.reason.name.lower()} {denial.position}"
