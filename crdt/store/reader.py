"""What reads the keyspace in steps, and sees it as it was at one moment."""

from __future__ import annotations

from typing import Protocol


class Reader(Protocol):
    """A reader of the keyspace that works in steps and needs a consistent view, like a snapshot."""

    def before_change(self, key: bytes) -> None:
        """Save the state of `key`, which is about to change."""
        ...

    def before_flush(self, key: bytes) -> None:
        """Save the state of `key`, which a removal of all keys removes now. It has been invisible
        since the removal began."""
        ...
