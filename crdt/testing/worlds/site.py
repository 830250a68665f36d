"""A region of a world of replicas, and the operations in transit to it."""

from __future__ import annotations

from typing import Final

from crdt.causality.dots import Vector
from crdt.embed.replica import Replica

CLOCK_START: Final = 1000


class Site:
    """A region of the world."""

    def __init__(self, region: int, replica: Replica) -> None:
        self.region: int = region
        self.replica: Replica = replica
        self.clock: int = CLOCK_START
        self.reached: int = CLOCK_START
        """The latest time that the region's clock has ever shown."""
        self.incarnation: int = 0
        self.reported: Vector = {}
        self.saved: list[bytes] = []
        self.vector: Vector = {}
        self.waiting: list[tuple[int, bytes]] = []  # in transit: the sender and the operation

    @property
    def expiry_clock(self) -> int:
        """The latest wall clock that the region has seen."""
        return self.replica.keyspace.expiry_clock


def digest_at(replica: Replica, now: int) -> bytes:
    """Return the digest of a replica as of the time `now`, in ms."""
    db = replica.keyspace
    expiry_clock = db.expiry_clock
    db.move_expiry(now)
    digest = replica.digest()
    db.move_expiry(expiry_clock)
    return digest
