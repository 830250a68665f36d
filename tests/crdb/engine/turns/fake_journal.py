"""A journal in memory that fails when a test asks it to."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import TypeAlias

from crdt.causality.op import Op
from crdt.embed.replica import Replica

Record: TypeAlias = bytes | list[bytes]
"""An op, or the pieces of a state."""


class FakeJournal:
    """Keeps what is appended, and writes each call into `log`."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log: list[str] = [] if log is None else log
        self.records: list[tuple[int, Record]] = []
        """Pairs of slot group and record."""
        self.synced = 0
        """The number of records on the disk."""
        self.append_fault: BaseException | None = None
        self.sync_fault: BaseException | None = None
        self.on_call: Callable[[], None] = lambda: None
        """Called while the journal works."""

    @property
    def ops(self) -> list[tuple[int, bytes]]:
        """The records that are ops."""
        return [(group, record) for group, record in self.records if isinstance(record, bytes)]

    def append(self, group: int, op: bytes) -> None:
        """Keep an op."""
        self.begin("append")
        self.records.append((group, op))

    def append_state(self, group: int, pieces: Iterable[bytes]) -> None:
        """Keep a state."""
        self.begin("append state")
        self.records.append((group, list(pieces)))

    def begin(self, call: str) -> None:
        """Begin to append."""
        self.log.append(call)
        self.on_call()
        if self.append_fault is not None:
            raise self.append_fault

    def sync(self) -> None:
        """Count what was appended before as written."""
        count = len(self.records)
        self.log.append("sync")
        self.on_call()
        if self.sync_fault is not None:
            raise self.sync_fault
        self.synced = count

    def restored(self, count: int | None = None) -> Replica:
        """Return the replica that a restart finds after the first `count` records, or after all.

        It is another region, since the journal does not decide under which origin the restarted
        region writes.
        """
        replica = Replica(255)
        for _, record in self.records[:count]:
            if isinstance(record, bytes):
                replica.accept(Op.from_bytes(record))
            else:
                replica = Replica(255)
                replica.merge(record)
        return replica


def disk_full() -> OSError:
    """Return the error of a journal on a full disk."""
    return OSError(errno.ENOSPC, "No space left on device")
