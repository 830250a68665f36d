"""Who subscribes to what."""

from __future__ import annotations

from crdb.engine.pubsub.messages import CHANNEL, PATTERN, SHARD_CHANNEL
from crdb.engine.pubsub.subscribers import Subscribers
from crdb.engine.session import SUBSCRIBED, Session


def session(identity: int) -> Session:
    return Session(identity, b"", b"", 0)


def test_name_is_known_while_somebody_subscribes() -> None:
    subscribers, one, two = Subscribers(), session(1), session(2)
    for each in (one, two):
        subscribers.subscribe(each, CHANNEL, b"a")
        subscribers.subscribe(each, CHANNEL, b"a")
    subscribers.subscribe(one, SHARD_CHANNEL, b"a")
    subscribers.subscribe(one, PATTERN, b"a*")
    assert [subscribers.count(kind, b"a") for kind in (CHANNEL, SHARD_CHANNEL)] == [2, 1]
    subscribers.unsubscribe(one, CHANNEL, b"a")
    subscribers.unsubscribe(one, CHANNEL, b"other")
    assert subscribers.count(CHANNEL, b"a") == 1
    subscribers.end(two)
    assert subscribers.channels() == 0
    assert (subscribers.shard_channels(), subscribers.patterns()) == (1, 1)
    assert one.flags & SUBSCRIBED
    subscribers.unsubscribe(one, SHARD_CHANNEL, b"a")
    subscribers.unsubscribe(one, PATTERN, b"a*")
    assert (subscribers.shard_channels(), subscribers.patterns()) == (0, 0)
    assert not one.flags & SUBSCRIBED
    assert not subscribers.globs
    assert not subscribers.by_session


def test_unsubscribing_without_subscriptions_does_nothing() -> None:
    subscribers, one = Subscribers(), session(1)
    subscribers.unsubscribe(one, CHANNEL, b"a")
    subscribers.end(one)
    assert one.flags == 0
    assert not subscribers.ended


def test_patterns_match_as_globs() -> None:
    subscribers, one = Subscribers(), session(1)
    for pattern in (b"*", b"a?", b""):
        subscribers.subscribe(one, PATTERN, pattern)
    assert [subscribers.matches(b"*", each) for each in (b"", b"x")] == [True, True]
    assert [subscribers.matches(b"a?", each) for each in (b"a", b"ab")] == [False, True]
    assert [subscribers.matches(b"", each) for each in (b"", b"x")] == [True, False]
