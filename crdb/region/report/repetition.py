"""Events that repeat: the first is shown, and those that follow are counted.

A link that is refused is dialled again and again, and each attempt makes the same event. Only the
first event is shown. The others are counted, and every `REPEAT_SECONDS` one of them is shown, with
the number of `times` that the event has happened since.

Two events are the same if their names and details are equal and nothing else has happened to the
same link in between. So a link that goes down, comes up and goes down again is shown each time.
The same holds for a region that is loading, ready and loading again. A link that does so again and
again is no news either: an event that alternates with others is shown `ALTERNATIONS_MAX` times in
`REPEAT_SECONDS`, and is then counted like one that repeats. The port of a client does not count,
since each connection has another one. Answers to a request to stop the process are always shown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import attrs

from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import (
    CaughtUpEvent,
    ConfirmEvent,
    CrossProtocolEvent,
    DataAtRiskEvent,
    FollowingEvent,
    LoadingEvent,
    NotStoppedEvent,
    PromotedEvent,
    ReadyEvent,
    RegionRunsTwiceEvent,
    WrongPasswordEvent,
)

REPEAT_SECONDS: Final = 60.0
ALTERNATIONS_MAX: Final = 10
DIFFERENT_MAX: Final = 8
"""Different events of one link that are remembered: more than the steps from one break of a link to
the next."""
TOPICS_MAX: Final = 4096
"""Links and kinds of events that are remembered: two for each pair of 45 regions."""
NAMES_OF_LINKS: Final = ("peer", "source", "sink", "address")
TOPICS: Final[Mapping[type[OperatorEvent], str]] = {
    LoadingEvent: "service",
    ReadyEvent: "service",
    RegionRunsTwiceEvent: "service",
    FollowingEvent: "role",
    PromotedEvent: "role",
}
"""Events of a region that end each other's repetitions, with what they are about."""
OF_CLIENTS: Final = (CrossProtocolEvent, WrongPasswordEvent)
"""Events with the address of a client, with its port."""
ALWAYS_SHOWN: Final = (DataAtRiskEvent, ConfirmEvent, NotStoppedEvent)
"""Answers to a signal or a client. If one were hidden, the request would seem to be ignored."""


@attrs.define
class _Known:
    """An event of one topic, without what does not count."""

    event: OperatorEvent
    shown_at: float
    counted_from: float
    shown: int = 1
    """The number of times it was shown since `counted_from`."""
    hidden: int = 0
    """The number of times it has happened since it was shown."""

    def count(self, now: float, *, is_latest: bool) -> int | None:
        """Record that the event has happened again. Return the `times` with which it is shown, or
        None if it is only counted. `is_latest`: nothing else has happened to its topic since."""
        if now - self.counted_from >= REPEAT_SECONDS:
            self.counted_from, self.shown = now, 0
        self.hidden += 1
        if not is_latest and self.shown < ALTERNATIONS_MAX:
            times = self.hidden if self.hidden > 1 and not self.shown else 0
        elif now - self.shown_at >= REPEAT_SECONDS:
            times = self.hidden
        else:
            return None
        self.shown_at, self.hidden = now, 0
        self.shown += 1
        return times


class Repetition:
    """Decides which events of a process are shown."""

    def __init__(self) -> None:
        self.topics: OrderedDict[tuple[object, ...], list[_Known]] = OrderedDict()
        """By topic its different events, the latest one last."""

    def event_to_show(self, event: OperatorEvent, now: float) -> OperatorEvent | None:
        """Return the event as it is to be shown, or None if it is only counted.

        `now` is in seconds of a monotonic clock. A repeated event that is shown has one more
        detail, `times`.
        """
        if isinstance(event, ALWAYS_SHOWN):
            return event
        compared = _without_port(event)
        known = self._events_of(_topic(compared))
        for same in known:
            if same.event == compared:
                break
        else:
            known.append(_Known(compared, now, now))
            del known[:-DIFFERENT_MAX]
            return event
        is_latest = same is known[-1]
        known.remove(same)
        known.append(same)
        times = same.count(now, is_latest=is_latest)
        if times is None:
            return None
        return attrs.evolve(event, times=times) if times else event

    def _events_of(self, topic: tuple[object, ...]) -> list[_Known]:
        """Return the events of a topic, to be changed. The topic of the longest ago is forgotten if
        there are too many."""
        known = self.topics.setdefault(topic, [])
        self.topics.move_to_end(topic)
        if len(self.topics) > TOPICS_MAX:
            self.topics.popitem(last=False)
        return known


def _topic(event: OperatorEvent) -> tuple[object, ...]:
    """Return what an event is about: a link if it names one, else a service or the event itself."""
    details = event.details()
    names = tuple(details.get(name) for name in NAMES_OF_LINKS)
    if any(name is not None for name in names):
        # A region catches up over the link that brings the peer's writes.
        direction = "in" if isinstance(event, CaughtUpEvent) else details.get("direction")
        return (details.get("region"), direction, *names)
    return (details.get("region"), TOPICS.get(type(event), event.name))


def _without_port(event: OperatorEvent) -> OperatorEvent:
    """Return an event without the port of a client, for comparisons."""
    if isinstance(event, OF_CLIENTS):
        return attrs.evolve(event, address=event.address.rpartition(":")[0])
    return event
