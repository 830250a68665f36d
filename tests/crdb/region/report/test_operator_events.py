"""The classes of events: one for each name, with a meaning for each detail."""

from __future__ import annotations

import attrs
import pytest

from crdb.engine.event_names import EVENT_NAMES
from crdb.region.report.link_events import link_event
from crdb.region.report.operator_events import EVENTS, make_event
from replication.protocol.events import (
    CaughtUp,
    ClockSkew,
    Closed,
    Connected,
    EarlierIncarnation,
    Event,
    OpsDropped,
    OriginReused,
    Resynced,
    Unlisted,
)
from replication.protocol.peers import Direction


def test_each_event_has_class() -> None:
    assert EVENTS.keys() == EVENT_NAMES
    assert all(kind.name == name for name, kind in EVENTS.items())


def test_each_class_and_detail_has_meaning() -> None:
    for kind in EVENTS.values():
        assert (kind.__doc__ or "").endswith(".")
        assert all(field.metadata["meaning"] for field in attrs.fields(kind))


def test_unknown_details_are_left_out() -> None:
    event = make_event("promoted", {"region": "us", "more": 1})
    assert event.details() == {"region": "us"}


@pytest.mark.parametrize(
    "event",
    [
        Connected("eu", Direction.IN, region=2, origin=2),
        Resynced("eu", Direction.IN, full=True),
        CaughtUp("eu"),
        OpsDropped("eu", origin=1, effects=2, lost=1, seq=3),
        ClockSkew("eu", 2_500),
        EarlierIncarnation("eu"),
        OriginReused("eu", 1),
        Unlisted("eu"),
        Closed("eu", Direction.OUT, "lost"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_class_knows_each_detail_of_link(event: Event) -> None:
    found = link_event(event)
    assert found is not None
    name, details = found
    assert make_event(name, {"region": "us", **details}).details() == {"region": "us", **details}
