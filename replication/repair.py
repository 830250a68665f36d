"""Gap repair: getting through a third region what does not come the direct way.

What we lack is known from two sides: an op that waits for its turn names what it waits for, and
heartbeats say what peers have. If we stand still below that for longer than a few round trips, a
peer that has it is asked, and goes on sending ops of that origin until the link that should bring
them does. So a cut between two regions stalls nobody while a third sees both (rules CAU-2, CAU-3;
and without the relay traffic of CAU-4 while all is well). The lives that our own region has
forgotten, and regions without a link to us, are supplied the same way.

If nobody's backlog holds it any more, somebody's snapshot does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from crdt.dots import Origin, Vector
from replication.events import Event, GapFound
from replication.limits import Limits
from replication.sink import Sink, SinkState

# Also a link that rests because too much waits: often what it waits for is the gap.
ASKABLE: Final = (SinkState.STREAMING, SinkState.STALLED, SinkState.RESUMING)
BACKOFF_MAX: Final = 6  # doublings of the patience: a saturated link must not be asked anew


@attrs.define
class Gap:
    """Where we stand with an origin that others are ahead with."""

    seq: int
    since: int
    attempts: int = 0


class Repair:
    """The gaps of one replica."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.gaps: dict[Origin, Gap] = {}
        self.helpers: dict[Origin, str] = {}
        """Who has been asked for the ops of an origin, and goes on sending them."""
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
                self.gaps[origin] = Gap(seq, now)
            elif now - gap.since >= self.patience(origin, sinks) << min(gap.attempts, BACKOFF_MAX):
                gap.since = now
                gap.attempts += 1
                asked, snapshot = self.ask(origin, seq, sinks)
                donor = donor or snapshot
                events.append(GapFound(snapshot or asked, origin, asked))
        return events, donor

    def patience(self, origin: Origin, sinks: Mapping[str, Sink]) -> int:
        """For how long a gap may stand: longer if a link is there to close it."""
        trips = [3 * s.rtt for s in sinks.values() if s.is_open and s.carries(origin)]
        return max(self.limits.patience_ns, *trips) if trips else self.limits.orphan_ns

    def ask(self, origin: Origin, seq: int, sinks: Mapping[str, Sink]) -> tuple[str, str]:
        """Ask somebody for the ops of `origin` after `seq`; who was asked, or, if all that have
        them have refused, who can give a snapshot."""
        able = [s for s in sinks.values() if s.is_open and s.vector.get(origin, 0) > seq]
        able.sort(key=lambda s: (s.peer == self.helpers.get(origin), s.rtt, s.peer))
        for sink in able:
            if (sink.peer, origin) in self.refused or sink.is_swamped:
                continue
            if sink.state in ASKABLE:
                helper = self.helpers.get(origin)
                if helper is not None and helper != sink.peer and helper in sinks:
                    sinks[helper].unfill(origin)
                self.helpers[origin] = sink.peer
                sink.fill(origin, seq)
                return sink.peer, ""
        if able and all((sink.peer, origin) in self.refused for sink in able):
            return "", able[0].peer
        return "", ""

    def release(self, have: Vector, sinks: Mapping[str, Sink]) -> None:
        """Stop those helpers whose help is no longer needed: we have what they have, and what comes
        the regular way. Who should bring it may itself have lost it."""
        for origin, name in list(self.helpers.items()):
            helper = sinks.get(name)
            if helper is None or origin not in helper.asked:
                del self.helpers[origin]
                continue
            held = have.get(origin, 0)
            for sink in sinks.values():
                if sink.state is SinkState.STREAMING and sink.carries(origin):
                    if held >= sink.vector.get(origin, 0) and held >= helper.vector.get(origin, 0):
                        helper.unfill(origin)
                        self.helpers.pop(origin, None)

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
