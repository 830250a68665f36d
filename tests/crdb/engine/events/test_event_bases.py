"""The base classes of events."""

from __future__ import annotations

from crdb.engine.events.event_bases import DirectedEvent, RegionEvent, detail, freeze_event


@freeze_event
class TriedEvent(RegionEvent):
    name = "promoted"

    is_new: bool = detail("a yes or no")
    names: list[str] = detail("a list")
    reason: str | None = detail("it may be left out", default=None)


def test_line_shows_region_and_details_that_are_there() -> None:
    event = TriedEvent(region="us", is_new=True, names=["a", "b"], times=3)
    assert event.details() == {"region": "us", "is_new": True, "names": ["a", "b"], "times": 3}
    assert event.lines() == ["us: promoted is_new=true names=a,b"]


def test_link_goes_from_source_to_sink() -> None:
    assert DirectedEvent(region="us", peer="eu", direction="in").path() == "eu -> us"
    assert DirectedEvent(region="us", peer="eu", direction="out").path() == "us -> eu"
