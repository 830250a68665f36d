"""The interface through which REPLICAOF makes an instance follow another database.

The runtime implements `FollowControl` and puts it into `instance.following`. Addresses are those at
which clients reach the source; the port of its links is asked for there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Address = tuple[str, int]


class CannotBeFollower(Exception):
    """This instance cannot follow another; the text is the reason."""


class FollowControl(Protocol):
    """The operations that the runtime offers."""

    link_port: int
    """The port at which peers and followers reach this instance."""

    def follow(self, sources: Sequence[Address]) -> None:
        """Become a read-only copy of `sources`. Raises CannotBeFollower."""
        ...

    def promote(self) -> None:
        """Stop following. The data stays and may be written."""
        ...

    def sources(self) -> Sequence[Address]:
        """Return the addresses that are followed now."""
        ...

    def state(self) -> str:
        """Return the state of the link to the first source in the words of ROLE: `connect`, `sync`
        or `connected`."""
        ...
