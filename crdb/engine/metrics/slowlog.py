"""The slow log: the latest commands that took longer than a threshold."""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from crdb.engine.metrics.redaction import redacted

ARGUMENTS_MAX: Final = 32
ARGUMENT_BYTES_MAX: Final = 128


@attrs.frozen
class SlowCommand:
    """An entry. `at` is wall clock in seconds."""

    number: int
    at: int
    microseconds: int
    args: list[bytes]
    address: bytes
    client_name: bytes


class SlowLog:
    """The entries, the newest first. A negative threshold switches it off, 0 logs everything."""

    def __init__(self) -> None:
        self.entries: deque[SlowCommand] = deque()
        self.next_number = 0
        self.slower_than_us = 10_000
        self.length_max = 128

    def configure(self, slower_than_us: int, length_max: int) -> None:
        """Set the threshold and how many entries are kept."""
        self.slower_than_us = slower_than_us
        self.length_max = length_max
        self._trim()

    def offer(
        self, args: list[bytes], microseconds: int, at: int, address: bytes, client_name: bytes
    ) -> None:
        """Log a command if it took long enough."""
        if self.slower_than_us < 0 or microseconds < self.slower_than_us:
            return
        shown = shortened(redacted(args))
        entry = SlowCommand(self.next_number, at, microseconds, shown, address, client_name)
        self.next_number += 1
        self.entries.appendleft(entry)
        self._trim()

    def _trim(self) -> None:
        while len(self.entries) > self.length_max:
            self.entries.pop()


def shortened(args: list[bytes]) -> list[bytes]:
    """Return arguments as the slow log keeps them: not too many, and none too long."""
    count = len(args)
    if count > ARGUMENTS_MAX:
        args = args[: ARGUMENTS_MAX - 1]
    shown = [_shortened(argument) for argument in args]
    if count > ARGUMENTS_MAX:
        shown.append(b"... (%d more arguments)" % (count - ARGUMENTS_MAX + 1))
    return shown


def _shortened(argument: bytes) -> bytes:
    rest = len(argument) - ARGUMENT_BYTES_MAX
    if rest <= 0:
        return argument
    return b"%b... (%d more bytes)" % (argument[:ARGUMENT_BYTES_MAX], rest)
