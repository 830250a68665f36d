"""The journal of an instance as a turn uses it, and the policies of its syncs.

There is no journal of files yet. `Turn.use_journal` accepts any object with this interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Protocol


class SyncPolicy(Enum):
    """The times at which a journal writes records to the disk, as `appendfsync` of Redis."""

    ALWAYS = "always"
    """Once per turn, before any reply of the turn is sent."""
    EVERY_SECOND = "everysec"
    NO = "no"
    """Whenever the operating system does so."""


class Journal(Protocol):
    """A log of changes on a disk, as the turn uses it.

    `sync` may run in a thread of its own, while other records are appended.
    """

    def append(self, group: int, op: bytes) -> None:
        """Append an encoded op of a slot group.

        Raises OSError if the op may not have been written as a whole. After a MemoryError nothing
        of it was written.
        """
        ...

    def append_state(self, group: int, pieces: Iterable[bytes]) -> None:
        """Append the whole state of a slot group, as the pieces of a snapshot. It takes the place
        of all earlier records of the group. Raises the same errors as `append`."""
        ...

    def sync(self) -> None:
        """Return when everything that was appended before the call is on the disk. Raises OSError
        if it is not."""
        ...
