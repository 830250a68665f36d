"""The trace of a run: records in order, always hashed, kept for a while, written on request.

Two runs are the same if their hashes are. A record is one line: the virtual time in nanoseconds,
where, what, and details. Nothing that goes in may depend on addresses or on the order of a set.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Final

KEPT_MAX: Final = 4096  # records: the last seconds of a busy run, a megabyte at most


class Trace:
    """The records of one run."""

    __slots__ = ("count", "hash", "last", "on_line", "on_note")

    def __init__(self, on_line: Callable[[str], None] | None = None) -> None:
        """`on_line` is given every record, as text."""
        self.count = 0
        self.hash = hashlib.blake2b(digest_size=16)
        self.last: deque[str] = deque(maxlen=KEPT_MAX)
        self.on_line = on_line
        self.on_note: Callable[[int, str, str, str], None] | None = None

    def add_record(self, now: int, where: str, what: str, detail: str = "") -> None:
        """Add a record."""
        line = f"{now} {where} {what} {detail}"
        self.count += 1
        self.hash.update(line.encode())
        self.last.append(line)
        if self.on_line is not None:
            self.on_line(line)
        if self.on_note is not None:
            self.on_note(now, where, what, detail)

    def hex_digest(self) -> str:
        """Return the hash of everything so far, in hexadecimal."""
        return self.hash.hexdigest()

    def last_records(self, count: int) -> list[str]:
        """Return the last `count` records, oldest first."""
        return list(self.last)[-count:]
