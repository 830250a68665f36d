"""Events of links for operators."""

from __future__ import annotations

import pytest

from crdb.region.report.link_events import link_event
from crdt.causality.dots import make_origin
from replication.protocol.events import (
    CaughtUp,
    ClockSkew,
    Closed,
    Connected,
    EarlierIncarnation,
    Event,
    ListsCompared,
    Merged,
    NotDialled,
    OpsDropped,
    OriginReused,
    PeerBehind,
    Resynced,
    Unlisted,
)
from replication.protocol.peers import Direction
from tests.crdb.events import named

IN = Direction.IN


@pytest.mark.parametrize(
    ("event", "name", "details"),
    [
        (Connected("eu", IN, 2, 5), "link up", {"peer": "eu", "direction": "in"}),
        (Resynced("eu", IN, True), "resynced", {"peer": "eu", "direction": "in", "full": True}),
        (CaughtUp("eu"), "caught up", {"peer": "eu"}),
        (EarlierIncarnation("eu"), "earlier incarnation", {"peer": "eu"}),
        (OriginReused("eu", 5), "origin reused", {"peer": "eu"}),
        (ClockSkew("eu", 7_200_000), "clock skew", {"peer": "eu", "ms": 7_200_000}),
        (
            OpsDropped("", make_origin(1), 3, make_origin(3), 7),
            "operations dropped",
            {"origin": "1", "effects": 3, "waited_for": "3:7"},
        ),
        (Unlisted("eu"), "not listed", {"peer": "eu"}),
        (
            PeerBehind("eu", 5 << 20, 7, slows=True),
            "peer behind",
            {"peer": "eu", "bytes": 5 << 20, "lag_ms": 7, "slows_writes": True, "over": False},
        ),
        (NotDialled("eu"), "not dialled", {"peer": "eu"}),
        (
            ListsCompared("eu", ("ap",), ("sa",), ("af",)),
            "lists of regions",
            {"peer": "eu", "only_there": ("ap",), "only_here": ("sa",), "from_others": ("af",)},
        ),
        (Closed("eu", IN, "x"), "link down", {"peer": "eu", "direction": "in", "reason": "x"}),
    ],
)
def test_events_have_names_and_details(event: Event, name: str, details: dict[str, object]) -> None:
    shown = link_event(event)
    assert shown is not None
    assert named(shown) == (name, details)


@pytest.mark.parametrize("event", [Merged("eu"), Closed("", IN, "x")])
def test_internal_events_are_not_shown(event: Event) -> None:
    assert link_event(event) is None
