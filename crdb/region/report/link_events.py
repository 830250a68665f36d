"""Translate events of links into the events that operators see. Pure."""

from __future__ import annotations

from crdb.engine.event_names import EventName
from crdt.causality.dots import name_origin
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

NamedEvent = tuple[EventName, dict[str, object]]


def link_event(event: Event) -> NamedEvent | None:
    """Return the name and details of an event of a link, None if operators do not see it."""
    match event:
        case Connected(peer=peer, direction=way):
            return "link up", {"peer": peer, "direction": way.value}
        case Resynced(peer=peer, direction=way, full=full):
            return "resynced", {"peer": peer, "direction": way.value, "full": full}
        case CaughtUp(peer=peer):
            return "caught up", {"peer": peer}
        case OpsDropped(origin=origin, effects=effects, lost=lost, seq=seq):
            awaited = f"{name_origin(lost)}:{seq}"
            details = {"origin": name_origin(origin), "waited_for": awaited}
            return "operations dropped", {**details, "effects": effects}
        case ClockSkew(peer=peer, ms=ms):
            return "clock skew", {"peer": peer, "ms": ms}
        case EarlierIncarnation(peer=peer):
            return "earlier incarnation", {"peer": peer}
        case OriginReused(peer=peer):
            return "origin reused", {"peer": peer}
        case Unlisted(peer=peer):
            return "not listed", {"peer": peer}
        case Closed(peer=peer, direction=way, reason=reason) if peer:
            return "link down", {"peer": peer, "direction": way.value, "reason": reason}
        case _:
            return None
