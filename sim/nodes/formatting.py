"""Replies and events as short text. Traces, diagrams and scenarios all use this form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from crdt.causality.dots import incarnation_of, region_of
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
    Reported,
    Resynced,
    SnapshotWanted,
    Stalled,
    Unlisted,
)
from replication.protocol.peers import Direction
from sim.nodes.client import Refusal, Reply

ROUTINE_EVENTS: Final = frozenset({OpsReceived, Reported})
"""Routine events, which are nearly all events. They have no text."""


def format_bytes(data: bytes) -> str:
    """Return bytes as text. Empty or not printable data is quoted and escaped."""
    text = data.decode("latin-1")
    return text if text.isprintable() and text.isascii() and text else repr(data)[1:]


def format_reply(reply: Reply) -> str:
    """Return a reply as text. Arrays are in brackets, nil is `-`, and an error ends with `!`."""
    match reply:
        case None:
            return "-"
        case bytes():
            return format_bytes(reply)
        case Refusal():
            return f"{reply.text}!"
        case list():
            items = cast("list[Reply]", reply)
            return f"[{' '.join(format_reply(item) for item in items)}]"
        case _:
            return str(reply)


def format_origin(origin: int, names: Mapping[int, str]) -> str:
    """Return an origin as text: the region, and its incarnation if it is not the first."""
    name = names.get(region_of(origin), str(region_of(origin)))
    incarnation = incarnation_of(origin)
    return f"{name} (incarnation {incarnation})" if incarnation else name


def format_event(event: Event, names: Mapping[int, str]) -> str:
    """Return an event of a link as text; empty for routine events."""
    if type(event) in ROUTINE_EVENTS:
        return ""
    match event:
        case Connected(direction=Direction.IN):
            return f"meets {event.peer}"
        case Resynced(direction=Direction.IN):
            how = "after its snapshot" if event.full else "from its backlog on"
            return f"gets the ops of {event.peer}, {how}"
        case Merged():
            return f"merges a snapshot of {event.peer}"
        case SnapshotWanted():
            return f"backlog of {event.peer} does not reach back"
        case ClockSkew(ms=ms):
            return f"sees that the clock of {event.peer} differs by {ms / 1000:.0f} s"
        case OpsDropped(effects=count):
            whose, lost = format_origin(event.origin, names), format_origin(event.lost, names)
            return f"gives up {count} effects of {whose}: nobody has what {lost} wrote before"
        case Stalled():
            return f"too much waits here, link with {event.peer} rests"
        case GapFound():
            whose = format_origin(event.origin, names)
            if event.asked:
                return f"lacks ops of {whose}, asks {event.asked}"
            if event.peer:
                return f"lacks ops of {whose}, wants a snapshot of {event.peer}"
            return f"lacks ops of {whose}"
        case GapUnfilled():
            return f"{event.peer} no longer holds the ops of {format_origin(event.origin, names)}"
        case Recovered():
            return "has all that its peers had, and may write"
        case OriginReused():
            return f"hears from {event.peer} of own writes that it has forgotten"
        case Unlisted():
            return f"is not in the list of {event.peer}"
        case DisputedStateResolved(lost_keys=keys) if keys:
            return f"cannot bring back {keys} keys that it had put aside"
        case DisputedStateResolved(merged=False):
            return "drops what it had put aside: its peers have all of it"
        case DisputedStateResolved(moved=moved):
            how = " under another origin" if moved else ""
            return f"brings back what it had put aside{how}"
        case EarlierIncarnation():
            return f"hears from {event.peer} of an earlier incarnation, and only reads"
        case Closed(direction=Direction.IN):
            return f"loses {event.peer}: {event.reason}"
        case Closed() if event.peer:
            return f"no longer serves {event.peer}: {event.reason}"
        case _:
            return ""
