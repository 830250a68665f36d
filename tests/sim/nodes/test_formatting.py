"""The text of replies and events."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from replication.protocol.events import (
    ClockSkew,
    Closed,
    Connected,
    DisputedStateResolved,
    EarlierIncarnation,
    Event,
    GapFound,
    GapUnfilled,
    Merged,
    OpsDropped,
    OpsReceived,
    OriginReused,
    Recovered,
    Resynced,
    SnapshotWanted,
    Stalled,
    Unlisted,
)
from replication.protocol.peers import Direction
from sim.nodes.client import Refusal, Reply
from sim.nodes.formatting import format_bytes, format_event, format_origin, format_reply

NAMES = {1: "eu", 2: "us"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"milk", "milk"),
        (b"two words", "two words"),
        (b"", "''"),
        (b"a\nb", r"'a\nb'"),
        (b"\xe9", r"'\xe9'"),
    ],
)
def test_bytes_are_plain_or_marked(data: bytes, text: str) -> None:
    assert format_bytes(data) == text


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (None, "-"),
        (b"milk", "milk"),
        ("OK", "OK"),
        (7, "7"),
        (Refusal("ERR no"), "ERR no!"),
        ([b"a", [1, None], []], "[a [1 -] []]"),
    ],
)
def test_replies_are_short(reply: Reply, text: str) -> None:
    assert format_reply(reply) == text


def test_origin_shows_region_and_incarnation() -> None:
    assert format_origin(make_origin(1), NAMES) == "eu"
    assert format_origin(make_origin(2, 1), NAMES) == "us (incarnation 1)"
    assert format_origin(make_origin(9), NAMES) == "9"


IN, OUT = Direction.IN, Direction.OUT
US = make_origin(2)
EARLIER = "hears from us of an earlier incarnation, and only reads"
FORGOTTEN = "hears from us of own writes that it has forgotten"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Connected("us", IN, 2, US), "meets us"),
        (Connected("us", OUT, 2, US), ""),
        (Resynced("us", IN, True), "gets the ops of us, after its snapshot"),
        (Resynced("us", IN, False), "gets the ops of us, from its backlog on"),
        (Resynced("us", OUT, False), ""),
        (Merged("us"), "merges a snapshot of us"),
        (SnapshotWanted("us"), "backlog of us does not reach back"),
        (ClockSkew("us", -7_200_000), "sees that the clock of us differs by -7200 s"),
        (
            OpsDropped("", make_origin(1), 2, make_origin(2, 3), 7),
            "gives up 2 effects of eu: nobody has what us (incarnation 3) wrote before",
        ),
        (Stalled("us"), "too much waits here, link with us rests"),
        (GapFound("us", make_origin(1), "us"), "lacks ops of eu, asks us"),
        (GapFound("us", make_origin(1), ""), "lacks ops of eu, wants a snapshot of us"),
        (GapFound("", make_origin(1), ""), "lacks ops of eu"),
        (GapUnfilled("us", make_origin(1)), "us no longer holds the ops of eu"),
        (OriginReused("us", make_origin(1)), FORGOTTEN),
        (EarlierIncarnation("us"), EARLIER),
        (Unlisted("us"), "is not in the list of us"),
        (DisputedStateResolved("us"), "drops what it had put aside: its peers have all of it"),
        (DisputedStateResolved("us", merged=True), "brings back what it had put aside"),
        (
            DisputedStateResolved("us", merged=True, moved=True),
            "brings back what it had put aside under another origin",
        ),
        (
            DisputedStateResolved("us", lost_keys=7),
            "cannot bring back 7 keys that it had put aside",
        ),
        (Recovered("us"), "has all that its peers had, and may write"),
        (Closed("us", IN, "reset"), "loses us: reset"),
        (Closed("us", OUT, "reset"), "no longer serves us: reset"),
        (Closed("", OUT, "reset"), ""),
        (OpsReceived("us", 3), ""),
    ],
)
def test_events_name_reporting_end(event: Event, text: str) -> None:
    assert format_event(event, NAMES) == text
