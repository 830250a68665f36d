"""The errors of links.

    ReplicationError
     +-- RemoteProtocolError   the peer broke the protocol: drop the link, keep serving
     |    +-- NotProven        the peer does not know the secret of our links
     +-- LinkCut               the link was cut by command: do not dial until it is healed
     +-- UnknownPeer           no peer of that name is configured
     +-- CannotFollow          these sources cannot be followed together
     +-- CannotRename          the origins of a source cannot be mapped to unused ones

No error of a link concerns the outcome of a write: a write is complete at its own replica, and is
sent again until it is acknowledged.
"""

from __future__ import annotations

from crdt.errors import DecodeError


class ReplicationError(Exception):
    """Base of all errors of this package."""


class RemoteProtocolError(ReplicationError):
    """The peer broke the protocol, or its bytes were damaged. Drop the link and dial again."""


class NotProven(RemoteProtocolError):
    """The peer has not proved that it knows the secret of our links."""


class LinkCut(ReplicationError):
    """The link was cut by command. It refuses to connect until it is healed."""

    def __init__(self, peer: str) -> None:
        super().__init__(f"the link with {peer} is cut")


class UnknownPeer(ReplicationError):
    """No peer of that name is configured."""

    def __init__(self, peer: str) -> None:
        super().__init__(f"no peer is called {peer!r}")


class CannotFollow(ReplicationError):
    """These sources cannot be followed together."""


class CannotRename(ReplicationError, DecodeError):
    """A source has more regions than there is room for, or types that only their own code can put
    under other names. Following it again changes nothing. A follower whose region number is higher
    than any of its only source's, such as 255, renames nothing and takes everything."""
