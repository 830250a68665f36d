"""Repeated events are shown once and then counted."""

from __future__ import annotations

import pytest

from crdb.region.report import repetition
from crdb.region.report.repetition import REPEAT_SECONDS, Repetition

REFUSED = {"region": "us", "peer": "eu", "direction": "in", "reason": "refused"}


def test_first_event_is_shown_and_repetitions_are_counted() -> None:
    events = Repetition()
    assert events.details_to_show("link down", REFUSED, 0.0) == REFUSED
    for second in range(1, 60):
        assert events.details_to_show("link down", REFUSED, float(second)) is None
    assert events.details_to_show("link down", REFUSED, REPEAT_SECONDS) == REFUSED | {"times": 60}
    assert events.details_to_show("link down", REFUSED, REPEAT_SECONDS + 1) is None
    again = events.details_to_show("link down", REFUSED, 2 * REPEAT_SECONDS)
    assert again == REFUSED | {"times": 2}


def test_different_event_of_link_ends_repetition() -> None:
    events = Repetition()
    up = {"region": "us", "peer": "eu", "direction": "in"}
    for now in (0.0, 1.0):
        assert events.details_to_show("link down", REFUSED, now) == REFUSED
        assert events.details_to_show("link up", up, now) == up


def test_links_do_not_end_each_others_repetitions() -> None:
    events = Repetition()
    other = REFUSED | {"direction": "out"}
    assert events.details_to_show("link down", REFUSED, 0.0) == REFUSED
    assert events.details_to_show("link down", other, 0.0) == other
    assert events.details_to_show("link down", REFUSED, 1.0) is None
    assert events.details_to_show("link down", other, 1.0) is None


def test_events_without_link_repeat_by_their_name() -> None:
    events = Repetition()
    fault = {"region": "us", "reason": "too many open files"}
    assert events.details_to_show("cannot accept", fault, 0.0) == fault
    assert events.details_to_show("promoted", {"region": "us"}, 0.0) is not None
    assert events.details_to_show("cannot accept", fault, 1.0) is None
    assert events.details_to_show("cannot accept", fault | {"reason": "other"}, 1.0) is not None


@pytest.mark.parametrize(
    ("event", "opposite"),
    [("loading", "ready"), ("ready", "loading"), ("following", "promoted")],
)
def test_alternating_events_are_not_repetitions(event: str, opposite: str) -> None:
    events = Repetition()
    details = {"region": "us", "reason": "it has lost its memory"}
    for now in (0.0, 1.0):
        assert events.details_to_show(event, details, now) == details
        assert events.details_to_show(event, details, now) is None
        assert events.details_to_show(opposite, {"region": "us"}, now) == {"region": "us"}


@pytest.mark.parametrize("event", ["data at risk", "confirm", "not stopped"])
def test_who_wants_to_stop_is_answered_each_time(event: str) -> None:
    events = Repetition()
    for now in (0.0, 1.0):
        assert events.details_to_show(event, {"region": "us"}, now) == {"region": "us"}


def test_details_may_change_after_event() -> None:
    events = Repetition()
    details = dict(REFUSED)
    events.details_to_show("link down", details, 0.0)
    details["reason"] = "another"
    assert events.details_to_show("link down", details, 1.0) == details


def test_memory_is_bounded() -> None:
    events = Repetition()
    for number in range(repetition.SUBJECTS_MAX + 1):
        events.details_to_show("link down", {"peer": number}, 0.0)
    assert len(events.latest) == repetition.SUBJECTS_MAX
    assert events.details_to_show("link down", {"peer": 0}, 1.0) == {"peer": 0}
    assert events.details_to_show("link down", {"peer": repetition.SUBJECTS_MAX}, 1.0) is None


@pytest.mark.parametrize("event", ["cross-protocol request", "wrong password"])
def test_clients_of_one_host_are_counted_whatever_their_ports(event: str) -> None:
    repetition = Repetition()
    here = {"region": "us", "address": "10.0.0.1:50001"}
    assert repetition.details_to_show(event, here, 0.0) == here
    again = {"region": "us", "address": "10.0.0.1:50002"}
    assert repetition.details_to_show(event, again, 1.0) is None
    other = {"region": "us", "address": "10.0.0.2:50002"}
    assert repetition.details_to_show(event, other, 2.0) == other
    late = {"region": "us", "address": "10.0.0.1:50003"}
    assert repetition.details_to_show(event, late, 61.0) == {**late, "times": 2}
