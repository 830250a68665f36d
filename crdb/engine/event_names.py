"""The names of all events that `crdb` reports. `docs/events.md` describes each of them.

The type checker refuses any other name where an event is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias, get_args

EventName: TypeAlias = Literal[
    # the process
    "listening",
    "ready",
    "no link secret",
    "weak link secret",
    "confirm",
    "not stopped",
    "stopping",
    "events dropped",
    # a region and its data
    "loading",
    "waiting",
    "data lost",
    "data at risk",
    "started empty",
    "kept",
    "state not written",
    "no incarnation left",
    "operations dropped",
    # links
    "link up",
    "link down",
    "link cut",
    "link healed",
    "link refused",
    "resynced",
    "caught up",
    "not listed",
    "earlier incarnation",
    "origin reused",
    "cannot accept links",
    # read-only copies
    "following",
    "source up",
    "source down",
    "promoted",
    # clocks
    "clock skew",
    "clock stepped",
    # clients
    "open port",
    "maxclients lowered",
    "wrong password",
    "cross-protocol request",
    "cannot accept",
    "out of memory",
    "journal failed",
    "internal error",
]

Emit = Callable[[EventName, Mapping[str, object]], None]
"""Takes the name of an event and its details."""

EVENT_NAMES: Final[frozenset[str]] = frozenset(get_args(EventName))
