"""A user: flags, passwords and selectors, changed by rules from left to right (ACL-1 to ACL-6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.engine.command import Command, CommandTable
from crdb.security.passwords import hash_password, is_among, is_password_hash
from crdb.security.rule_error import NO_SUCH_PASSWORD, NOT_A_HASH, RuleError
from crdb.security.selector import Selector, parse_selector
from crdb.security.verdict import Denial, Reason, Request

DEFAULT_USER: Final = b"default"
OF_DEFAULT: Final = (b"+@all", b"~*", b"&*", b"on", b"nopass")
"""The rules of the user `default` when nobody has changed them (ACL-3)."""


class UnmatchedParenthesis(Exception):
    """A selector whose closing parenthesis is missing. `argument` is its beginning."""

    def __init__(self, argument: bytes) -> None:
        super().__init__(argument)
        self.argument = argument


class User:
    """A user. A new one is off, has no password and no permissions (ACL-2).

    `opens_channels` is True if new selectors have all channels (`acl-pubsub-default`).
    """

    __slots__ = (
        "is_enabled",
        "name",
        "needs_no_password",
        "opens_channels",
        "passwords",
        "sanitizes",
        "selectors",
        "table",
    )

    def __init__(self, name: bytes, table: CommandTable, *, opens_channels: bool = False) -> None:
        self.name = name
        self.table = table
        self.opens_channels = opens_channels
        self.is_enabled = False
        self.needs_no_password = False
        self.sanitizes = True
        """True if the payloads of its RESTOREs are checked."""
        self.passwords: list[bytes] = []
        """The hashes of its passwords."""
        self.selectors = [Selector(table, has_all_channels=opens_channels)]
        """The user's own selector, then the others."""

    def copy(self) -> User:
        """Return a user that can be changed without changing this one."""
        other = User(self.name, self.table, opens_channels=self.opens_channels)
        other.is_enabled = self.is_enabled
        other.needs_no_password = self.needs_no_password
        other.sanitizes = self.sanitizes
        other.passwords = list(self.passwords)
        other.selectors = [each.copy() for each in self.selectors]
        return other

    # -- decisions -----------------------------------------------------------------------------

    @property
    def is_unlimited(self) -> bool:
        """True if there is no request that this user may not make."""
        return any(each.allows_everything for each in self.selectors)

    def deny(self, request: Request) -> Denial | None:
        """Return why this user may not make a request, or None if one selector allows it.

        The denial that is furthest counts, and among equal ones the latest argument (ACL-12).
        """
        worst = Denial(Reason.COMMAND)
        for selector in self.selectors:
            denial = selector.deny(request)
            if denial is None:
                return None
            if (denial.reason, denial.position) > (worst.reason, worst.position):
                worst = denial
        return worst

    def permits_every_key(self, command: Command, args: list[bytes], needs: int) -> bool:
        """Return whether one selector allows a request, and every other key too (ACL-16)."""
        request = Request(command, args)
        return any(
            each.deny(request) is None and each.permits_every_key(needs) for each in self.selectors
        )

    def permits_channel(self, name: bytes, *, is_pattern: bool) -> bool:
        """Return whether one selector permits a channel, whatever the command is."""
        return any(each.permits_channel(name, is_pattern=is_pattern) for each in self.selectors)

    def may_log_in(self, password: bytes) -> bool:
        """Return whether a client with this password may be this user."""
        if not self.is_enabled:
            return False
        return self.needs_no_password or is_among(password, self.passwords)

    # -- rules ---------------------------------------------------------------------------------

    def apply(self, rule: bytes) -> None:
        """Apply one rule. Raises RuleError."""
        word = rule.lower()
        if word in _WORDS:
            _WORDS[word](self)
        elif rule[:1] in {b">", b"#", b"<", b"!"}:
            self._change_password(rule)
        elif rule[:1] == b"(" and rule[-1:] == b")":
            self.selectors.append(
                parse_selector(rule, self.table, has_all_channels=self.opens_channels)
            )
        elif rule:
            self.selectors[0].apply(rule)

    def _change_password(self, rule: bytes) -> None:
        """Add a password after `>` or `#`, or remove one after `<` or `!`."""
        text = rule[1:]
        if rule[:1] in {b">", b"<"}:
            text = hash_password(text)
        elif not is_password_hash(text):
            raise RuleError(NOT_A_HASH)
        if rule[:1] in {b">", b"#"}:
            self.needs_no_password = False
            if text not in self.passwords:
                self.passwords.append(text)
        elif text in self.passwords:
            self.passwords.remove(text)
        else:
            raise RuleError(NO_SUCH_PASSWORD)

    # -- descriptions --------------------------------------------------------------------------

    def flags(self) -> list[bytes]:
        """Return the words for its flags, in the order of Redis."""
        words = [b"on" if self.is_enabled else b"off"]
        if self.needs_no_password:
            words.append(b"nopass")
        return [*words, b"sanitize-payload" if self.sanitizes else b"skip-sanitize-payload"]

    def describe(self) -> bytes:
        """Return all rules, as ACL LIST shows them and ACL SAVE writes them."""
        root, *others = self.selectors
        parts = [*self.flags(), *(b"#" + each for each in self.passwords), root.describe()]
        return b" ".join(parts + [b"(%b)" % each.describe() for each in others])


def _enable(user: User) -> None:
    user.is_enabled = True


def _disable(user: User) -> None:
    user.is_enabled = False


def _sanitize(user: User) -> None:
    user.sanitizes = True


def _skip_sanitizing(user: User) -> None:
    user.sanitizes = False


def _need_no_password(user: User) -> None:
    user.needs_no_password = True
    user.passwords = []


def _reset_passwords(user: User) -> None:
    user.needs_no_password = False
    user.passwords = []


def _clear_selectors(user: User) -> None:
    del user.selectors[1:]


def _reset(user: User) -> None:
    """Return to the state of a new user."""
    fresh = User(user.name, user.table, opens_channels=user.opens_channels)
    user.is_enabled = fresh.is_enabled
    user.needs_no_password = fresh.needs_no_password
    user.sanitizes = fresh.sanitizes
    user.passwords = fresh.passwords
    user.selectors = fresh.selectors


_WORDS: Final = {
    b"on": _enable,
    b"off": _disable,
    b"sanitize-payload": _sanitize,
    b"skip-sanitize-payload": _skip_sanitizing,
    b"nopass": _need_no_password,
    b"resetpass": _reset_passwords,
    b"clearselectors": _clear_selectors,
    b"reset": _reset,
}
"""The rules that are one word and concern the user itself."""


def merge_selectors(rules: Sequence[bytes]) -> list[bytes]:
    """Return rules with each selector that is spread over several of them as one.

    A selector extends from a rule that begins with `(` to the next that ends with `)`. Raises
    UnmatchedParenthesis.
    """
    merged: list[bytes] = []
    begun: list[bytes] = []
    for rule in rules:
        if begun:
            begun.append(rule)
        elif rule[:1] == b"(" and rule[-1:] != b")":
            begun = [rule]
            continue
        else:
            merged.append(rule)
        if begun and rule[-1:] == b")":
            merged.append(b" ".join(begun))
            begun = []
    if begun:
        raise UnmatchedParenthesis(begun[0])
    return merged
