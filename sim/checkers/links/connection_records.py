"""A checker's records of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from replication.machines.endpoint import End

E = TypeVar("E", bound=End)
R = TypeVar("R")


class ConnectionRecords(Generic[E, R]):
    """A record for the latest connection of each process with each peer.

    `begin` makes the record of a new connection. It is called with the end in the process.
    """

    def __init__(self, begin: Callable[[E], R]) -> None:
        self.begin = begin
        self.latest: dict[tuple[str, str], tuple[E, R]] = {}
        """By the names of the process and its peer: the end of the connection, and its record."""

    def find(self, process: str, end: E) -> R:
        """Return the record of the connection that has `end` in a process. The record of an earlier
        connection with that peer is dropped."""
        names = process, end.peer
        known = self.latest.get(names)
        if known is not None and known[0] is end:
            return known[1]
        record = self.begin(end)
        self.latest[names] = end, record
        return record
