"""How one region keeps a connection to another: dial, and dial again.

An attempt takes a round trip, as TCP's handshake does. It fails if the other region is down, if
nobody answers in time, or if the link was cut by command. The waits between attempts are those of
the production driver (`replication.protocol.backoff`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import attrs

from replication.protocol.backoff import CONNECT_NS_MAX, Backoff
from sim.engine.events import MS, Engine
from sim.engine.rng import Dice
from sim.network.ways import Network, Pipe
from sim.network.wire import Wire

KNOCKS: Final = (1000 * MS, 2000 * MS)
"""Between the repetitions of what opens a connection, if nothing passes."""


class Party(Protocol):
    """A region that dials or is dialled."""

    name: str
    is_up: bool

    def is_cut(self, peer: str) -> bool:
        """Whether the link from `peer` was cut by command."""
        ...

    def call(self, peer: str) -> Wire | None:
        """Our end of a new connection to `peer`; None if it may not be."""
        ...

    def serve(self) -> Wire:
        """Our end of a connection that has come in."""
        ...

    def take(self, wire: Wire, data: bytes) -> None:
        """Bytes have come over a connection."""
        ...

    def lose(self, wire: Wire, reason: str) -> None:
        """A connection has ended."""
        ...

    def miss(self, peer: str) -> None:
        """A peer could not be reached."""
        ...

    def note(self, what: str, detail: str = "") -> None:
        """Put something into the trace."""
        ...


@attrs.frozen
class Exchange:
    """Where regions find each other."""

    engine: Engine
    network: Network
    parties: Mapping[str, Party]


class Dial:
    """One region's wish to be connected with a peer."""

    def __init__(self, party: Party, peer: str, *, exchange: Exchange, dice: Dice) -> None:
        self.party = party
        self.peer = peer
        self.engine = exchange.engine
        self.network = exchange.network
        self.parties = exchange.parties
        self.backoff = Backoff(dice.rng)
        self.attempt = 0
        """Counts attempts; what belongs to an earlier one is stale."""
        self.wire: Wire | None = None
        self.failures = 0

    def begin(self) -> None:
        """Dial now, as a region does that has just started."""
        self.backoff.reset()
        self.dial()

    def give_up(self) -> None:
        """The region is down."""
        self.attempt += 1
        self.wire = None

    def kick(self) -> None:
        """There is reason to hope: dial at once if there is no connection."""
        if self.wire is None and self.party.is_up:
            self.dial()

    def dial(self) -> None:
        """One attempt."""
        self.attempt += 1
        attempt = self.attempt
        if self.party.is_cut(self.peer):
            return
        self.knock(attempt, KNOCKS)
        self.engine.after(CONNECT_NS_MAX, lambda: self.fail(attempt, "no answer"))

    def knock(self, attempt: int, waits: Sequence[int]) -> None:
        """Ask the other region, and again if that is lost, as TCP does."""
        if attempt != self.attempt or not self.party.is_up:
            return
        way = self.network.way(self.party.name, self.peer)
        back = self.network.way(self.peer, self.party.name)
        if way.is_open and back.is_open:
            self.engine.after(way.delay(), lambda: self.answer(attempt))
        elif waits:
            self.engine.after(waits[0], lambda: self.knock(attempt, waits[1:]))

    def answer(self, attempt: int) -> None:
        """The attempt has come to the other region."""
        back = self.network.way(self.peer, self.party.name)
        other = self.parties[self.peer]
        if not other.is_up:
            self.engine.after(back.delay(), lambda: self.fail(attempt, "refused"))
            return
        theirs = other.serve()
        self.engine.after(back.delay(), lambda: self.connect(attempt, theirs))

    def connect(self, attempt: int, theirs: Wire) -> None:
        """The answer has come back: there is a connection."""
        party, other = self.party, self.parties[self.peer]
        there = self.network.way(party.name, self.peer)
        back = self.network.way(self.peer, party.name)
        ours = party.call(self.peer) if attempt == self.attempt and party.is_up else None
        if ours is None:
            if there.is_open:
                self.engine.after(there.delay(), lambda: other.lose(theirs, "reset by peer"))
            return
        self.attempt += 1
        self.wire = ours
        ours.far, theirs.far = theirs, ours
        ours.peer, theirs.peer = self.peer, party.name
        ours.out = Pipe(there, partial(other.take, theirs), partial(other.lose, theirs))
        theirs.out = Pipe(back, partial(party.take, ours), partial(party.lose, ours))
        ours.on_over = self.over
        if theirs.over:
            theirs.out.end("the peer hung up")
        party.take(ours, theirs.greet())  # what was sent on accepting came right behind the answer
        ours.flush(self.engine.now)

    def fail(self, attempt: int, why: str) -> None:
        """An attempt has come to nothing."""
        if attempt == self.attempt and self.party.is_up:
            self.failures += 1
            self.party.miss(self.peer)
            self.party.note("no connection", f"{self.peer}: {why}")
            self.again()

    def over(self, wire: Wire) -> None:
        """A connection has ended."""
        assert wire is self.wire, "an earlier one ends before the next is made"
        self.wire = None
        if wire.machine.hello is not None:
            self.backoff.reset()
        self.again()

    def again(self) -> None:
        """Dial after a while."""
        self.attempt += 1
        attempt = self.attempt
        self.engine.after(self.backoff.wait_ns(), lambda: self.redial(attempt))

    def redial(self, attempt: int) -> None:
        """The wait is over."""
        if attempt == self.attempt and self.party.is_up:
            self.dial()
