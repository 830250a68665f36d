"""Subscribers: sessions that receive the messages which writers publish in all regions.

Each region has a session that subscribes to channels, and one that subscribes to a pattern. Writers
publish each payload once. The promise `messages` judges what arrives
(`sim.checkers.clients.messages`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.session import LEAVE, SUBSCRIBERS
from sim.schedule.step import ScheduleStep, Words

CHANNELS: Final = ("news:0", "news:1")
SHARD_CHANNEL: Final = "shard:0"
BY_CHANNEL: Final[tuple[Words, ...]] = (("SUBSCRIBE", *CHANNELS), ("SSUBSCRIBE", SHARD_CHANNEL))
BY_PATTERN: Final[tuple[Words, ...]] = (("PSUBSCRIBE", "n*[01]"),)
RETURN_NS: Final = 3 * SECOND
"""The average time between two attempts to subscribe, which have an effect after a restart."""
LEAVES: Final = 6  # in one of so many times a subscriber first leaves


def draw_subscriber_steps(
    rng: SeededRandom, region: str, number: int, slot: int, end: int
) -> Iterator[ScheduleStep]:
    """Yield the steps of a subscriber of a region until `end`. Those with an even `slot` subscribe
    to channels, and others to a pattern."""
    session = SUBSCRIBERS[10 * number + slot]
    subscribe = BY_PATTERN if slot % 2 else BY_CHANNEL
    at = 1 + rng.integer_below(SECOND)
    while at < end:
        if rng.happens_in(1, LEAVES):
            yield ScheduleStep(at, "client", (region,), value=session, commands=(LEAVE,))
        for command in subscribe:
            yield ScheduleStep(at, "client", (region,), value=session, commands=(command,))
        at += 1 + rng.exponential(RETURN_NS)


def draw_message(rng: SeededRandom, payload: str) -> Words:
    """Draw a command that publishes a payload."""
    if rng.happens_in(1, 4):
        return ("SPUBLISH", SHARD_CHANNEL, payload)
    return ("PUBLISH", rng.choose_one(CHANNELS), payload)
