"""Every error of `geo`, in one tree.

    GeoError
    ├── UnknownRegion       no region of that name; says which names are near
    ├── AmbiguousRegion     two providers use that name; say which, as `provider:name`
    ├── BadData             a table, a sample or a measurement makes no sense
    ├── BadTopology         names, links or connections that do not form a topology
    └── NoPath              nothing leads from one region to another

All of them are mistakes of the caller or of the caller's data, found before anything has changed.
Retrying does not help.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the `known` names that are spelled like `name`, best first.

    >>> nearest("eu-wst-1", ["us-east-1", "eu-west-1"])
    ['eu-west-1', 'us-east-1']
    """
    return get_close_matches(name, list(known), n=3)


class GeoError(Exception):
    """Base of this package's errors; never raised itself."""


class UnknownRegion(GeoError):
    """No region has that name. `nearest` holds the names that look most like it, best first."""

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(f"unknown region {name!r}{hint}")


class AmbiguousRegion(GeoError):
    """More than one provider has a region of that name. `options` holds the names that keep them
    apart."""

    def __init__(self, name: str, options: Sequence[str]) -> None:
        self.name = name
        self.options = tuple(options)
        super().__init__(f"region {name!r} is ambiguous: say {' or '.join(options)}")


class BadData(GeoError):
    """A measurement, a table of them, or a parameter of a distribution is out of its bounds."""


class BadTopology(GeoError):
    """The regions and links given do not make a topology: the message says which and why."""


class NoPath(GeoError):
    """No chain of links leads from `source` to `sink`."""

    def __init__(self, source: str, sink: str) -> None:
        self.source = source
        self.sink = sink
        super().__init__(f"no path from {source} to {sink}")
