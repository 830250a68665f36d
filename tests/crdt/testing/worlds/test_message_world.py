"""The message world: order, repetition, and the times of comparison."""

from __future__ import annotations

import attrs
import pytest

from crdt.testing import Step
from crdt.testing.checking import subject_of
from crdt.testing.worlds.message_world import MessageSubject, MessageWorld
from tests.crdt.testing.right_types import GrowSet, MaxMap, ObservedRemoveSet

SET = [("add", "milk"), ("remove", "milk")]
CHAIN = [Step("write", 0, 0), Step("deliver", 1, 0), Step("write", 1, 1)]


def world(delivery: str) -> MessageWorld:
    """Return a world of sets under a contract."""
    subject = subject_of(ObservedRemoveSet, SET)
    assert isinstance(subject, MessageSubject)
    return MessageWorld(attrs.evolve(subject, delivery=delivery))


@pytest.mark.parametrize(("delivery", "shown"), [("causal", {"milk"}), ("any", set[str]())])
def test_message_waits_for_what_its_origin_had_seen(delivery: str, shown: set[str]) -> None:
    there = world(delivery)
    for step in [*CHAIN, Step("deliver", 2, 1)]:
        there.step(step)
    assert there.family.read(there.sites[2].replica) == {"value": shown}


def test_step_without_meaning_does_nothing() -> None:
    there = world("causal")
    there.step(Step("gossip"))
    there.step(Step("duplicate", 0, 0))
    assert there.steps == 2
    assert there.trace == []


def test_kinds_of_steps_follow_contract() -> None:
    causal, states = subject_of(GrowSet, [("add", "a")]), subject_of(MaxMap, [("put", "a", 1)])
    assert isinstance(causal, MessageSubject)
    assert isinstance(states, MessageSubject)
    assert "duplicate" in states.kinds
    assert "duplicate" not in attrs.evolve(causal, duplicates=False).kinds
