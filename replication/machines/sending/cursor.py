"""The position of one source in the history: what its sink has been sent, and what comes next.

No ops are kept here. `sent` is the vector of what the sink has been sent, or has by other ways. The
history may drop ops that the sink still needs, and a merged snapshot leaves a hole in it. `reaches`
and `next_batch` report that.
"""

from __future__ import annotations

from collections.abc import Callable

from crdt.causality.dots import Origin, Vector, join, region_of
from replication.machines.sending.log_reader import Batch, LogReader, Routes


class Cursor:
    """Reads the history for one sink. `refuse` is called with an origin that was requested to fill
    a gap when the history does not hold its ops any more."""

    def __init__(self, log_reader: LogReader, refuse: Callable[[Origin], None]) -> None:
        self.log_reader = log_reader
        self.history = log_reader.history
        self.refuse = refuse
        self.routes: Routes = frozenset()
        self.extra: frozenset[Origin] = frozenset()
        """Origins outside of the routes that were requested to fill a gap."""
        self.seek: frozenset[Origin] = frozenset()
        """Requested origins, which are looked up in the history before the next batch."""
        self.sent: Vector = {}
        self.position = 0
        self.goal = 0
        """The end of the history when the sink resumed. The backlog ends there."""
        self.jumps = 0

    def wants(self, origin: Origin) -> bool:
        """Return whether ops of `origin` are sent over this link."""
        routes = self.routes
        return routes is None or region_of(origin) in routes or origin in self.extra

    def wanted_part(self, vector: Vector) -> Vector:
        """Return the part of a vector whose ops are sent over this link."""
        return {origin: seq for origin, seq in vector.items() if self.wants(origin)}

    def reaches(self) -> bool:
        """Return whether the history holds all that the sink has not been sent. An origin that only
        fills a gap is refused if the history does not hold its ops."""
        self.jumps = self.history.jumps
        for origin, seq in self.history.floor.items():
            if self.sent.get(origin, 0) < seq and self.wants(origin):
                if self.routes is None or region_of(origin) in self.routes:
                    return False
                self.extra -= {origin}
                self.refuse(origin)
        return True

    # -- moving ----------------------------------------------------------------------------

    def resume(self, vector: Vector, routes: Routes) -> bool:
        """Go to the oldest op that a sink at `vector` lacks. Return False if the history does not
        reach back to it."""
        self.routes = routes
        self.sent = dict(vector)
        self.seek = frozenset()
        if not self.reaches():
            return False
        self.position = self.history.locate(self.sent, self.wants)
        self.goal = self.history.stop
        return True

    def fill_gap(self, origin: Origin, after: int) -> bool:
        """Let the next batch begin at the op of `origin` that follows `after`. Return False if the
        history does not hold it."""
        is_known = origin in self.log_reader.replica.keyspace.vector
        if not is_known or self.history.floor.get(origin, 0) > after:
            return False
        if not self.wants(origin):
            self.extra |= {origin}
        self.sent[origin] = after
        self.seek |= {origin}
        return True

    def end_gap(self, origin: Origin) -> None:
        """Send no more ops of an origin outside of the routes."""
        self.extra -= {origin}

    def acknowledge(self, vector: Vector) -> None:
        """Record what the sink has. What it received over another link is not sent again."""
        for origin, seq in vector.items():
            if self.sent.get(origin, 0) < seq:
                self.sent[origin] = seq

    def begin_snapshot(self, vector: Vector) -> None:
        """Go to the end of the history, since a snapshot at `vector` is sent from now on."""
        self.sent = join(self.sent, vector)
        self.seek = frozenset()
        self.position = self.history.stop
        self.jumps = self.history.jumps

    def end_snapshot(self) -> None:
        """Let the backlog be what was written while the snapshot was sent."""
        self.goal = self.history.stop

    # -- reading ---------------------------------------------------------------------------

    def is_at_goal(self) -> bool:
        """Return whether the whole backlog has been read."""
        return self.position >= self.goal

    def has_more(self) -> bool:
        """Return whether there are ops to look through, or a hole to report."""
        history = self.history
        if self.seek:
            return True
        return self.position < history.stop or self.jumps != history.jumps

    def has_gaps(self) -> bool:
        """Return whether origins were requested to fill a gap."""
        return bool(self.extra or self.seek)

    def is_kept(self) -> bool:
        """Return whether the history still holds the op at the position."""
        return self.position >= self.history.start

    def skip_batch(self, limit_bytes: int) -> bool:
        """Skip the next batch if it has no op for this link. Return False if it has one, or if the
        history has a new hole."""
        batch = self.log_reader.read(self.position, self.routes, limit_bytes)
        if batch.ops or self.jumps != self.history.jumps:
            return False
        self.position = batch.stop
        return True

    def next_batch(self, limit_bytes: int) -> Batch | None:
        """Read the next batch of ops, of about `limit_bytes`. Return None if the history does not
        hold all that the sink lacks."""
        history, reader = self.history, self.log_reader
        is_unsure = len(self.seek) > 0  # the history may have dropped ops since the request
        if self.seek:
            self.position = min(self.position, history.locate(self.sent, self.seek.__contains__))
            self.seek = frozenset()
        if is_unsure or self.position < history.start or self.jumps != history.jumps:
            if not self.reaches():
                return None
            self.position = max(self.position, history.start)
        sent = self.sent
        if self.extra:
            batch = reader.gather(self.position, self.routes, limit_bytes, self.extra, sent)
        else:
            batch = reader.read(self.position, self.routes, limit_bytes)
            if any(seq != sent.get(origin, 0) + 1 for origin, seq in batch.first.items()):
                batch = reader.gather(self.position, self.routes, limit_bytes, self.extra, sent)
        for origin, seq in batch.first.items():
            assert seq <= sent.get(origin, 0) + 1, "a hole in the history"
        sent.update(batch.last)
        self.position = batch.stop
        return batch
