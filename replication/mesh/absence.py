"""Since when peers that dial us have not been connected.

Who dials a peer knows when an attempt has failed (see `recovery`); who is dialled hears of none.
But a peer that is there makes an attempt in every `ATTEMPT_NS_MAX`, so one that has not come for
longer is away, or cannot reach us.
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

    def look(self, lacking: Iterable[str], now: int) -> None:
        """These are not connected at the moment."""
        self.since = {peer: self.since.get(peer, now) for peer in lacking}

    def is_long(self, peer: str, now: int) -> bool:
        """Whether `peer` would have come in the meantime if it could."""
        return now - self.since.get(peer, now) > ATTEMPT_NS_MAX
