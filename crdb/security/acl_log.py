"""The ACL log: the latest requests and logins that were denied.

A denial that equals one of the latest entries, within a minute of its last time, is counted there,
and the entry moves to the front.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from crdb.security.verdict import Reason

TOPLEVEL: Final = b"toplevel"
MULTI: Final = b"multi"
SCRIPT: Final = b"lua"
GROUPING_MS: Final = 60_000
"""Equal denials within this time are counted in one entry."""
COMPARED_MAX: Final = 10
"""The number of entries that a denial is compared with."""


@attrs.frozen
class DeniedAccess:
    """A request that was denied. `context` is where the request came from, `subject` the command,
    the key, the channel, or the word of the login."""

    reason: Reason
    context: bytes
    subject: bytes
    user: bytes


@attrs.define
class LogEntry:
    """An entry. Times are wall clock in ms."""

    number: int
    denied: DeniedAccess
    client_info: bytes
    created_at: int
    updated_at: int
    count: int = 1


class AclLog:
    """The entries, the latest first."""

    __slots__ = ("entries", "length_max", "next_number")

    def __init__(self) -> None:
        self.entries: deque[LogEntry] = deque()
        self.next_number = 0
        self.length_max = 128
        """The number of entries that are kept (`acllog-max-len`)."""

    def add(self, denied: DeniedAccess, client_info: bytes, now: int) -> None:
        """Record a denial at `now` (wall clock in ms)."""
        for index in range(min(COMPARED_MAX, len(self.entries))):
            entry = self.entries[index]
            is_recent = abs(now - entry.updated_at) <= GROUPING_MS
            if is_recent and entry.denied == denied:
                del self.entries[index]
                self.entries.appendleft(entry)
                entry.count += 1
                entry.updated_at = now
                entry.client_info = client_info
                return
        entry = LogEntry(self.next_number, denied, client_info, now, now)
        self.next_number += 1
        self.entries.appendleft(entry)
        while len(self.entries) > self.length_max:
            self.entries.pop()

    def clear(self) -> None:
        """Drop all entries. Numbers go on."""
        self.entries.clear()
