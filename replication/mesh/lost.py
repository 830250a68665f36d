"""Giving up operations that wait for what nobody has any more.

A region that dies takes its last writes along, if nobody had received them. An operation of another
region may have seen them, reach a third region, and wait there in the causal buffer. If its own
region dies as well, nobody will ever send what it waits for. While it waits, nothing is forgotten
anywhere: see `lives`.

So a member that holds such an operation asks the others, and each adds itself to a statement if it
neither has the effect nor holds it:

    In this view, these regions lack effect `seq` of `origin`.

Statements travel to all neighbours whenever they grow, so every topology will do. When one names
all members of the view, what waits for the effect is dropped, with whatever waits behind it.
Statements are void in another view. docs/design/008 proves that no member can still apply it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import attrs

from crdt.causality.dots import Origin
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from replication.machines.endpoint import End
from replication.protocol.events import Event, OpsDropped
from replication.protocol.frames import Lacking, View
from replication.protocol.limits import SECOND
from replication.protocol.membership_view import Lives

ASK_NS: Final = SECOND  # for so long an operation waits before the members are asked
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
class Waiting:
    """The operations of one origin that wait, what they wait for, and since when (ns)."""

    origin: Origin
    operations: int
    since: int
    awaited: tuple[Effect, ...]


class Losses:
    """The statements that one replica knows."""

    def __init__(self, replica: Replica, lives: Lives) -> None:
        self.replica = replica
        self.lives = lives
        self.view: View = ()
        """In which the statements were made."""
        self.lacking: dict[Effect, frozenset[int]] = {}
        """The regions that lack an effect."""
        self.since: dict[Origin, int] = {}
        """Since when operations of an origin have waited here."""
        self.dropped = 0
        """The number of effects that were given up."""

    # -- what waits ------------------------------------------------------------------------

    def record_waiting(self, now: int) -> None:
        """Remember which origins' operations wait now."""
        self.since = {origin: self.since.get(origin, now) for origin in self.replica.gate.queues}

    def waiting(self) -> list[Waiting]:
        """Return what waits here."""
        return [
            Waiting(origin, len(queue), self.since.get(origin, 0), self.awaited_by(queue[0]))
            for origin, queue in sorted(self.replica.gate.queues.items())
        ]

    def awaited_by(self, op: Op) -> tuple[Effect, ...]:
        """Return the effects that `op` needs and that have not been applied here."""
        vector = self.replica.keyspace.vector
        needed = {**op.deps, op.origin: op.first - 1}
        return tuple((o, seq) for o, seq in sorted(needed.items()) if vector.get(o, 0) < seq)

    # -- statements ------------------------------------------------------------------------

    def ask(self, now: int) -> bool:
        """Begin statements about what has been waited for too long; True if any is new."""
        self.enter_view()
        self.record_waiting(now)
        is_over = self.replica.stability.is_over
        before = dict(self.lacking)
        for row in self.waiting():
            if is_over(row.origin) and now - row.since >= ASK_NS:
                for effect in row.awaited:
                    if is_over(effect[0]):
                        self.add(effect, ())
        return self.lacking != before

    def hear(self, frame: Lacking) -> bool:
        """Take in a statement of a peer; True if we know more now."""
        self.enter_view()
        if frame.view != self.view:
            return False
        return self.add((frame.origin, frame.seq), frame.regions)

    def take(self, frame: Lacking, ends: Iterable[End]) -> list[Event]:
        """Take in a statement of a peer, and do what follows."""
        return self.settle(ends) if self.hear(frame) else []

    def add(self, effect: Effect, regions: Iterable[int]) -> bool:
        """Join what is known about an effect with `regions`, and with us if we lack it."""
        known = self.lacking.get(effect, frozenset())
        if not known and len(self.lacking) >= STATEMENTS_MAX:
            return False
        joined = known.union(regions)
        if self.lacks(effect):
            joined |= {self.replica.region}
        if joined == known:
            return False
        self.lacking[effect] = joined
        return True

    def lacks(self, effect: Effect) -> bool:
        """Return whether we neither have an effect nor hold it, in the buffer or put aside."""
        origin, seq = effect
        if self.lives.is_withheld or self.replica.keyspace.vector.get(origin, 0) >= seq:
            return False
        queue = self.replica.gate.queues.get(origin, ())
        return not any(op.first <= seq <= op.last for op in queue)

    def statements(self) -> list[Lacking]:
        """Return what peers are to know."""
        return [
            Lacking(self.view, origin, seq, tuple(sorted(regions)))
            for (origin, seq), regions in self.lacking.items()
        ]

    def enter_view(self) -> None:
        """Void all statements if the view is another one by now."""
        if self.view != self.lives.view:
            self.view = self.lives.view
            self.lacking.clear()

    # -- giving up -------------------------------------------------------------------------

    def give_up(self) -> list[Dropped]:
        """Drop what waits for effects that no member has; what was dropped."""
        found: list[Dropped] = []
        gone = [effect for effect, regions in self.lacking.items() if self.is_by_all(regions)]
        queues = self.replica.gate.queues
        for origin in sorted(queues) if gone else ():
            for other, seq in self.awaited_by(queues[origin][0]):
                lost = [each for each in gone if each[0] == other and each[1] <= seq]
                if lost and self.replica.stability.is_over(origin):
                    found.append(self.drop(origin, lost[0]))
                    break
        for effect in list(self.lacking) if found else ():
            self.add(effect, ())  # we may lack now what we held
        return found

    def settle(self, ends: Iterable[End]) -> list[Event]:
        """Give up what nobody has, and tell peers what we know."""
        events: list[Event] = []
        while found := self.give_up():
            events += [OpsDropped("", each.origin, each.effects, *each.awaited) for each in found]
        statements = self.statements()
        for end in ends if statements else ():
            if end.lives is not None and end.hello is not None and not end.closed:
                for statement in statements:
                    end.say_lacking(statement)
        return events

    def is_by_all(self, regions: frozenset[int]) -> bool:
        """Return whether `regions` are all members, and the view has a life of each of them."""
        members = self.replica.stability.members
        if members is None:
            return False
        needed = members | {self.replica.region}
        return needed <= regions and needed <= {region for region, _, _ in self.view}

    def drop(self, origin: Origin, awaited: Effect) -> Dropped:
        """Drop all operations of an origin that wait."""
        operations = self.replica.gate.drop(origin)
        effects = sum(len(op.effects) for op in operations)
        self.dropped += effects
        self.since.pop(origin, None)
        return Dropped(origin, len(operations), effects, awaited)
