"""How a server is told to follow another database: REPLICAOF.

The runtime implements `FollowControl` and puts it into `instance.following`. Addresses are those at
which clients reach the source; the port of its links is asked for there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Address = tuple[str, int]


class CannotBeFollower(Exception):
    """This instance may not follow another, and why."""


class FollowControl(Protocol):
    """What the runtime offers."""

    link_port: int
    """Where peers and followers reach this instance."""

    def follow(self, sources: Sequence[Address]) -> None:
        """Begin anew as a read-only copy of `sources`. Raises CannotBeFollower."""
        ...

    def promote(self) -> None:
        """Follow nobody any more; the data stays and may be written."""
        ...

    def sources(self) -> Sequence[Address]:
        """Who is followed now."""
        ...

    def state(self) -> str:
        """Where the link to the first source stands, as ROLE says it: `connect`, `sync` or
        `connected`."""
        ...
