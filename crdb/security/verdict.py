"""A request as the rules of a user look at it, and the reason for which it is denied."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Final

import attrs

from crdb.engine.command import Command
from crdb.engine.errors import CommandError

READ: Final = 1
WRITE: Final = 2
EITHER: Final = 0
"""The needed permission for a key of which only the existence, the type or the like is reported: a
pattern that matches suffices."""
_NEEDS: Final = {"access": READ, "insert": WRITE, "delete": WRITE, "update": WRITE}


class Reason(IntEnum):
    """The missing permission. The furthest check that failed counts: channel before key before
    command (ACL-12)."""

    AUTH = 0
    """The password is wrong, or the user is disabled."""
    COMMAND = 1
    KEY = 2
    CHANNEL = 3


@attrs.frozen
class Denial:
    """The reason why a user may not make a request. `position` is that of the key or channel among
    the arguments, and 0 for the command."""

    reason: Reason
    position: int = 0


@attrs.frozen
class ChannelArgument:
    """A channel in a request. If `is_pattern`, it is a pattern to subscribe to."""

    position: int
    is_pattern: bool


class Request:
    """A command and its arguments. Keys and channels are found when they are first needed."""

    __slots__ = ("_channels", "_keys", "args", "command")

    def __init__(self, command: Command, args: list[bytes]) -> None:
        self.command = command
        self.args = args
        self._keys: list[tuple[int, int]] | None = None
        self._channels: list[ChannelArgument] | None = None

    @property
    def keys(self) -> list[tuple[int, int]]:
        """The position of each key, with what the request needs of it (ACL-13 to ACL-15): READ,
        WRITE, both or EITHER. A request that is not valid has no keys: it will be refused."""
        if self._keys is None:
            self._keys = _find_keys(self.command, self.args)
        return self._keys

    @property
    def channels(self) -> list[ChannelArgument]:
        """The channels that need a permission."""
        if self._channels is None:
            places, is_pattern = self.command.declaration.channel_positions(self.args)
            self._channels = [ChannelArgument(place, is_pattern) for place in places]
        return self._channels


@cache
def needs_of(flags: str) -> int:
    """Return what the flags of a key specification need: READ, WRITE, both or EITHER."""
    needs = EITHER
    for flag in flags.split():
        needs |= _NEEDS.get(flag, EITHER)
    return needs


def _find_keys(command: Command, args: list[bytes]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    try:
        for places, flags in command.declaration.key_uses(args):
            needs = needs_of(flags)
            found += [(place, needs) for place in places]
    except (ValueError, CommandError):
        return []
    return found


def describe_denial(denial: Denial, user: bytes, request: Request) -> bytes:
    """Return the verbose text of a denial, as ACL DRYRUN replies it."""
    if denial.reason is Reason.COMMAND:
        return command_denied(user, request.command)
    kind = b"key" if denial.reason is Reason.KEY else b"channel"
    name = request.args[denial.position]
    return b"User %b has no permissions to access the '%b' %b" % (user, name, kind)


def denial_text(denial: Denial, user: bytes, command: Command) -> bytes:
    """Return the text of a denial without names of keys and channels, as an error shows it."""
    if denial.reason is Reason.COMMAND:
        return command_denied(user, command)
    kind = b"key" if denial.reason is Reason.KEY else b"channel"
    return b"No permissions to access a %b" % kind


def command_denied(user: bytes, command: Command) -> bytes:
    """Return the text for a command that a user may not run."""
    return b"User %b has no permissions to run the '%b' command" % (user, command.full_name)
