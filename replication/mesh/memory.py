"""The lost memory of a replica and the state that it put aside: recovery and incarnations.

`Links` asks here whether the replica may write again, and lets it take another incarnation. The
rules stand in `recovery` (whom to wait for) and `aside` (what becomes of a disputed state).
"""

from __future__ import annotations

from collections.abc import Iterable

from crdt.causality.dots import Origin, Vector, join
from crdt.embed.replica import Replica
from replication.machines.aside import Aside, put_aside
from replication.machines.log_reader import Feed
from replication.mesh.recovery import Recovery, unused_origin
from replication.protocol.events import Event, Recovered
from replication.protocol.frames import Hello
from replication.protocol.membership_view import Lives


class Memory:
    """The memory of one replica. `dialled` are the names of the peers that can bring it back."""

    def __init__(self, replica: Replica, feed: Feed, lives: Lives, dialled: Iterable[str]) -> None:
        self.replica = replica
        self.feed = feed
        self.lives = lives
        self.dialled = tuple(dialled)
        self.recovery = Recovery(self.dialled)
        self.aside: Aside | None = None
        """Our state while our origin is disputed."""
        self.expects_data = False
        """True if we have held something before. Then we do not begin with nothing before every
        peer that may have it has answered."""

    def record_caught_up(self, peer: str, hello: Hello | None) -> None:
        """We have what a peer showed us in its Hello. It counts as an answer if that was all that
        the peer holds, or if we hold a state of our own that cannot be lost by it."""
        assert hello is not None, "a peer greets before it sends"
        if self.aside is not None or not hello.holds_aside:
            self.recovery.caught_up(peer)

    def reincarnate(self, said: Iterable[Vector], least: int = 0) -> Origin:
        """Take a new incarnation, number `least` or one that nobody is known to have used. `said`
        is what peers say that they have. Return the origin. Raises ValueError if there is none
        left, with nothing changed.

        If we have written anything, all that is here is put aside until peers have answered.
        """
        origin = self.unused_origin(said, least)
        if self.replica.keyspace.seq:
            if self.aside is not None:
                self.aside.bring_back(self.replica, lambda: self.unused_origin(said))
            self.aside = put_aside(self.replica)
            self.replica.reincarnate(origin)
            self.replica.reset()
        else:
            self.replica.reincarnate(origin)
        self.announce_aside()
        return origin

    def begin_recovery(self) -> None:
        """Wait for what peers have, from the beginning; all links are closed."""
        self.recovery = Recovery(self.dialled)

    def unused_origin(self, said: Iterable[Vector], least: int = 0) -> Origin:
        """Return an origin of our region that nobody is known to have used. What peers say counts
        unless that leaves none. Raises ValueError if none is left."""
        known = [{self.replica.origin: 0}, self.replica.keyspace.vector]
        if self.aside is not None:
            known.append(self.aside.vector)
        try:
            return unused_origin(self.replica.region, least, [*known, *said])
        except ValueError:
            return unused_origin(self.replica.region, least, known)

    def known_vector(self) -> Vector:
        """Return what we hold, put aside or not."""
        vector = dict(self.replica.keyspace.vector)
        return vector if self.aside is None else join(vector, self.aside.vector)

    def announce_aside(self) -> None:
        """Let peers know whether we hold a state that is put aside."""
        self.feed.holds_aside = self.lives.is_withheld = self.aside is not None

    def awaits_all(self) -> bool:
        """Return whether we have nothing of what we held, and some peer has not answered. That peer
        may have it, whether it is down, refuses us, or its link is cut."""
        is_empty = not self.replica.keyspace.vector and self.aside is None
        return self.expects_data and is_empty and not self.recovery.has_all_answers

    def look(self, cut: set[str], said: Iterable[Vector]) -> list[Event]:
        """Notice if we have recovered just now, the links with some peers being `cut`; what was put
        aside comes back then."""
        if self.awaits_all():
            return []
        if not self.recovery.look(cut, has_aside=self.aside is not None):
            return []
        events: list[Event] = []
        if self.aside is not None:
            last = self.recovery.last
            events = [self.aside.bring_back(self.replica, lambda: self.unused_origin(said), last)]
            self.aside = None
            self.announce_aside()
        return [*events, Recovered(self.recovery.last)]
