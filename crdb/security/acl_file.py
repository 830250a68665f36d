"""The text of an `aclfile`: a line `user NAME RULE...` for each user.

Empty lines are skipped. Comments are errors, since ACL SAVE could not keep them. All errors of a
file are reported together, each with the file and the line, in the words of Redis. A file with an
error has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable

from crdb.security.rule_error import UNKNOWN_NAME, RuleError
from crdb.security.selector import has_spaces
from crdb.security.user import UnmatchedParenthesis, User, merge_selectors
from crdb.security.users import Users

_SPACES = b" \t\r\n"


class AclFileError(Exception):
    """A file of users that is not valid. `text` lists what is wrong, in one line."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


def format_users(users: Iterable[User]) -> bytes:
    """Return the text of a file with these users."""
    return b"".join(b"%b\n" % format_user(user) for user in users)


def format_user(user: User) -> bytes:
    """Return the line of a user, as ACL LIST shows it."""
    return b"user %b %b" % (user.name, user.describe())


def parse_users(text: bytes, source: bytes, users: Users) -> dict[bytes, User]:
    """Return the users in the text of the file `source`, by name.

    `users` gives the table of commands and the settings. It is not changed. Raises AclFileError.
    """
    found: dict[bytes, User] = {}
    errors: list[bytes] = []
    for number, line in enumerate(text.split(b"\n"), 1):
        words = line.strip(_SPACES).split(b" ")
        if words == [b""]:
            continue
        place = b"%b:%d" % (source, number)
        if words[0] != b"user" or len(words) < 2:
            errors.append(b"%b should start with user keyword followed by the username. " % place)
        elif has_spaces(words[1]):
            errors.append(b"'%b: username '%b' contains invalid characters. " % (place, words[1]))
        elif words[1] in found:
            errors.append(b"WARNING: Duplicate user '%b' found on line %d. " % (words[1], number))
        else:
            user = User(words[1], users.table, opens_channels=users.opens_channels)
            found[words[1]] = user
            errors += _apply_line(user, words[2:], place)
    if errors:
        raise AclFileError(b"".join(errors))
    return found


def _apply_line(user: User, words: list[bytes], place: bytes) -> list[bytes]:
    """Apply the rules of a line. Return its errors: all unknown names, and the first of others."""
    try:
        rules = merge_selectors(words)
    except UnmatchedParenthesis:
        return [b"%b: Unmatched parenthesis in selector definition." % place]
    errors: list[bytes] = []
    has_other = False
    for rule in rules:
        try:
            user.apply(rule.strip(b"\t\r\n"))
        except RuleError as fault:
            if fault.reason == UNKNOWN_NAME:
                text = b"%b: Error in applying operation '%b': %b. "
                errors.append(text % (place, rule, fault.reason))
            elif not has_other:
                errors.append(b"%b: %b. " % (place, fault.reason))
                has_other = True
    return errors
