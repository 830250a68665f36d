"""The recovery of a replica that has lost its data, and the state that it has put aside.

`Links` asks here whether the replica may write again, and lets it take another incarnation. The
rules are in `recovery` (the peers to wait for) and `disputed_state` (the merge of a disputed
state).
"""

from __future__ import annotations

from collections.abc import Iterable

from crdt.causality.dots import Origin, Vector, join
from crdt.embed.replica import Replica
from replication.machines.receiving.disputed_state import DisputedState, put_aside
from replication.machines.sending.log_reader import LogReader
from replication.mesh.recovery import Recovery, unused_origin
from replication.protocol.events import Event, Recovered
from replication.protocol.frames import Hello
from replication.protocol.membership_view import MembershipView


class RecoveryState:
    """The memory of one replica. `dialled` are the names of the peers that can bring it back."""

    def __init__(
        self,
        replica: Replica,
        log_reader: LogReader,
        membership: MembershipView,
        dialled: Iterable[str],
    ) -> None:
        self.replica = replica
        self.log_reader = log_reader
        self.membership = membership
        self.dialled = tuple(dialled)
        self.recovery = Recovery(self.dialled)
        self.disputed_state: DisputedState | None = None
        """Our state while our origin is disputed."""
        self.expects_data = False
        """True if we have held something before. Then we do not begin with nothing before every
        peer that may have it has answered."""

    def record_caught_up(self, peer: str, hello: Hello | None) -> None:
        """Record that we hold all that a peer listed in its Hello.

        It counts as an answer if the peer holds nothing else, or if we have put a state aside.
        """
        assert hello is not None, "a peer sends Hello first"
        if self.disputed_state is not None or not hello.holds_aside:
            self.recovery.record_caught_up(peer)

    def reincarnate(self, reported: Iterable[Vector], least: int = 0) -> Origin:
        """Take a new incarnation, number `least` or one that nobody is known to have used.

        `reported` are the vectors that peers report. Return the new origin. Raises ValueError if
        all are in use; nothing is changed then.

        If we have written anything, all that is here is put aside until peers have answered.
        """
        origin = self.unused_origin(reported, least)
        if self.replica.keyspace.seq:
            if self.disputed_state is not None:
                self.disputed_state.merge_back(self.replica, lambda: self.unused_origin(reported))
            self.disputed_state = put_aside(self.replica)
            self.replica.reincarnate(origin)
            self.replica.reset()
        else:
            self.replica.reincarnate(origin)
        self.announce_aside()
        return origin

    def begin_recovery(self) -> None:
        """Wait for what peers have, from the beginning; all links are closed."""
        self.recovery = Recovery(self.dialled)

    def unused_origin(self, reported: Iterable[Vector], least: int = 0) -> Origin:
        """Return an origin of our region that is not known to be used.

        The vectors of peers are ignored if they leave no origin free. Raises ValueError if all
        are in use.
        """
        known = [{self.replica.origin: 0}, self.replica.keyspace.vector]
        if self.disputed_state is not None:
            known.append(self.disputed_state.vector)
        try:
            return unused_origin(self.replica.region, least, [*known, *reported])
        except ValueError:
            return unused_origin(self.replica.region, least, known)

    def known_vector(self) -> Vector:
        """Return what we hold, put aside or not."""
        vector = dict(self.replica.keyspace.vector)
        return vector if self.disputed_state is None else join(vector, self.disputed_state.vector)

    def announce_aside(self) -> None:
        """Let peers know whether we hold a state that is put aside."""
        self.log_reader.holds_aside = self.membership.is_withheld = self.disputed_state is not None

    def awaits_all(self) -> bool:
        """Return whether we have nothing of what we held, and some peer has not answered. That peer
        may have it, whether it is down, refuses us, or its link is cut."""
        is_empty = not self.replica.keyspace.vector and self.disputed_state is None
        return self.expects_data and is_empty and not self.recovery.has_all_answers

    def finish_recovery(self, cut: set[str], reported: Iterable[Vector]) -> list[Event]:
        """Finish the recovery if nothing is missing, and merge the state that was put aside. Links
        with the peers in `cut` are cut."""
        if self.awaits_all():
            return []
        if not self.recovery.is_recovered_now(cut, has_aside=self.disputed_state is not None):
            return []
        events: list[Event] = []
        if self.disputed_state is not None:
            last = self.recovery.last
            events = [
                self.disputed_state.merge_back(
                    self.replica, lambda: self.unused_origin(reported), last
                )
            ]
            self.disputed_state = None
            self.announce_aside()
        return [*events, Recovered(self.recovery.last)]
