"""Gap repair: getting through a third region what does not come the direct way.

What we lack is known from two sides: an op that waits for its turn names what it waits for, and
heartbeats say what peers have. If we stand still below that for longer than a few round trips, a
peer that has it is asked, and goes on sending ops of that origin until the link that should bring
them does. So a cut between two regions stalls nobody while a third sees both (rules CAU-2, CAU-3;
and without the relay traffic of CAU-4 while all is well). The lives that our own region has
forgotten, and regions without a link to us, are supplied the same way.

Nobody is asked for what is on its way. A source sends all that its link carries, in order, and a
helper all that it was asked for. So while data comes from one of them that has what we lack, it
will come too: with the rest of a backlog, perhaps, over a slow link.

If nobody's backlog holds it any more, somebody's snapshot does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector
from replication.machines.sink import Sink, SinkState
from replication.protocol.events import Event, GapFound
from replication.protocol.limits import Limits

# Also a link that rests because too much waits: often what it waits for is the gap.
ASKABLE: Final = (SinkState.STREAMING, SinkState.STALLED, SinkState.RESUMING)
# A link that resumes too: what a helper still sends then, its source sends as well.
SUPPLYING: Final = (SinkState.STREAMING, SinkState.RESUMING)
BACKOFF_MAX: Final = 6  # doublings of the patience: a saturated link must not be asked anew


@attrs.define
class Gap:
    """Where we stand with an origin that others are ahead with."""

    seq: int
    since: int
    began: int
    attempts: int = 0


@attrs.frozen
class Helper:
    """The peer that was asked for the ops of an origin, and when."""

    peer: str
    since: int


class Repair:
    """The gaps of one replica."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.gaps: dict[Origin, Gap] = {}
        self.helpers: dict[Origin, Helper] = {}
        """The helpers that go on sending the ops of each origin."""
        self.requests = 0
        """The number of requests to helpers."""
        self.refused: set[tuple[str, Origin]] = set()

    def check(
        self, have: Vector, wanted: Vector, sinks: Mapping[str, Sink], now: int
    ) -> tuple[list[Event], str]:
        """Ask for what has been lacking for too long. `have` is what was applied or waits for its
        turn, `wanted` what it waits for. Also gives the peer whose snapshot is needed, if so."""
        self.release(have, sinks)
        lacking: set[Origin] = set()
        for vector in (wanted, *(sink.vector for sink in sinks.values())):
            for origin, seq in vector.items():
                if have.get(origin, 0) < seq:
                    lacking.add(origin)
        self.gaps = {origin: gap for origin, gap in self.gaps.items() if origin in lacking}
        events: list[Event] = []
        donor = ""
        for origin in sorted(lacking):
            gap = self.gaps.get(origin)
            seq = have.get(origin, 0)
            if gap is None or gap.seq != seq:
                self.gaps[origin] = Gap(seq, now, now)
            elif now - gap.since >= self.patience(origin, sinks) << min(gap.attempts, BACKOFF_MAX):
                is_old = now - gap.began >= self.limits.idle_ns_max
                if self.is_coming(origin, seq, sinks, now) and not is_old:
                    continue
                gap.since = now
                gap.attempts += 1
                asked, snapshot = self.ask(origin, seq, sinks, now, is_old=is_old)
                donor = donor or snapshot
                events.append(GapFound(snapshot or asked, origin, asked))
        return events, donor

    def patience(self, origin: Origin, sinks: Mapping[str, Sink]) -> int:
        """For how long a gap may stand: longer if a link is there to close it."""
        trips = [3 * s.rtt for s in sinks.values() if s.is_open and s.carries(origin)]
        return max(self.limits.patience_ns, *trips) if trips else self.limits.orphan_ns

    def is_coming(self, origin: Origin, seq: int, sinks: Mapping[str, Sink], now: int) -> bool:
        """Return whether data comes from somebody who is to send what follows `seq`, or has been
        asked for a moment ago."""
        for sink in sinks.values():
            if sink.brings(origin, seq):
                if now - sink.data_at < max(self.limits.patience_ns, sink.trips_ns):
                    return True
        return False

    def ask(
        self, origin: Origin, seq: int, sinks: Mapping[str, Sink], now: int, *, is_old: bool
    ) -> tuple[str, str]:
        """Ask somebody for the ops of `origin` after `seq`; who was asked, or, if all that have
        them have refused, who can give a snapshot.

        Whoever is to send them anyway is not asked to send them again, unless the gap `is_old`.
        """
        helper = self.helpers.get(origin)
        name = "" if helper is None else helper.peer
        able = [s for s in sinks.values() if s.is_open and s.vector.get(origin, 0) > seq]
        able.sort(key=lambda s: (s.carries(origin), s.peer == name, s.rtt, s.peer))
        for sink in able:
            if (sink.peer, origin) in self.refused or sink.is_swamped:
                continue
            if sink.state in ASKABLE and (is_old or not sink.carries(origin)):
                if name != sink.peer and name in sinks:
                    sinks[name].unfill(origin)
                self.helpers[origin] = Helper(sink.peer, now)
                sink.fill(origin, seq, now)
                self.requests += 1
                return sink.peer, ""
        if able and all((sink.peer, origin) in self.refused for sink in able):
            return "", able[0].peer
        return "", ""

    def release(self, have: Vector, sinks: Mapping[str, Sink]) -> None:
        """Stop those helpers whose help is no longer needed."""
        for origin, asked in list(self.helpers.items()):
            helper = sinks.get(asked.peer)
            if helper is None or origin not in helper.asked:
                del self.helpers[origin]
            elif any(
                sink.state in SUPPLYING
                and sink.carries(origin)
                and is_supplied(origin, have, sink, helper, asked.since)
                for sink in sinks.values()
            ):
                helper.unfill(origin)
                del self.helpers[origin]

    def refuse(self, peer: str, origin: Origin) -> None:
        """`peer` no longer holds the ops of `origin` that it was asked for."""
        self.refused.add((peer, origin))
        gap = self.gaps.get(origin)
        if gap is not None:
            gap.attempts = 0
            gap.since = 0

    def forget(self, peer: str = "") -> None:
        """What `peer`, or without a name anybody, has refused may be asked for again."""
        self.refused = {pair for pair in self.refused if peer and pair[0] != peer}


def is_supplied(origin: Origin, have: Vector, regular: Sink, helper: Sink, since: int) -> bool:
    """Return whether a link that carries `origin` can go on without a helper, who was asked at
    `since`: it brings data again and its source has all that the helper has, or we have all that
    both have. A source may itself have lost what it should bring."""
    theirs, offered = regular.vector.get(origin, 0), helper.vector.get(origin, 0)
    held = have.get(origin, 0)
    return theirs >= offered if regular.data_at > since else held >= max(theirs, offered)
