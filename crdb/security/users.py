"""The users of an instance. They are local to it: no link carries them.

Every change is made to a copy first, so that it takes effect as a whole or not at all (ACL-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from crdb.engine.command import CommandTable
from crdb.security.rule_error import RuleError
from crdb.security.user import DEFAULT_USER, OF_DEFAULT, User, merge_selectors


class Users:
    """Users by name. `default` is always among them."""

    __slots__ = ("by_name", "opens_channels", "table")

    def __init__(self, table: CommandTable) -> None:
        self.table = table
        self.opens_channels = False
        """True if new users have all channels (`acl-pubsub-default allchannels`)."""
        self.by_name: dict[bytes, User] = {}
        self.replace({})

    @property
    def default(self) -> User:
        """The user of connections that have not authenticated."""
        return self.by_name[DEFAULT_USER]

    @property
    def requires_login(self) -> bool:
        """True if a new connection has to authenticate first (ACL-3)."""
        return not self.default.needs_no_password or not self.default.is_enabled

    def find(self, name: bytes) -> User | None:
        """Return the user of that name."""
        return self.by_name.get(name)

    def sorted(self) -> list[User]:
        """Return all users by name."""
        return [user for _, user in sorted(self.by_name.items())]

    def draft(self, name: bytes) -> User:
        """Return a copy of a user, or a new one of that name, to apply rules to."""
        found = self.find(name)
        user = User(name, self.table, opens_channels=self.opens_channels)
        if found is not None:
            user = found.copy()
            user.opens_channels = self.opens_channels
        return user

    def change(self, name: bytes, rules: Sequence[bytes]) -> User:
        """Apply rules to a user, or to a new one. Return it.

        Raises RuleError and UnmatchedParenthesis; then nothing has changed.
        """
        user = self.draft(name)
        apply_rules(user, merge_selectors(rules))
        self.by_name[name] = user
        return user

    def delete(self, name: bytes) -> bool:
        """Delete a user. Return whether there was one."""
        assert name != DEFAULT_USER
        return self.by_name.pop(name, None) is not None

    def replace(self, users: Mapping[bytes, User]) -> None:
        """Replace all users. Without a `default` among them it is as at the start."""
        self.by_name = dict(users)
        if DEFAULT_USER not in users:
            user = self.draft(DEFAULT_USER)
            apply_rules(user, OF_DEFAULT)
            self.by_name[DEFAULT_USER] = user

    def set_default_password(self, password: bytes) -> None:
        """Give `default` one password, or let it need none (`requirepass`)."""
        user = self.draft(DEFAULT_USER)
        apply_rules(user, [b"resetpass", b">" + password] if password else [b"nopass"])
        self.by_name[DEFAULT_USER] = user


def apply_rules(user: User, rules: Iterable[bytes]) -> None:
    """Apply rules from left to right. Raises RuleError with the first that is not valid."""
    for rule in rules:
        try:
            user.apply(rule)
        except RuleError as fault:
            fault.rule = rule
            raise
