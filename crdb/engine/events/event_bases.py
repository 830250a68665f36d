"""The base classes of the events that operators see.

A reporter makes an instance of an event's class and passes it on. Code inside a region leaves the
name of the region empty; the region adds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, cast, dataclass_transform

import attrs

Class = TypeVar("Class", bound=type["OperatorEvent"])


def detail(meaning: str, *, default: Any = attrs.NOTHING) -> Any:
    """Return a field for a detail. With None as its default it may be left out."""
    return attrs.field(default=default, metadata={"meaning": meaning})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(detail,))
def freeze_event(kind: Class) -> Class:
    """Make a class with details an immutable one, whose details are passed by name."""
    return attrs.frozen(kw_only=True)(kind)


def count_noun(count: int, noun: str) -> str:
    """Return a number with its noun: `1 key`, `2 keys`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


@freeze_event
class OperatorEvent:
    """The base class of all events."""

    name: ClassVar[str]

    times: int | None = detail("how often it has happened since it was shown", default=None)

    def details(self) -> dict[str, object]:
        """Return all details by name."""
        found = attrs.asdict(self, recurse=False)
        return {name: value for name, value in found.items() if value is not None}

    def lines(self) -> list[str]:
        """Return the lines that people read: one, and those that belong below it.

        An event that concerns only programs gives no line.
        """
        details = self.details()
        place = f"{details.pop('region')}: " if "region" in details else ""
        details.pop("times", None)
        words = (f"{key}={_format_value(value)}" for key, value in details.items())
        return [" ".join([place + self.name, *words])]


def _format_value(value: object) -> str:
    """Return a detail without the marks of a programming language."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, cast("list[object]", value)))
    return str(value)


@freeze_event
class RegionEvent(OperatorEvent):
    """An event of one region of this process."""

    region: str = detail("the region of this process", default="")


@freeze_event
class PeerEvent(RegionEvent):
    """An event of a region and a peer."""

    peer: str = detail("the region at the other end")


@freeze_event
class DirectedEvent(PeerEvent):
    """An event of one link."""

    direction: Literal["in", "out"] = detail("`in`: the link that brings the peer's writes")

    def path(self) -> str:
        """Return the link as a source and a sink."""
        ends = (self.peer, self.region) if self.direction == "in" else (self.region, self.peer)
        return " -> ".join(ends)


EVENTS: Final[dict[str, type[OperatorEvent]]] = {}
"""The class of each event, after `operator_events` and `script_events` were
imported."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(detail,))
def operator_event(name: str) -> Callable[[Class], Class]:
    """Return a decorator that makes a class the one of an event. Its docstring is the meaning."""

    def register(kind: Class) -> Class:
        kind.name = name
        made = freeze_event(kind)
        EVENTS[name] = made
        return made

    return register


Emit: TypeAlias = Callable[[OperatorEvent], None]
"""Takes an event of the process or of a region."""
Report: TypeAlias = Callable[[RegionEvent], None]
"""Takes an event of one region, and adds the name of the region."""
