"""The subscribers of channels and patterns.

There are three kinds of names: channels, patterns of channels, and shard channels. A shard channel
has nothing to do with a channel of the same name, and no pattern matches it.

A session that subscribes has one `Subscriber`. When the session unsubscribes from everything
without a reply, or its connection closes, the subscriber ends: it receives nothing any more. Its
names are released in slices if they are many.
"""

from __future__ import annotations

import re
from typing import Final

from crdb.engine.glob import compile_glob
from crdb.engine.pubsub.messages import CHANNEL, KINDS, PATTERN, SHARD_CHANNEL
from crdb.engine.pubsub.subscriptions import Subscriptions
from crdb.engine.session import SUBSCRIBED, Session

RELEASED_AT_ONCE: Final = 1000
"""The names of a subscriber that are released immediately when it ends."""
ANYTHING: Final = b"*"


class Subscriber:
    """A session as a receiver of messages."""

    __slots__ = ("is_ended", "session", "subscriptions")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.subscriptions = Subscriptions()
        self.is_ended = False


class Subscribers:
    """The subscribers of one instance, by what they subscribe to."""

    __slots__ = ("by_kind", "by_session", "ended", "globs")

    def __init__(self) -> None:
        self.by_kind: tuple[dict[bytes, dict[Subscriber, None]], ...] = tuple(
            [dict[bytes, dict[Subscriber, None]]() for _ in KINDS]
        )
        """The subscribers of each name, by the kind of the name. None is empty."""
        self.globs: dict[bytes, re.Pattern[bytes] | None] = {}
        """The compiled form of each pattern; None for the one that matches everything."""
        self.by_session: dict[int, Subscriber] = {}
        """By id of the session."""
        self.ended: list[Subscriber] = []
        """Subscribers that have ended, and whose names are released in slices."""

    def subscribe(self, session: Session, kind: int, name: bytes) -> None:
        """Let `session` receive the messages for `name` from now on."""
        subscriber = self.by_session.get(session.id)
        if subscriber is None:
            subscriber = Subscriber(session)
            self.by_session[session.id] = subscriber
            session.subscriptions = subscriber.subscriptions
        if not subscriber.subscriptions.add(kind, name):
            return
        receivers = self.by_kind[kind].get(name)
        if receivers is None:
            receivers = {}
            self.by_kind[kind][name] = receivers
            if kind == PATTERN:
                self.globs[name] = None if name == ANYTHING else compile_glob(name)
        receivers[subscriber] = None
        session.flags |= SUBSCRIBED

    def unsubscribe(self, session: Session, kind: int, name: bytes) -> None:
        """End a subscription of `session`, if it has this one."""
        subscriber = self.by_session.get(session.id)
        if subscriber is None or not subscriber.subscriptions.remove(kind, name):
            return
        self.remove_receiver(kind, name, subscriber)
        if subscriber.subscriptions.is_empty():
            self.forget(subscriber)

    def end(self, session: Session) -> None:
        """End all subscriptions of `session`."""
        subscriber = self.by_session.get(session.id)
        if subscriber is None:
            return
        self.forget(subscriber)
        subscriber.is_ended = True
        self.release(subscriber, RELEASED_AT_ONCE)
        if not subscriber.subscriptions.is_empty():
            self.ended.append(subscriber)

    def release_slice(self, count: int) -> None:
        """Release `count` names of subscribers that have ended."""
        subscriber = self.ended[-1]
        self.release(subscriber, count)
        if subscriber.subscriptions.is_empty():
            self.ended.pop()

    def release(self, subscriber: Subscriber, count: int) -> None:
        """Release up to `count` names of a subscriber that has ended."""
        names = subscriber.subscriptions
        while count > 0 and not names.is_empty():
            kind, name = names.pop()
            self.remove_receiver(kind, name, subscriber)
            count -= 1

    def remove_receiver(self, kind: int, name: bytes, subscriber: Subscriber) -> None:
        """Remove a subscriber of `name`, and the name if that was the last one."""
        receivers = self.by_kind[kind][name]
        del receivers[subscriber]
        if not receivers:
            del self.by_kind[kind][name]
            if kind == PATTERN:
                del self.globs[name]

    def forget(self, subscriber: Subscriber) -> None:
        """Let the session of `subscriber` be an ordinary one again."""
        session = subscriber.session
        session.flags &= ~SUBSCRIBED
        session.subscriptions = None
        del self.by_session[session.id]

    def matches(self, pattern: bytes, channel: bytes) -> bool:
        """Return whether a pattern that somebody subscribes to matches a channel."""
        glob = self.globs[pattern]
        return glob is None or glob.fullmatch(channel) is not None

    def count(self, kind: int, name: bytes) -> int:
        """Return the number of subscribers of a name."""
        receivers = self.by_kind[kind].get(name)
        return 0 if receivers is None else len(receivers)

    def channels(self) -> int:
        """Return the number of channels with subscribers."""
        return len(self.by_kind[CHANNEL])

    def shard_channels(self) -> int:
        """Return the number of shard channels with subscribers."""
        return len(self.by_kind[SHARD_CHANNEL])

    def patterns(self) -> int:
        """Return the number of patterns with subscribers."""
        return len(self.globs)
