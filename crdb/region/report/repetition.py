"""Events that repeat: the first is shown, and those that follow are counted.

A link that is refused is dialled again and again, and each attempt makes the same event. Only the
first event is shown. The others are counted, and every `REPEAT_SECONDS` one of them is shown, with
the number of `times` that the event has happened since.

Two events are the same if their names and details are equal and nothing else has happened to the
same link in between. So a link that goes down, comes up and goes down again is shown each time.
The same holds for a region that is loading, ready and loading again. The port of a client does not
count, since each connection has another one. Answers to a request to stop the process are always
shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import attrs

from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import (
    ConfirmEvent,
    CrossProtocolEvent,
    DataAtRiskEvent,
    FollowingEvent,
    LoadingEvent,
    NotStoppedEvent,
    PromotedEvent,
    ReadyEvent,
    WrongPasswordEvent,
)

REPEAT_SECONDS: Final = 60.0
TOPICS_MAX: Final = 4096
"""Links and kinds of events that are remembered: two for each pair of 45 regions."""
NAMES_OF_LINKS: Final = ("peer", "source", "sink", "address")
TOPICS: Final[Mapping[type[OperatorEvent], str]] = {
    LoadingEvent: "service",
    ReadyEvent: "service",
    FollowingEvent: "role",
    PromotedEvent: "role",
}
"""Events of a region that end each other's repetitions, with what they are about."""
OF_CLIENTS: Final = (CrossProtocolEvent, WrongPasswordEvent)
"""Events with the address of a client, with its port."""
ALWAYS_SHOWN: Final = (DataAtRiskEvent, ConfirmEvent, NotStoppedEvent)
"""Answers to a signal or a client. If one were hidden, the request would seem to be ignored."""


@attrs.define
class _Latest:
    """The latest event of one topic, without what does not count."""

    event: OperatorEvent
    shown_at: float
    hidden: int = 0
    """The number of times it has happened since it was shown."""


class Repetition:
    """Decides which events of a process are shown."""

    def __init__(self) -> None:
        self.latest: OrderedDict[tuple[object, ...], _Latest] = OrderedDict()

    def event_to_show(self, event: OperatorEvent, now: float) -> OperatorEvent | None:
        """Return the event as it is to be shown, or None if it is only counted.

        `now` is in seconds of a monotonic clock. A repeated event that is shown has one more
        detail, `times`.
        """
        if isinstance(event, ALWAYS_SHOWN):
            return event
        compared = _without_port(event)
        topic = _topic(compared)
        latest = self.latest.get(topic)
        if latest is None or latest.event != compared:
            self.latest[topic] = _Latest(compared, now)
            self.latest.move_to_end(topic)
            if len(self.latest) > TOPICS_MAX:
                self.latest.popitem(last=False)
            return event
        latest.hidden += 1
        if now - latest.shown_at < REPEAT_SECONDS:
            return None
        times, latest.hidden, latest.shown_at = latest.hidden, 0, now
        return attrs.evolve(event, times=times)


def _topic(event: OperatorEvent) -> tuple[object, ...]:
    """Return what an event is about: a link if it names one, else a service or the event itself."""
    details = event.details()
    names = tuple(details.get(name) for name in NAMES_OF_LINKS)
    if any(name is not None for name in names):
        return (details.get("region"), details.get("direction"), *names)
    return (details.get("region"), TOPICS.get(type(event), event.name))


def _without_port(event: OperatorEvent) -> OperatorEvent:
    """Return an event without the port of a client, for comparisons."""
    if isinstance(event, OF_CLIENTS):
        return attrs.evolve(event, address=event.address.rpartition(":")[0])
    return event
