"""A checker's records of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from crdt.embed.replica import Replica
from replication.machines.endpoint import End
from sim.engine.checker import Watched
from sim.engine.frame_checker import Linked

E = TypeVar("E", bound=End)
R = TypeVar("R")


class ConnectionRecords(Generic[E, R]):
    """A record for each end of a connection in each process, until the connection is closed or the
    process restarts.

    A process may have several connections with one peer: a source keeps a connection that the peer
    has lost until it notices that. `begin` makes the record of a new connection.
    """

    def __init__(self, begin: Callable[[E], R]) -> None:
        self.begin = begin
        self.incarnations: dict[str, tuple[Replica, dict[E, R]]] = {}
        """By process: its present replica, and the records of its ends."""

    def of(self, process: Linked | Watched) -> dict[E, R]:
        """Return the records of a process by end. They are none after a restart."""
        known = self.incarnations.get(process.name)
        if known is not None and known[0] is process.replica:
            return known[1]
        records: dict[E, R] = {}
        self.incarnations[process.name] = process.replica, records
        return records

    def find(self, process: Linked | Watched, end: E) -> R:
        """Return the record of an end in a process."""
        records = self.of(process)
        record = records.get(end)
        if record is None:
            for other in [other for other in records if other.closed and not other.outbox]:
                del records[other]  # it has sent its last frame
            record = records[end] = self.begin(end)
        return record
