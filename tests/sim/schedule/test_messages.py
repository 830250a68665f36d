"""Subscribers and publishers."""

from __future__ import annotations

from sim.engine.events import MINUTE
from sim.engine.rng import SeededRandom
from sim.nodes.session import SUBSCRIBERS
from sim.schedule.messages import draw_message, draw_subscriber_steps


def test_subscribers_subscribe_again_and_leave_now_and_then() -> None:
    kinds: set[str] = set()
    for slot in range(2):
        rng = SeededRandom(1, f"subscriber/{slot}")
        for step in draw_subscriber_steps(rng, "eu", 1, slot, MINUTE):
            assert step.value == SUBSCRIBERS[10 + slot]
            kinds |= {words[0] for words in step.commands}
    assert kinds == {"SUBSCRIBE", "SSUBSCRIBE", "PSUBSCRIBE", "QUIT"}


def test_messages_go_to_both_kinds_of_channels() -> None:
    rng = SeededRandom(1, "news")
    drawn = {draw_message(rng, "u1")[:2] for _ in range(100)}
    assert drawn == {("PUBLISH", "news:0"), ("PUBLISH", "news:1"), ("SPUBLISH", "shard:0")}
