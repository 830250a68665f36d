"""Record since when peers that dial us have not been connected.

The dialling side knows when an attempt has failed (see `recovery`); the other side does not. But a
peer that is up makes an attempt at least every `ATTEMPT_NS_MAX`. If it has not connected for
longer, it is down or cannot reach us. If we are connected to it, it is not down: its file may give
another address for us, or a firewall may let connections pass one way only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from replication.protocol.backoff import CONNECT_NS_MAX, WAIT_NS_MAX

ATTEMPT_NS_MAX: Final = CONNECT_NS_MAX + 3 * WAIT_NS_MAX // 2
CUT: Final = "the link is cut"
"""The reason that the end that was cut reports to the other. Such a peer is absent on purpose."""


class Absence:
    """The peers that one replica waits to be dialled by."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self.reported: set[str] = set()
        """Absent peers that have been reported, and have not connected since."""

    def record_absent(self, lacking: Iterable[str], now: int) -> None:
        """Record that the peers in `lacking` are not connected at `now` (ns)."""
        self.since = {peer: self.since.get(peer, now) for peer in lacking}
        self.reported &= self.since.keys()

    def find_unreported(self, linked: Iterable[str], now: int) -> list[str]:
        """Return the peers in `linked` that have been absent for too long, each once. We are
        connected to them, so they are up and do not reach us."""
        found = [peer for peer in linked if peer not in self.reported and self.is_long(peer, now)]
        self.reported.update(found)
        return found

    def has_long(self, now: int) -> bool:
        """Return whether any peer has been absent for longer than `ATTEMPT_NS_MAX`."""
        return any(now - since > ATTEMPT_NS_MAX for since in self.since.values())

    def is_long(self, peer: str, now: int) -> bool:
        """Return whether `peer` has been absent for longer than `ATTEMPT_NS_MAX`."""
        return now - self.since.get(peer, now) > ATTEMPT_NS_MAX
