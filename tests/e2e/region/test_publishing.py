"""redis-py publishes and subscribes in two regions, over RESP2 and RESP3."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis import Redis

from tests.e2e.processes import WAIT_SECONDS, ready_event, started
from tests.ports import free_base

pytestmark = pytest.mark.processes

MESSAGES = 200


def next_message(subscription: Any) -> tuple[str, bytes, bytes]:
    """Wait for the next message, also for one about a subscription."""
    found = subscription.get_message(timeout=WAIT_SECONDS)
    assert found is not None, "no message comes"
    return found["type"], found["channel"], found["data"]


@pytest.mark.rule("PUB-1")
@pytest.mark.parametrize("protocol", [2, 3])
def test_messages_follow_writes_into_other_region(protocol: int) -> None:
    base = free_base(2)
    arguments = ["up", "--regions", "us,eu", "--port", str(base), "--json"]
    with started(arguments) as process:
        ready_event(process)
        us, eu = (
            cast("Any", Redis(port=base + number, protocol=protocol, socket_timeout=WAIT_SECONDS))
            for number in (1, 2)
        )
        subscription = eu.pubsub()
        subscription.subscribe("news")
        subscription.psubscribe("n?ws")
        subscription.ssubscribe("news")
        assert [next_message(subscription)[2] for _ in range(3)] == [1, 2, 1]
        for number in range(MESSAGES):
            with us.pipeline(transaction=number % 2 == 0) as pipe:
                pipe.set("latest", number)
                pipe.publish("news", number)
                pipe.execute()
        us.spublish("news", "end")
        for number in range(MESSAGES):
            payload = str(number).encode()
            assert next_message(subscription) == ("message", b"news", payload)
            assert next_message(subscription) == ("pmessage", b"news", payload)
            assert int(eu.get("latest")) >= number
        assert next_message(subscription) == ("smessage", b"news", b"end")
        subscription.unsubscribe()
        subscription.punsubscribe()
        subscription.sunsubscribe()
        kinds = {next_message(subscription)[0] for _ in range(3)}
        assert kinds == {"unsubscribe", "punsubscribe", "sunsubscribe"}
        assert us.publish("news", "x") == 0
