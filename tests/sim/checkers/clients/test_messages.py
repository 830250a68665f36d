"""The checker of messages finds those that are lost, repeated, early or out of order."""

from __future__ import annotations

import pytest

from crdb.engine.pubsub.subscribers import Subscriber
from crdt.causality.effect import MESSAGE, is_key_effect
from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.checkers.clients.messages import MessageChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.nodes.session import SUBSCRIBERS
from sim.world.world import SimWorld
from tests.sim.planted import Take, checker_of, finish, fresh, on_accept

SESSION = SUBSCRIBERS[0]


def subscribed() -> SimWorld:
    """Return a world in which a session of `us` subscribes in all three ways."""
    world = fresh(MessageChecker)
    for words in (("SUBSCRIBE", "news:0"), ("PSUBSCRIBE", "n*"), ("SSUBSCRIBE", "shard:0")):
        world.run_session("us", SESSION, words)
    return world


def publish(world: SimWorld, *payloads: str) -> None:
    """Publish from another region."""
    for payload in payloads:
        world.run_all("eu", ("SADD", "s", payload), ("PUBLISH", "news:0", payload))
        world.sleep(SECOND)


def deliver(site: SimRegion, payload: bytes) -> None:
    """Deliver a message that nobody has published."""
    site.instance.hub.publish(0, b"news:0", payload)
    site.finish_turn()


@pytest.mark.rule("PUB-1", "PUB-5")
def test_each_message_once_and_in_order_is_right() -> None:
    world = subscribed()
    publish(world, "one", "two")
    world.run("us", "SPUBLISH", "shard:0", "three")
    finish(world)
    assert checker_of(world).looked == 10, "five have come, and five had to"


def test_second_arrival_is_caught() -> None:
    world = subscribed()
    publish(world, "one")
    with pytest.raises(Violation, match=r"sends b'one' to 7100 for a second time"):
        deliver(world.sites["us"], b"one")


def test_lost_message_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    world = subscribed()
    nobody: tuple[dict[bytes, dict[Subscriber, None]], ...] = ({}, {}, {})
    monkeypatch.setattr(world.sites["us"].instance.hub.subscribers, "by_kind", nobody)
    publish(world, "one")
    with pytest.raises(Violation, match=r"us has not sent \[b'one'\] to 7100"):
        finish(world)


def test_message_before_writes_of_its_region_is_caught() -> None:
    world = subscribed()
    us = world.sites["us"]

    def hurry(op: Op, take: Take) -> Outcome:
        for effect in op.effects:
            if is_key_effect(effect, MESSAGE):
                deliver(us, effect[5])
        return take()

    on_accept(us, hurry)
    with pytest.raises(Violation, match="before it has applied what"):
        publish(world, "one")


def test_wrong_order_is_caught() -> None:
    world = subscribed()
    publish(world, "one", "two")
    checker = checker_of(world)
    assert isinstance(checker, MessageChecker)
    subscription = checker.open["us", SESSION, b"message"]
    subscription.got = dict.fromkeys(reversed(subscription.got))
    with pytest.raises(Violation, match=r"us sends b'one' to 7100 out of order"):
        world.run_session("us", SESSION, ("QUIT",))
