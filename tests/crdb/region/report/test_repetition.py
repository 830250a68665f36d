"""Repeated events are shown once and then counted."""

from __future__ import annotations

from typing import Any

import pytest

from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import (
    ConfirmEvent,
    DataAtRiskEvent,
    FollowingEvent,
    LoadingEvent,
    NotStoppedEvent,
    PromotedEvent,
    ReadyEvent,
)
from crdb.region.report import repetition
from crdb.region.report.repetition import REPEAT_SECONDS, Repetition
from tests.crdb.events import make_event

REFUSED = {"region": "us", "peer": "eu", "direction": "in", "reason": "refused"}


class Shown(Repetition):
    """A list of the events that were shown."""

    def details_to_show(
        self, name: str, details: dict[str, Any], now: float
    ) -> dict[str, object] | None:
        shown = self.event_to_show(make_event(name, details), now)
        return None if shown is None else shown.details()


def test_first_event_is_shown_and_repetitions_are_counted() -> None:
    events = Shown()
    assert events.details_to_show("link down", REFUSED, 0.0) == REFUSED
    for second in range(1, 60):
        assert events.details_to_show("link down", REFUSED, float(second)) is None
    assert events.details_to_show("link down", REFUSED, REPEAT_SECONDS) == REFUSED | {"times": 60}
    assert events.details_to_show("link down", REFUSED, REPEAT_SECONDS + 1) is None
    again = events.details_to_show("link down", REFUSED, 2 * REPEAT_SECONDS)
    assert again == REFUSED | {"times": 2}


def test_different_event_of_link_ends_repetition() -> None:
    events = Shown()
    up = {"region": "us", "peer": "eu", "direction": "in"}
    for now in (0.0, 1.0):
        assert events.details_to_show("link down", REFUSED, now) == REFUSED
        assert events.details_to_show("link up", up, now) == up


def test_catching_up_is_shown_after_each_break_of_link() -> None:
    events = Shown()
    caught_up = {"region": "us", "peer": "eu"}
    for now in (0.0, 1.0):
        assert events.details_to_show("caught up", caught_up, now) == caught_up
        assert events.details_to_show("caught up", caught_up, now) is None
        assert events.details_to_show("link down", REFUSED, now) == REFUSED


def test_links_do_not_end_each_others_repetitions() -> None:
    events = Shown()
    other = REFUSED | {"direction": "out"}
    assert events.details_to_show("link down", REFUSED, 0.0) == REFUSED
    assert events.details_to_show("link down", other, 0.0) == other
    assert events.details_to_show("link down", REFUSED, 1.0) is None
    assert events.details_to_show("link down", other, 1.0) is None


def test_events_without_link_repeat_by_their_name() -> None:
    events = Shown()
    fault = {"region": "us", "reason": "too many open files"}
    assert events.details_to_show("cannot accept", fault, 0.0) == fault
    assert events.details_to_show("promoted", {"region": "us"}, 0.0) is not None
    assert events.details_to_show("cannot accept", fault, 1.0) is None
    assert events.details_to_show("cannot accept", fault | {"reason": "other"}, 1.0) is not None


LOADING = LoadingEvent(region="us", reason="it has lost its memory")
READY = ReadyEvent(region="us")
FOLLOWING = FollowingEvent(region="us", sources=["db:1"])
PROMOTED = PromotedEvent(region="us")


@pytest.mark.parametrize(
    ("event", "opposite"), [(LOADING, READY), (READY, LOADING), (FOLLOWING, PROMOTED)]
)
def test_alternating_events_are_not_repetitions(
    event: OperatorEvent, opposite: OperatorEvent
) -> None:
    events = Repetition()
    for now in (0.0, 1.0):
        assert events.event_to_show(event, now) == event
        assert events.event_to_show(event, now) is None
        assert events.event_to_show(opposite, now) == opposite


@pytest.mark.parametrize(
    "event",
    [
        DataAtRiskEvent(region="us", keys=1, writes=1, is_last=True),
        ConfirmEvent(how="press y"),
        NotStoppedEvent(),
    ],
)
def test_each_attempt_to_stop_is_reported(event: OperatorEvent) -> None:
    events = Repetition()
    for now in (0.0, 1.0):
        assert events.event_to_show(event, now) == event


def test_memory_is_bounded() -> None:
    events = Shown()
    for number in range(repetition.TOPICS_MAX + 1):
        events.details_to_show("link down", REFUSED | {"peer": number}, 0.0)
    assert len(events.topics) == repetition.TOPICS_MAX
    first, last = REFUSED | {"peer": 0}, REFUSED | {"peer": repetition.TOPICS_MAX}
    assert events.details_to_show("link down", first, 1.0) == first
    assert events.details_to_show("link down", last, 1.0) is None


@pytest.mark.parametrize("event", ["cross-protocol request", "wrong password"])
def test_clients_of_host_are_counted_across_ports(event: str) -> None:
    repetition = Shown()
    here = {"region": "us", "address": "10.0.0.1:50001"}
    assert repetition.details_to_show(event, here, 0.0) == here
    again = {"region": "us", "address": "10.0.0.1:50002"}
    assert repetition.details_to_show(event, again, 1.0) is None
    other = {"region": "us", "address": "10.0.0.2:50002"}
    assert repetition.details_to_show(event, other, 2.0) == other
    late = {"region": "us", "address": "10.0.0.1:50003"}
    assert repetition.details_to_show(event, late, 61.0) == {**late, "times": 2}


def test_flapping_link_is_shown_some_times_and_then_counted() -> None:
    """Two processes of one region that replaced each other once printed 47 lines a second."""
    events = Shown()
    up = {"region": "us", "peer": "eu", "direction": "in"}
    lines = 0
    for number in range(1000):
        now = number / 100
        lines += events.details_to_show("link down", REFUSED, now) is not None
        lines += events.details_to_show("link up", up, now) is not None
    assert lines == 2 * repetition.ALTERNATIONS_MAX
    later = 10 + REPEAT_SECONDS
    hidden = 1000 - repetition.ALTERNATIONS_MAX
    assert events.details_to_show("link up", up, later) == up | {"times": hidden + 1}
    assert events.details_to_show("link down", REFUSED, later) == REFUSED | {"times": hidden + 1}
    assert events.details_to_show("link up", up, later) == up


def test_flapping_link_is_still_shown_once_a_minute() -> None:
    events = Shown()
    up = {"region": "us", "peer": "eu", "direction": "in"}
    shown = [events.details_to_show("link up", up, 0.0)]
    for second in range(240):
        events.details_to_show("link down", REFUSED, float(second))
        shown.append(events.details_to_show("link up", up, second + 0.5))
    counted = [each["times"] for each in shown if each is not None and "times" in each]
    assert len(counted) >= 3
    plain = sum(each is not None for each in shown) - len(counted)
    assert plain <= 5 * repetition.ALTERNATIONS_MAX


def test_new_events_of_link_are_shown_while_it_flaps() -> None:
    events = Shown()
    for number in range(3 * repetition.DIFFERENT_MAX):
        details = REFUSED | {"reason": f"reason {number}"}
        assert events.details_to_show("link down", details, 0.0) == details
    (known,) = events.topics.values()
    assert len(known) == repetition.DIFFERENT_MAX
