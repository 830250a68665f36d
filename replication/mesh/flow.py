"""Flow control: a connected peer that is slower than we write gets ops, not snapshots. Pure.

Three measures follow each other:

1. *The backlog follows the rate of writes.* It holds the ops of the last minute, within the bounds
   that the owner of the links gives. So a peer that was away for some seconds can resume.
2. *What a connected peer has not been sent is kept*, up to `Limits.pinned_bytes_max`, as long as
   the peer takes something. All peers share one backlog, so the slowest of them decides its size.
   Redis has a buffer for each replica instead (`client-output-buffer-limit replica`), and
   disconnects a replica whose buffer is full.
3. *Writes are slowed.* When half of that bound is in use, writes may come at twice the rate at
   which the slowest peer takes ops. The rate falls with the room that is left, so it settles at
   the rate of the peer. FoundationDB's ratekeeper does the same. Followers do not slow writes.

A peer that takes nothing for `Limits.silence_ns_max` counts as gone: nothing is kept for it, and it
slows nobody. No write waits longer than `PAUSE_NS_MAX`. A peer that is slower still gets a snapshot
in the end.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from crdt.causality.op_log import NOTHING_PINNED, OpLog
from replication.machines.sending.source import Source
from replication.mesh.registry import Registry
from replication.protocol.events import Event, PeerBehind
from replication.protocol.limits import MS, SECOND, Limits

BACKLOG_NS: Final = 60 * SECOND
"""The backlog holds what was written in this time."""
MARK_NS: Final = SECOND
"""The time between two measurements of what was written."""
SHRINK_SHARE: Final = 16
"""A backlog that is too large shrinks by so much of its size at each measurement."""
BEHIND_SHARE: Final = 8
"""A peer is reported when it has not been sent this share of what may be kept for it."""
SLOW_SHARE: Final = 2
"""Writes are slowed from this share on."""
RATE_MIN: Final = 64 << 10
"""Bytes a second that are assumed for a peer whose rate is not known."""
PAUSE_NS_MAX: Final = SECOND
KEEPS_UP: Final = 0
BEHIND: Final = 1
SLOWS: Final = 2


class BacklogSize:
    """The size of a backlog between two bounds, by the rate of writes."""

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most
        self.marks: deque[tuple[int, int]] = deque()
        """Moments (ns), each with the number of bytes that had been written by then."""

    def size(self, now: int, written: int, limit: int) -> int:
        """Return the size at `now`. `written` bytes have been written so far, and the backlog holds
        up to `limit` bytes now."""
        marks = self.marks
        if not marks or now - marks[-1][0] >= MARK_NS:
            marks.append((now, written))
            limit -= limit // SHRINK_SHARE
        while now - marks[0][0] > BACKLOG_NS:
            marks.popleft()
        recent = min(max(written - marks[0][1], self.least), self.most)
        return max(recent, min(limit, self.most))


class FlowControl:
    """The flow control of one replica's links."""

    def __init__(self, history: OpLog, registry: Registry, limits: Limits) -> None:
        self.history = history
        self.registry = registry
        self.limits = limits
        least = history.limit
        self.backlog_size = BacklogSize(least, max(least, limits.backlog_bytes_max))
        self.standings: dict[str, int] = {}
        """KEEPS_UP, BEHIND or SLOWS, for each peer that was reported."""
        self.written = 0
        """The bytes that had been written when the pause was last computed."""
        self.free_at = 0
        """The time at which the next write may come."""
        self.slowed_ns = 0
        """The time for which writes have been paused in total."""
        if limits.pinned_bytes_max:
            history.pin(limits.pinned_bytes_max, self.pinned_from)

    def pinned_from(self) -> int:
        """Return the position of the oldest op that a connected peer has to be sent."""
        oldest = NOTHING_PINNED
        for source in self.registry.sources.values():
            if source.needs_history and source.cursor.position < oldest:
                oldest = source.cursor.position
        for source in self.registry.followers:
            if source.needs_history and source.cursor.position < oldest:
                oldest = source.cursor.position
        return oldest

    def unsent_bytes(self, source: Source) -> int:
        """Return about how many bytes of the history a connected peer has not been sent. Ops count
        as equally large."""
        history = self.history
        kept = history.stop - history.start
        if not source.needs_history or not kept:
            return 0
        position = max(source.cursor.position, history.start)
        return history.bytes * (history.stop - position) // kept

    @property
    def slow_bytes(self) -> int:
        """The unsent bytes of a peer from which on it slows writes."""
        return self.limits.pinned_bytes_max // SLOW_SHARE

    def pause_ns(self, now: int) -> int:
        """Return how long (ns) clients' writes have to wait, for what has been written since the
        last call."""
        history = self.history
        appended = history.total_bytes()
        written, self.written = appended - self.written, appended
        begin = self.slow_bytes
        if not begin or history.bytes <= begin:
            return 0
        slowest, unsent = None, begin
        for source in self.registry.sources.values():
            lacking = self.unsent_bytes(source)
            if lacking > unsent:
                slowest, unsent = source, lacking
        if slowest is None:
            return 0
        rate = 2 * max(slowest.pace.rate, RATE_MIN)
        room = max(self.limits.pinned_bytes_max - unsent, begin // 8)
        wait = written * SECOND * begin // (rate * room)
        self.free_at = min(max(self.free_at, now) + wait, now + PAUSE_NS_MAX)
        pause = self.free_at - now
        if pause < MS:
            return 0
        self.slowed_ns += pause
        return pause

    # -- in time -----------------------------------------------------------------------------

    def tick(self, now: int) -> list[Event]:
        """Adapt the size of the backlog, and report the peers whose standing has changed."""
        history, size = self.history, self.backlog_size
        if size.most > size.least:
            history.resize(size.size(now, history.total_bytes(), history.limit))
        if history.bytes > history.limit:
            history.trim()
        events: list[Event] = []
        for peer in [name for name in self.standings if name not in self.registry.sources]:
            del self.standings[peer]
        for peer, source in self.registry.sources.items():
            events += self.judge(peer, source, now)
        return events

    def judge(self, peer: str, source: Source, now: int) -> list[Event]:
        """Report a peer whose standing has changed."""
        unsent = self.unsent_bytes(source)
        before = self.standings.get(peer, KEEPS_UP)
        level = self.level_of(unsent, before)
        if level == before:
            return []
        self.standings[peer] = level
        return [
            PeerBehind(
                peer, unsent, source.lag_ns(now) // MS, slows=level == SLOWS, over=level == KEEPS_UP
            )
        ]

    def level_of(self, unsent: int, before: int) -> int:
        """Return the standing of a peer. One that was reached is left at half of its bound."""
        kept = max(self.history.limit, self.limits.pinned_bytes_max)
        slow, behind = self.slow_bytes, kept // BEHIND_SHARE
        if slow and unsent > (slow if before < SLOWS else slow // 2):
            return SLOWS
        return BEHIND if unsent > (behind if before < BEHIND else behind // 2) else KEEPS_UP

    def count_behind(self) -> int:
        """Return how many peers are behind."""
        return sum([level > KEEPS_UP for level in self.standings.values()])
