"""The incarnations of one region, from its start: when it takes another, and what must be on disk.
Pure.

The owner passes in the events of the links. It writes to the state directory what
`incarnation_to_write` and `vector_to_write` return, and reports the result. A region does not write
under an incarnation that is not on disk: clients are refused until `record_written`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.engine.events.operator_events import (
    DataLostEvent,
    NoIncarnationLeftEvent,
    StartedEmptyEvent,
    StateNotWrittenEvent,
)
from crdb.region.core.incarnations import RegionStart
from crdb.region.core.recovery import RegionRecovery
from crdt.causality.dots import Vector, incarnation_of
from replication.protocol.events import (
    DisputedStateResolved,
    EarlierIncarnation,
    Event,
    OriginReused,
    OriginShared,
    Recovered,
    RivalFound,
    RivalGone,
)
from replication.protocol.limits import SECOND

RETRY_NS: Final = 10 * SECOND
"""The time after which a failed write to the state directory is repeated."""
RESTARTED: Final = "it has restarted, and waits for what its peers have"
LOST: Final = "a peer holds writes that it made in an earlier incarnation"
REUSED: Final = "a peer knows writes in its name that it never made"
SHARED: Final = (
    "another process runs as this region with the same incarnation, as if from a copy of the state "
    "directory"
)
NO_SPACE: Final = (
    "make room, create the directory if it is gone, or make it writable; this is tried again"
)
NEW_NUMBER: Final = "give the region another id, in all files"


class RegionLifecycle:
    """The incarnations of one region. `draw` returns a random incarnation number, and `clock` the
    time of a monotonic clock in ns."""

    def __init__(
        self, recovery: RegionRecovery, *, draw: Callable[[], int], clock: Callable[[], int]
    ) -> None:
        self.recovery = recovery
        self.links = recovery.links
        self.replica = recovery.links.replica
        self.report = recovery.report
        self.draw = draw
        self.clock = clock
        self.is_written = True
        """True if our incarnation is on disk."""
        self.retry_at = 0
        """The time (ns) from which our incarnation is to be written, if it is not on disk."""
        self.written_vector: Vector | None = None
        """The vector that this process wrote to disk last."""

    def begin(
        self, start: RegionStart, held: Vector | None, *, start_empty: bool = False
    ) -> Vector | None:
        """Begin the incarnation of a start: serve immediately if it is the first, else after the
        recovery. `held` is the vector on disk, None if it is not known.

        Return the vector to write to disk now, or None to keep the one that is there.
        """
        if start.is_first:
            return {}
        if start_empty:
            self.report(StartedEmptyEvent(writes=sum((held or {}).values())))
            return {}
        if self.links.recovery.peers:
            self.recovery.begin(RESTARTED, held)
        elif held != {}:
            self.report(DataLostEvent(everything=True, peers=[]))
        return None

    def handle_event(self, event: Event) -> None:
        """Act on an event of the links, if it concerns the recovery or the incarnation."""
        match event:
            case EarlierIncarnation() if self.links.recovery.peers:
                self.recovery.begin_again(LOST)
            case Recovered():
                self.recovery.recover()
            case DisputedStateResolved():
                self.recovery.report_merge(event)
            case OriginReused(origin=origin) if origin == self.replica.origin:
                self.take_new_incarnation(REUSED)
            case OriginShared():
                self.take_new_incarnation(SHARED)
            case RivalFound(peer=peer):
                self.recovery.begin_rivalry(peer)
            case RivalGone():
                self.recovery.end_rivalry()
            case _:
                pass

    def take_new_incarnation(self, reason: str) -> None:
        """Take an unused incarnation, to be written to disk, and catch up with peers."""
        self.recovery.begin_again(reason)
        self.recovery.block()
        now = self.clock()
        try:
            self.links.reincarnate(now, self.draw())
        except ValueError as fault:
            self.report(NoIncarnationLeftEvent(reason=str(fault), remedy=NEW_NUMBER))
            return
        self.is_written = False
        self.retry_at = now

    # -- the state directory ---------------------------------------------------------------

    def incarnation_to_write(self) -> int | None:
        """Return the incarnation to write to disk now; None if there is nothing to write."""
        if self.is_written or self.clock() < self.retry_at:
            return None
        return incarnation_of(self.replica.origin)

    def record_written(self) -> None:
        """Record that our incarnation is on disk: clients may write after the recovery."""
        self.is_written = True
        self.recovery.unblock()
        awaits_data = self.links.recovery.peers or self.links.memory.disputed_state is not None
        if not awaits_data and not self.recovery.is_recovered:
            self.recovery.finish()  # only a guest has linked with us, and guests bring no data

    def record_not_written(self, reason: str) -> None:
        """Record that our incarnation could not be written to disk. It is tried again later."""
        self.retry_at = self.clock() + RETRY_NS
        self.report(StateNotWrittenEvent(reason=reason, remedy=NO_SPACE))

    def vector_to_write(self) -> Vector | None:
        """Return our vector, if it is to be written to disk: it has changed since it was written,
        and we hold what peers have. Else return None."""
        vector = self.replica.keyspace.vector
        if not self.recovery.is_ready or vector == self.written_vector:
            return None
        self.written_vector = dict(vector)
        return self.written_vector

    def record_vector_not_written(self, reason: str) -> None:
        """Record that our vector could not be written to disk. It is tried again when it is asked
        for next. A restart would not notice the loss of what was written meanwhile."""
        self.written_vector = None
        self.report(StateNotWrittenEvent(reason=reason, remedy=NO_SPACE))
