"""A journal in memory that fails when a test asks it to."""

from __future__ import annotations

import errno
from collections.abc import Callable


class FakeJournal:
    """Keeps what is appended, and writes each call into `log`."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log: list[str] = [] if log is None else log
        self.ops: list[tuple[int, bytes]] = []
        self.synced = 0
        """The number of ops on the disk."""
        self.append_fault: BaseException | None = None
        self.sync_fault: BaseException | None = None
        self.on_call: Callable[[], None] = lambda: None
        """Called while the journal works."""

    def append(self, group: int, op: bytes) -> None:
        """Keep an op."""
        self.log.append("append")
        self.on_call()
        if self.append_fault is not None:
            raise self.append_fault
        self.ops.append((group, op))

    def sync(self) -> None:
        """Count all ops as written."""
        self.log.append("sync")
        self.on_call()
        if self.sync_fault is not None:
            raise self.sync_fault
        self.synced = len(self.ops)


def disk_full() -> OSError:
    """What a journal raises if there is no space left."""
    return OSError(errno.ENOSPC, "No space left on device")
