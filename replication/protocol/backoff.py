"""The pause before dialling again: twice as long each time, within bounds, and never exactly
as long as others that failed at the same moment.

Both drivers use it, the one over real streams and the simulator's.
"""

from __future__ import annotations

from random import Random
from typing import Final

MS: Final = 1_000_000
CONNECT_NS_MAX: Final = 5_000 * MS
"""An attempt that has got no answer for so long has failed."""
WAIT_NS_MIN: Final = 50 * MS
WAIT_NS_MAX: Final = 1_000 * MS
SPREAD_BITS: Final = 16


def was_accepted(lasted_ns: int, *, is_greeted: bool, is_refused: bool) -> bool:
    """Return whether a peer has accepted a connection, which has ended after `lasted_ns`.

    `is_greeted`: the peer has sent its Hello. `is_refused`: one of the ends has refused the other,
    perhaps after that. Such a peer is dialled less and less often.
    """
    return is_greeted and not (is_refused and lasted_ns <= WAIT_NS_MAX)


class Backoff:
    """The waits of one link."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.next = WAIT_NS_MIN

    def reset(self) -> None:
        """Begin with a short wait again."""
        self.next = WAIT_NS_MIN

    def wait_ns(self) -> int:
        """Return how long (ns) to wait now: 0.5 to 1.5 times the nominal pause."""
        wait, self.next = self.next, min(2 * self.next, WAIT_NS_MAX)
        return wait // 2 + (wait * self.rng.getrandbits(SPREAD_BITS) >> SPREAD_BITS)
