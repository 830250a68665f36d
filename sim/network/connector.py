"""The connection of a region to another: dialling, and dialling again.

An attempt takes a round trip, as TCP's handshake does. It fails if the other region is down, if
nobody answers in time, or if the link was cut by command. The waits between attempts are those of
the production driver (`replication.protocol.backoff`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import attrs

from replication.protocol.backoff import CONNECT_NS_MAX, Backoff, was_accepted
from sim.engine.events import MS, Engine
from sim.engine.rng import SeededRandom
from sim.network.ways import Network, Pipe
from sim.network.wire import Wire

CONNECT_RETRIES_NS: Final = (1000 * MS, 2000 * MS)
"""The pauses (ns) between retransmissions of a connection request that is lost."""


class Party(Protocol):
    """A region that dials or is dialled."""

    name: str
    is_up: bool

    def is_cut(self, peer: str) -> bool:
        """Return whether the link from `peer` was cut by command."""
        ...

    def open_connection(self, peer: str) -> Wire | None:
        """Return our end of a new connection to `peer`; None if it is not permitted."""
        ...

    def accept_connection(self) -> Wire:
        """Return our end of an incoming connection."""
        ...

    def receive_bytes(self, wire: Wire, data: bytes) -> None:
        """Handle bytes received over a connection."""
        ...

    def connection_lost(self, wire: Wire, reason: str) -> None:
        """Process the loss of a connection."""
        ...

    def peer_unreachable(self, peer: str) -> None:
        """Handle a failed attempt to reach a peer."""
        ...

    def add_trace_record(self, what: str, detail: str = "") -> None:
        """Add a record to the trace."""
        ...


@attrs.frozen
class ConnectionContext:
    """The event engine, the network and the processes, shared by all connectors."""

    engine: Engine
    network: Network
    parties: Mapping[str, Party]


class Connector:
    """Keeps one region connected with a peer."""

    def __init__(
        self, party: Party, peer: str, *, exchange: ConnectionContext, rng: SeededRandom
    ) -> None:
        self.party = party
        self.peer = peer
        self.engine = exchange.engine
        self.network = exchange.network
        self.parties = exchange.parties
        self.backoff = Backoff(rng.generator)
        self.attempt = 0
        """Counts attempts; what belongs to an earlier one is stale."""
        self.wire: Wire | None = None
        self.connected_at = 0
        """The time (ns) at which the latest connection was made."""
        self.failures = 0

    def start_dialling(self) -> None:
        """Dial immediately, at the start of a region."""
        self.backoff.reset()
        self.start_attempt()

    def abandon_attempts(self) -> None:
        """Abandon all attempts: the region is down."""
        self.attempt += 1
        self.wire = None

    def connect_soon(self) -> None:
        """Dial immediately unless there is a connection."""
        if self.wire is None and self.party.is_up:
            self.start_attempt()

    def start_attempt(self) -> None:
        """Start one attempt."""
        self.attempt += 1
        attempt = self.attempt
        if self.party.is_cut(self.peer):
            return
        self.send_connect_request(attempt, CONNECT_RETRIES_NS)
        self.engine.schedule_after(
            CONNECT_NS_MAX, lambda: self.attempt_failed(attempt, "no answer")
        )

    def send_connect_request(self, attempt: int, waits: Sequence[int]) -> None:
        """Ask the other region, and again if that is lost, as TCP does."""
        if attempt != self.attempt or not self.party.is_up:
            return
        way = self.network.way(self.party.name, self.peer)
        back = self.network.way(self.peer, self.party.name)
        if way.is_open and back.is_open:
            self.engine.schedule_after(way.draw_delay(), lambda: self.answer_request(attempt))
        elif waits:
            self.engine.schedule_after(
                waits[0], lambda: self.send_connect_request(attempt, waits[1:])
            )

    def answer_request(self, attempt: int) -> None:
        """Handle the attempt at the other region."""
        back = self.network.way(self.peer, self.party.name)
        other = self.parties[self.peer]
        if not other.is_up:
            self.engine.schedule_after(
                back.draw_delay(), lambda: self.attempt_failed(attempt, "refused")
            )
            return
        theirs = other.accept_connection()
        self.engine.schedule_after(back.draw_delay(), lambda: self.join_ends(attempt, theirs))

    def join_ends(self, attempt: int, theirs: Wire) -> None:
        """Join both ends after the answer: the connection exists."""
        party, other = self.party, self.parties[self.peer]
        there = self.network.way(party.name, self.peer)
        back = self.network.way(self.peer, party.name)
        ours = party.open_connection(self.peer) if attempt == self.attempt and party.is_up else None
        if ours is None:
            if there.is_open:
                self.engine.schedule_after(
                    there.draw_delay(), lambda: other.connection_lost(theirs, "reset by peer")
                )
            return
        self.attempt += 1
        self.wire = ours
        self.connected_at = self.engine.now
        ours.far, theirs.far = theirs, ours
        ours.peer, theirs.peer = self.peer, party.name
        ours.out = Pipe(
            there, partial(other.receive_bytes, theirs), partial(other.connection_lost, theirs)
        )
        theirs.out = Pipe(
            back, partial(party.receive_bytes, ours), partial(party.connection_lost, ours)
        )
        ours.on_over = self.connection_ended
        if theirs.over:
            theirs.out.end("the peer hung up")
        party.receive_bytes(
            ours, theirs.greet()
        )  # what was sent on accepting came right behind the answer
        ours.flush(self.engine.now)

    def attempt_failed(self, attempt: int, why: str) -> None:
        """Handle a failed attempt."""
        if attempt == self.attempt and self.party.is_up:
            self.failures += 1
            self.party.peer_unreachable(self.peer)
            self.party.add_trace_record("no connection", f"{self.peer}: {why}")
            self.retry_later()

    def connection_ended(self, wire: Wire) -> None:
        """Process the end of a connection."""
        assert wire is self.wire, "an earlier one ends before the next is made"
        self.wire = None
        lasted_ns, end = self.engine.now - self.connected_at, wire.machine
        is_greeted = end.hello is not None
        if was_accepted(lasted_ns, is_greeted=is_greeted, is_refused=end.is_refused):
            self.backoff.reset()
        self.retry_later()

    def retry_later(self) -> None:
        """Dial again later."""
        self.attempt += 1
        attempt = self.attempt
        self.engine.schedule_after(self.backoff.wait_ns(), lambda: self.retry_now(attempt))

    def retry_now(self, attempt: int) -> None:
        """Dial again after the wait."""
        if attempt == self.attempt and self.party.is_up:
            self.start_attempt()
