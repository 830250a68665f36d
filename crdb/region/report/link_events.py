"""Translate events of links into the events that operators see. Pure."""

from __future__ import annotations

from crdb.engine.events.event_bases import RegionEvent
from crdb.engine.events.operator_events import (
    CaughtUpEvent,
    ClockSkewEvent,
    EarlierIncarnationEvent,
    LinkDownEvent,
    LinkUpEvent,
    NotDialledEvent,
    NotListedEvent,
    OperationsDroppedEvent,
    OriginInUseEvent,
    PeerBehindEvent,
    RegionListsEvent,
    ResyncedEvent,
)
from crdt.causality.dots import name_origin
from replication.protocol.events import (
    CaughtUp,
    ClockSkew,
    Closed,
    Connected,
    EarlierIncarnation,
    Event,
    ListsCompared,
    NotDialled,
    OpsDropped,
    OriginReused,
    PeerBehind,
    Resynced,
    Unlisted,
)


def link_event(event: Event) -> RegionEvent | None:
    """Return an event of a link as operators see it, None if they do not see it."""
    match event:
        case Connected(peer=peer, direction=way):
            return LinkUpEvent(peer=peer, direction=way.value)
        case Resynced(peer=peer, direction=way, full=full):
            return ResyncedEvent(peer=peer, direction=way.value, full=full)
        case CaughtUp(peer=peer):
            return CaughtUpEvent(peer=peer)
        case OpsDropped(origin=origin, effects=effects, lost=lost, seq=seq):
            awaited = f"{name_origin(lost)}:{seq}"
            origin_name = name_origin(origin)
            return OperationsDroppedEvent(origin=origin_name, waited_for=awaited, effects=effects)
        case PeerBehind(peer=peer):
            return PeerBehindEvent(
                peer=peer,
                bytes=event.bytes,
                lag_ms=event.lag_ms,
                slows_writes=event.slows,
                over=event.over,
            )
        case ClockSkew(peer=peer, ms=ms):
            return ClockSkewEvent(peer=peer, ms=ms)
        case EarlierIncarnation(peer=peer):
            return EarlierIncarnationEvent(peer=peer)
        case OriginReused(peer=peer):
            return OriginInUseEvent(peer=peer)
        case Unlisted(peer=peer):
            return NotListedEvent(peer=peer)
        case NotDialled(peer=peer):
            return NotDialledEvent(peer=peer)
        case ListsCompared(peer=peer):
            return RegionListsEvent(
                peer=peer,
                only_there=event.only_there,
                only_here=event.only_here,
                from_others=event.from_others,
            )
        case Closed(peer=peer, direction=way, reason=reason) if peer:
            return LinkDownEvent(peer=peer, direction=way.value, reason=reason)
        case _:
            return None
