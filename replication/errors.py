"""Everything that can go wrong on a link.

    ReplicationError
     +-- RemoteProtocolError   the peer broke the protocol: drop the link, keep serving
     +-- LinkCut               the link was cut by command: do not dial until it is healed
     +-- UnknownPeer           no peer of that name is configured
     +-- CannotFollow          these sources cannot be followed together

No error of a link says anything about a write: writes happen at their own replica and are sent
again until they are acknowledged.
"""

from __future__ import annotations


class ReplicationError(Exception):
    """Base of all errors of this package."""


class RemoteProtocolError(ReplicationError):
    """The peer broke the protocol, or its bytes were damaged. Drop the link and dial anew."""


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
