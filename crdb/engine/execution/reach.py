"""The keys that a request concerns."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from crdb.engine.command import SCRIPT, WRITE, Command
from crdb.engine.errors import CommandError

NAMED_MAX: Final = 100_000
"""A request of more arguments is taken for one that concerns all keys. To collect its keys would
take too long for one slice."""


class Reach:
    """The keys that a request concerns. If `is_whole`, it may concern any key."""

    __slots__ = ("is_whole", "keys", "writes")

    def __init__(self, keys: set[bytes], *, is_whole: bool, writes: bool) -> None:
        self.keys = keys
        self.is_whole = is_whole
        self.writes = writes

    def overlaps(self, keys: Mapping[bytes, int] | set[bytes]) -> bool:
        """Return whether one of `keys` is among these."""
        if self.is_whole:
            return bool(keys)
        small, large = (self.keys, keys) if len(self.keys) <= len(keys) else (keys, self.keys)
        return any(key in large for key in small)


def reach_of_request(command: Command, args: list[bytes]) -> Reach:
    """Return the keys of a request. One that is not valid has none, since it will be refused."""
    declaration = command.declaration
    keys: set[bytes] = set()
    is_whole = declaration.reaches_all(args) or len(args) > NAMED_MAX
    if not is_whole:
        with suppress(ValueError, CommandError):
            for places in declaration.key_ranges(args):
                keys.update(args[places.start : places.stop : places.step])
    return Reach(keys, is_whole=is_whole, writes=command.bits & (WRITE | SCRIPT) != 0)
