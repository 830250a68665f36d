"""Record since when peers that dial us have not been connected.

The dialling side knows when an attempt has failed (see `recovery`); the other side does not. But a
peer that is up makes an attempt at least every `ATTEMPT_NS_MAX`. If it has not come for longer, it
is down or cannot reach us.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from replication.protocol.backoff import CONNECT_NS_MAX, WAIT_NS_MAX

ATTEMPT_NS_MAX: Final = CONNECT_NS_MAX + 3 * WAIT_NS_MAX // 2


class Absence:
    """The peers that one replica waits to be dialled by."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}

    def record_absent(self, lacking: Iterable[str], now: int) -> None:
        """Record that the peers in `lacking` are not connected at `now` (ns)."""
        self.since = {peer: self.since.get(peer, now) for peer in lacking}

    def is_long(self, peer: str, now: int) -> bool:
        """Return whether `peer` has been absent for longer than `ATTEMPT_NS_MAX`."""
        return now - self.since.get(peer, now) > ATTEMPT_NS_MAX
