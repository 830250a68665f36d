"""The delivery of messages to the subscribers of one instance.

A message that is published here is delivered before PUBLISH replies, unless it has many receivers,
or others wait before it. Then it joins a queue, and its receivers get it in slices. So does a
message of another region, which comes as an effect (see `crdt.writes.message`). The queue is in the
order of the messages, so every subscriber receives them in one order.

A session that is in the middle of a reply gets its messages behind that reply, as in Redis 7.2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from crdb.engine.pubsub.messages import (
    CHANNEL,
    PATTERN,
    Message,
    message_to_channel,
    message_to_pattern,
)
from crdb.engine.pubsub.subscribers import Subscriber, Subscribers
from crdb.engine.session import CLOSING, WORKING, Session
from crdt.causality.effect import Effect

SLICE_RECEIVERS: Final = 250
"""The receivers of messages in one slice. To send to each takes some microseconds."""
SLICE_PATTERNS: Final = 4
"""So many patterns are compared with a channel in the time that one receiver takes."""
QUEUE_MAX: Final = 100_000
"""The receivers in the queue above which PUBLISH waits, and a message that comes from another
region is not queued before a slice of the queue has been delivered."""

Send = Callable[[Session, bytes], None]


class Delivery:
    """A message and those who have not received it yet."""

    __slots__ = ("message", "receivers")

    def __init__(self, message: Message, receivers: dict[Subscriber, None]) -> None:
        self.message = message
        self.receivers = receivers


class Arrival:
    """A message whose receivers have not all been looked up yet."""

    __slots__ = ("channel", "kind", "patterns", "payload")

    def __init__(self, kind: int, channel: bytes, payload: bytes) -> None:
        self.kind = kind
        self.channel = channel
        self.payload = payload
        self.patterns: list[bytes] | None = None
        """The patterns that were not compared with the channel yet; None before the first slice."""


class MessageHub:
    """The subscribers of one instance, and the messages on their way to them."""

    __slots__ = ("queue", "queue_max", "queued", "send", "slice_receivers", "subscribers")

    def __init__(self, send: Send) -> None:
        """`send` sends bytes to a session."""
        self.send = send
        self.subscribers = Subscribers()
        self.queue: deque[Delivery | Arrival] = deque()
        self.queued = 0
        """The number of receivers in the queue. An arrival counts as one."""
        self.slice_receivers = SLICE_RECEIVERS
        self.queue_max = QUEUE_MAX

    # -- publish ---------------------------------------------------------------------------

    def publish(
        self, kind: int, channel: bytes, payload: bytes, publisher: Session | None = None
    ) -> int:
        """Deliver a message, now or in slices. Return the number of its receivers. `publisher` is
        the session that runs a command now: what it receives itself follows the reply."""
        count = self.publish_to_channel(kind, channel, payload, publisher)
        if kind == CHANNEL and self.subscribers.globs:
            patterns = list(self.subscribers.globs)
            count = self.publish_to_patterns(patterns, channel, payload, publisher, count)
        return count

    def publish_to_channel(
        self, kind: int, channel: bytes, payload: bytes, publisher: Session | None
    ) -> int:
        """Deliver a message to the subscribers of its channel. Return how many there are."""
        receivers = self.subscribers.by_kind[kind].get(channel)
        if receivers is None:
            return 0
        message = message_to_channel(kind, channel, payload)
        self.deliver(message, receivers, publisher, len(receivers))
        return len(receivers)

    def publish_to_patterns(
        self,
        patterns: list[bytes],
        channel: bytes,
        payload: bytes,
        publisher: Session | None,
        count: int,
    ) -> int:
        """Deliver a message to the subscribers of those `patterns` that match its channel. Return
        `count`, the number of its receivers so far, with these added."""
        subscribers = self.subscribers
        for pattern in patterns:
            receivers = subscribers.by_kind[PATTERN].get(pattern)
            if receivers is not None and subscribers.matches(pattern, channel):
                count += len(receivers)
                message = message_to_pattern(pattern, channel, payload)
                self.deliver(message, receivers, publisher, count)
        return count

    def deliver(
        self,
        message: Message,
        receivers: dict[Subscriber, None],
        publisher: Session | None,
        count: int,
    ) -> None:
        """Deliver a message now if `count`, the receivers so far, is not too large, and nothing
        waits before it. Otherwise put it into the queue."""
        if count > self.slice_receivers or self.queue:
            self.queue.append(Delivery(message, receivers.copy()))
            self.queued += len(receivers)
        else:
            for subscriber in receivers:
                self.push(subscriber, message, publisher)

    def push(self, subscriber: Subscriber, message: Message, publisher: Session | None) -> None:
        """Send a message to a subscriber, behind the reply that it receives now."""
        session = subscriber.session
        if subscriber.is_ended or session.flags & CLOSING:
            return
        data = message.encoded(session.protocol)
        if session is publisher or session.in_exec or session.flags & WORKING:
            session.pushes.append(data)
        else:
            self.send(session, data)

    # -- other regions ---------------------------------------------------------------------

    def arrive(self, effect: Effect) -> None:
        """Put a message of another region into the queue."""
        self.add_arrival(effect[3], effect[4], effect[5])

    def add_arrival(self, kind: int, channel: bytes, payload: bytes) -> None:
        """Put a message into the queue whose receivers are looked up later."""
        if self.queued > self.queue_max:
            self.deliver_slice()
        self.queue.append(Arrival(kind, channel, payload))
        self.queued += 1

    # -- the queue -------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Return whether nothing is left to be done in slices."""
        return not self.queue and not self.subscribers.ended

    def is_full(self) -> bool:
        """Return whether a client that publishes must wait."""
        return self.queued > self.queue_max

    def wait_for_room(self) -> Iterator[None]:
        """Yield until clients may publish again."""
        while self.is_full():
            yield

    def run_slice(self, items: int) -> None:
        """Do one slice of what is left: deliver messages, and release up to `items` names."""
        if self.queue:
            self.deliver_slice()
        if self.subscribers.ended:
            self.subscribers.release_slice(items)

    def deliver_slice(self) -> None:
        """Deliver the messages at the head of the queue, to about `slice_receivers`
        receivers."""
        left = self.slice_receivers
        while self.queue and left > 0:
            head = self.queue[0]
            if isinstance(head, Arrival):
                left -= self.match_slice(head, left)
            else:
                left -= self.deliver_part(head, left)
                if not head.receivers:
                    self.queue.popleft()

    def deliver_part(self, delivery: Delivery, count: int) -> int:
        """Deliver a message to up to `count` of its receivers. Return to how many."""
        receivers = list(islice(delivery.receivers, count))
        for subscriber in receivers:
            del delivery.receivers[subscriber]
            self.push(subscriber, delivery.message, None)
        self.queued -= len(receivers)
        return len(receivers)

    def match_slice(self, arrival: Arrival, left: int) -> int:
        """Look up some receivers of the head of the queue, and put deliveries to them before it.
        Remove it after the last ones. Return how many receivers' time that took."""
        kind, channel, payload = arrival.kind, arrival.channel, arrival.payload
        self.queue.popleft()
        found: list[Delivery] = []
        if arrival.patterns is None:
            arrival.patterns = list(self.subscribers.globs) if kind == CHANNEL else []
            receivers = self.subscribers.by_kind[kind].get(channel)
            if receivers is not None:
                message = message_to_channel(kind, channel, payload)
                found.append(Delivery(message, receivers.copy()))
        count = left * SLICE_PATTERNS
        patterns = arrival.patterns[-count:]
        del arrival.patterns[-count:]
        for pattern in patterns:
            receivers = self.subscribers.by_kind[PATTERN].get(pattern)
            if receivers is not None and self.subscribers.matches(pattern, channel):
                message = message_to_pattern(pattern, channel, payload)
                found.append(Delivery(message, receivers.copy()))
        if arrival.patterns:
            self.queue.appendleft(arrival)
        else:
            self.queued -= 1
        for delivery in reversed(found):
            self.queue.appendleft(delivery)
            self.queued += len(delivery.receivers)
        return 1 + len(patterns) // SLICE_PATTERNS

    # -- sessions --------------------------------------------------------------------------

    def catch_up(self, session: Session) -> None:
        """Deliver everything that waits for `session`, which is about to change its subscriptions,
        in front of the reply. O(messages in the queue)."""
        if not self.queue:
            return
        subscriber = self.subscribers.by_session.get(session.id)
        if subscriber is None:
            return
        for each in self.queue:
            if isinstance(each, Delivery) and subscriber in each.receivers:
                del each.receivers[subscriber]
                self.queued -= 1
                data = each.message.encoded(session.protocol)
                if session.in_exec:
                    session.pushes.append(data)
                else:
                    session.push(data)

    def end(self, session: Session) -> None:
        """End all subscriptions of `session`, which is reset or closed."""
        if session.subscriptions is not None:
            self.subscribers.end(session)
