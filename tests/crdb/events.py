"""Events of operators in tests: from a name and details, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crdb.engine.events.event_bases import EVENTS, OperatorEvent

Named = tuple[str, dict[str, object]]


def make_event(name: str, details: dict[str, Any]) -> OperatorEvent:
    """Return an event with these details."""
    return EVENTS[name](**details)


def named(event: OperatorEvent) -> Named:
    """Return the name and the details of an event. An unset region is left out."""
    details = event.details()
    if not details.get("region", ""):
        details.pop("region", None)
    return event.name, details


def collector(events: list[Named]) -> Callable[[OperatorEvent], None]:
    """Return a function that takes events and adds their names and details to a list."""
    return lambda event: events.append(named(event))
