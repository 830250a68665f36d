"""The error for a rule of a user that is not valid, with the reasons in the words of Redis."""

from __future__ import annotations

from typing import Final


class RuleError(Exception):
    """A rule that is not valid. `reason` says why. `rule` is set where several were applied."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = b""


SYNTAX_ERROR: Final = b"Syntax error"
UNKNOWN_NAME: Final = b"Unknown command or category name in ACL"
AFTER_ALL_KEYS: Final = (
    b"Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    b"any effect. Try 'resetkeys' to start with an empty list of patterns"
)
AFTER_ALL_CHANNELS: Final = (
    b"Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    b"have any effect. Try 'resetchannels' to start with an empty list of channels"
)
NO_SUCH_PASSWORD: Final = b"The password you are trying to remove from the user does not exist"
NOT_A_HASH: Final = (
    b"The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    b"characters"
)
FIRST_ARGUMENT: Final = b"Allowing first-arg of a subcommand is not supported"
