"""Drop operations that wait for effects that no member has any more.

When a region crashes, writes that no peer had received are lost. An operation of another region may
depend on them, reach a third region, and wait there in the causal buffer. If its own region crashes
as well, nobody will ever send the missing writes. While the operation waits, no region can discard
tombstones (see `membership_view`).

So a member that holds such an operation asks the others. Each adds itself to a statement if it has
neither applied nor buffered the effect:

    In this view, these regions lack effect `seq` of `origin`.

Statements are sent to all neighbours whenever they grow, so every topology works. When one names
all members of the view, the operations that wait for the effect are dropped, and those behind them.
Statements are void in another view. docs/design/008 proves that no member can still apply it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import attrs

from crdt.causality.dots import Origin
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from replication.machines.endpoint import NEVER, End
from replication.protocol.events import Event, OpsDropped
from replication.protocol.frames import Lacking, View
from replication.protocol.limits import SECOND
from replication.protocol.membership_view import MembershipView

ASK_NS: Final = SECOND  # an operation waits so long before the members are asked
STATEMENTS_MAX: Final = 1024  # that are kept; a buffer has two or three queues that wait like this

Effect: TypeAlias = tuple[Origin, int]
"""An origin and the number of one of its effects."""


@attrs.frozen
class Dropped:
    """Operations of `origin` that were given up, and the effect that they waited for."""

    origin: Origin
    operations: int
    effects: int
    awaited: Effect


@attrs.frozen
class WaitingOps:
    """The operations of one origin that wait, what they wait for, and since when (ns)."""

    origin: Origin
    operations: int
    since: int
    awaited: tuple[Effect, ...]


class Losses:
    """The statements that one replica knows."""

    def __init__(self, replica: Replica, membership: MembershipView) -> None:
        self.replica = replica
        self.membership = membership
        self.view: View = ()
        """The view in which the statements were made."""
        self.lacking: dict[Effect, frozenset[int]] = {}
        """The regions that lack an effect."""
        self.since: dict[Origin, int] = {}
        """The time (ns) since which operations of an origin have waited here."""
        self.dropped = 0
        """The number of effects that were given up."""

    # -- what waits ------------------------------------------------------------------------

    def record_waiting(self, now: int) -> None:
        """Record the origins whose operations wait at `now` (ns)."""
        self.since = {
            origin: self.since.get(origin, now) for origin in self.replica.causal_buffer.origins()
        }

    def waiting(self) -> list[WaitingOps]:
        """Return the waiting operations of each origin."""
        buffer = self.replica.causal_buffer
        queues = [(origin, buffer.waiting(origin)) for origin in buffer.origins()]
        return [
            WaitingOps(origin, len(queue), self.since.get(origin, 0), self.awaited_by(queue[0]))
            for origin, queue in queues
        ]

    def awaited_by(self, op: Op) -> tuple[Effect, ...]:
        """Return the effects that `op` needs and that have not been applied here."""
        vector = self.replica.keyspace.vector
        needed = {**op.deps, op.origin: op.first - 1}
        return tuple((o, seq) for o, seq in sorted(needed.items()) if vector.get(o, 0) < seq)

    # -- statements ------------------------------------------------------------------------

    def begin_statements(self, now: int) -> bool:
        """Begin statements about effects that are overdue. Return whether any is new."""
        self.enter_view()
        self.record_waiting(now)
        is_over = self.replica.stability.is_over
        buffer = self.replica.causal_buffer
        has_grown = False
        for origin, since in self.since.items():
            if now - since >= ASK_NS and is_over(origin):
                for effect in self.awaited_by(buffer.waiting(origin)[0]):
                    if is_over(effect[0]) and self.join_statement(effect, ()):
                        has_grown = True
        return has_grown

    def due_at(self, now: int) -> int:
        """Return the time (ns) after `now` at which operations will have waited for so long that
        the members are asked; NEVER if none will."""
        return min([at + ASK_NS for at in self.since.values() if at + ASK_NS > now], default=NEVER)

    def record_statement(self, frame: Lacking) -> bool:
        """Join a statement of a peer with ours. Return whether ours has grown."""
        self.enter_view()
        if frame.view != self.view:
            return False
        return self.join_statement((frame.origin, frame.seq), frame.regions)

    def receive_statement(self, frame: Lacking, ends: Iterable[End]) -> list[Event]:
        """Record a statement of a peer, then drop and forward what follows from it."""
        return self.apply_statements(ends) if self.record_statement(frame) else []

    def join_statement(self, effect: Effect, regions: Iterable[int]) -> bool:
        """Add `regions`, and our own if it lacks the effect, to the statement about an effect."""
        known = self.lacking.get(effect, frozenset())
        if not known and len(self.lacking) >= STATEMENTS_MAX:
            return False
        joined = known.union(regions)
        if self.lacks_effect(effect):
            joined |= {self.replica.region}
        if joined == known:
            return False
        self.lacking[effect] = joined
        return True

    def lacks_effect(self, effect: Effect) -> bool:
        """Return whether we neither have an effect nor hold it, in the buffer or put aside."""
        origin, seq = effect
        if self.membership.is_withheld or self.replica.keyspace.vector.get(origin, 0) >= seq:
            return False
        queue = self.replica.causal_buffer.waiting(origin)
        return not any(op.first <= seq <= op.last for op in queue)

    def list_statements(self) -> list[Lacking]:
        """Return all statements, as frames for peers."""
        return [
            Lacking(self.view, origin, seq, tuple(sorted(regions)))
            for (origin, seq), regions in self.lacking.items()
        ]

    def enter_view(self) -> None:
        """Void all statements if the view has changed."""
        if self.view != self.membership.view:
            self.view = self.membership.view
            self.lacking.clear()

    # -- giving up -------------------------------------------------------------------------

    def drop_lost_ops(self) -> list[Dropped]:
        """Drop the operations that wait for effects that no member has. Return them."""
        found: list[Dropped] = []
        if not self.lacking:
            return found
        gone = [
            effect for effect, regions in self.lacking.items() if self.names_all_members(regions)
        ]
        buffer = self.replica.causal_buffer
        for origin in buffer.origins() if gone else ():
            for other, seq in self.awaited_by(buffer.waiting(origin)[0]):
                lost = [each for each in gone if each[0] == other and each[1] <= seq]
                if lost and self.replica.stability.is_over(origin):
                    found.append(self.drop_operations(origin, lost[0]))
                    break
        for effect in list(self.lacking) if found else ():
            self.join_statement(effect, ())  # we may lack now what we held
        return found

    def apply_statements(self, ends: Iterable[End]) -> list[Event]:
        """Drop operations that can never be applied, and send our statements to peers."""
        events: list[Event] = []
        while found := self.drop_lost_ops():
            events += [OpsDropped("", each.origin, each.effects, *each.awaited) for each in found]
        statements = self.list_statements()
        for end in ends if statements else ():
            if end.membership is not None and end.hello is not None and not end.closed:
                for statement in statements:
                    end.send_lacking(statement)
        return events

    def names_all_members(self, regions: frozenset[int]) -> bool:
        """Return whether `regions` are all members, and the view has an incarnation of each."""
        members = self.replica.stability.members
        if members is None:
            return False
        needed = members | {self.replica.region}
        return needed <= regions and needed <= {region for region, _, _ in self.view}

    def drop_operations(self, origin: Origin, awaited: Effect) -> Dropped:
        """Drop all operations of an origin that wait."""
        operations = self.replica.causal_buffer.drop(origin)
        effects = sum(len(op.effects) for op in operations)
        self.dropped += effects
        self.since.pop(origin, None)
        return Dropped(origin, len(operations), effects, awaited)
