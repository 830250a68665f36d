"""Messages: what is published in one region arrives at the subscribers of all regions.

Each payload is published once. A subscriber gets it at most once, and those of one region in the
order in which they were published. When it gets a message of another region, its own region has
applied all writes that the other one made before (PUB-1). A subscriber gets every message that its
region has got as an operation since it subscribed. What comes with a snapshot is not delivered
(PUB-2).

Not checked: messages that a region publishes while it refuses writes, which do not cross, and
subscribers of followers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, TypeAlias, cast

from crdt.causality.dots import Dot, Origin, Vector, covers, make_dot, origin_of, region_of
from crdt.causality.effect import MESSAGE, Effect, is_key_effect
from crdt.causality.op import Op
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import Entry, RunHistory

Way: TypeAlias = bytes
"""The kind of a subscription: the first word of what comes over it."""
KINDS: Final[dict[bytes, Way]] = {
    b"subscribe": b"message",
    b"psubscribe": b"pmessage",
    b"ssubscribe": b"smessage",
}


class Subscription:
    """A subscription of one connection to all channels of a kind."""

    def __init__(self, since: Vector) -> None:
        self.since = since
        """The vector of the region when it began."""
        self.got: dict[bytes, None] = {}
        """The payloads in the order of their arrival."""
        self.due: dict[bytes, None] = {}
        """The messages that must arrive."""


class MessageChecker(Checker):
    """Checks what subscribers receive."""

    promise: ClassVar[str] = "messages"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.dots: dict[bytes, Dot] = {}
        """The effect of each payload."""
        self.open: dict[tuple[str, int, Way], Subscription] = {}
        """By region, session and kind."""

    def on_region_started(self, region: Watched) -> None:
        """Forget the subscriptions, which end with the process."""
        for place in [place for place in self.open if place[0] == region.name]:
            del self.open[place]

    def on_client_left(self, region: Watched, session: int) -> None:
        for place in [place for place in self.open if place[:2] == (region.name, session)]:
            self.finish(place, self.open.pop(place))

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        """Record the messages that a region publishes. Its own subscribers must get them."""
        origin = region.replica.origin
        for seq, way, payload in messages_in(first, effects):
            self.dots[payload] = make_dot(origin, seq)
            self.expect(region, way, payload)

    def on_op_applied(self, region: Watched, entry: Entry) -> None:
        """Expect the messages of an operation that has come from another region. An operation of
        an earlier incarnation of this one brings none: they were delivered when it was made."""
        if region_of(entry.origin) == region_of(region.replica.origin):
            return
        for _, way, payload in messages_in(entry.first, Op.from_bytes(entry.data).effects):
            self.expect(region, way, payload)

    def expect(self, region: Watched, way: Way, payload: bytes) -> None:
        """Note that the subscribers of a region must get a message."""
        for (name, _, kind), subscription in self.open.items():
            is_news = not covers(subscription.since, self.dots[payload])
            is_meant = kind == way or (kind == b"pmessage" and way == b"message")
            if name == region.name and is_meant and is_news:
                subscription.due[payload] = None

    def on_messages(self, region: Watched, session: int, messages: Sequence[Reply]) -> None:
        """Record what a subscriber has received. Raises Violation for what must not come."""
        db = region.replica.keyspace
        for message in messages:
            if not isinstance(message, list):
                continue
            kind, *_, payload = cast("list[bytes]", message)
            if kind in KINDS:
                since = {**db.vector, db.origin: db.seq}
                self.open.setdefault((region.name, session, KINDS[kind]), Subscription(since))
            elif (region.name, session, kind) in self.open:
                self.receive(region, session, kind, payload)

    def receive(self, region: Watched, session: int, kind: Way, payload: bytes) -> None:
        """Record a message. Raises Violation if it has come before, or before earlier writes."""
        self.looked += 1
        subscription = self.open[region.name, session, kind]
        if payload in subscription.got:
            raise self.violation(f"{region.name} sends {payload!r} to {session} for a second time")
        subscription.got[payload] = None
        dot, db = self.dots.get(payload), region.replica.keyspace
        if dot is not None and origin_of(dot) != db.origin and not covers(db.vector, dot):
            raise self.violation(
                f"{region.name} sends {payload!r} before it has applied what {dot} follows"
            )

    def finish(self, place: tuple[str, int, Way], subscription: Subscription) -> None:
        """Check the order of what has come over a subscription. Raises Violation."""
        latest: dict[Origin, Dot] = {}
        for payload in subscription.got:
            dot = self.dots.get(payload, 0)
            origin = origin_of(dot)
            if dot and dot < latest.get(origin, 0):
                raise self.violation(f"{place[0]} sends {payload!r} to {place[1]} out of order")
            latest[origin] = dot

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check that all messages have come that had to. Raises Violation."""
        for place, subscription in self.open.items():
            self.finish(place, subscription)
            self.looked += len(subscription.due)
            lost = [payload for payload in subscription.due if payload not in subscription.got]
            if lost:
                raise self.violation(f"{place[0]} has not sent {lost!r} to {place[1]} {place[2]!r}")


def messages_in(first: int, effects: Sequence[Effect]) -> Iterator[tuple[int, Way, bytes]]:
    """Yield the messages among effects of which `first` is the number of the first: the number of
    each, the kind of subscription that it is for, and its payload."""
    for seq, effect in enumerate(effects, first):
        if is_key_effect(effect, MESSAGE):
            yield seq, b"smessage" if effect[3] else b"message", effect[5]
