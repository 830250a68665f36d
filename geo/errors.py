"""The exceptions of `geo`.

    GeoError
    ├── UnknownRegion       no region has that name; suggests similar names
    ├── AmbiguousRegion     two providers use that name; write `provider:name`
    ├── BadData             a table, a sample or a measurement is not valid
    ├── BadTopology         names, links or connections do not form a topology
    └── NoPath              no links lead from one region to another

Each of them reports a mistake in the caller's arguments or data, before anything has changed.
Retrying does not help.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the `known` names that are similar to `name`, best first.

    >>> nearest("eu-wst-1", ["us-east-1", "eu-west-1"])
    ['eu-west-1', 'us-east-1']
    """
    return get_close_matches(name, list(known), n=3)


class GeoError(Exception):
    """The base class of this package's exceptions. It is never raised itself."""


class UnknownRegion(GeoError):
    """No region has that name. `nearest` contains the most similar names, best first."""

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(f"unknown region {name!r}{hint}")


class AmbiguousRegion(GeoError):
    """Several providers have a region of that name. `options` contains their full names."""

    def __init__(self, name: str, options: Sequence[str]) -> None:
        self.name = name
        self.options = tuple(options)
        super().__init__(f"region {name!r} is ambiguous: say {' or '.join(options)}")


class BadData(GeoError):
    """A measurement, a table, or a parameter of a distribution is not valid."""


class BadTopology(GeoError):
    """The regions and links do not form a topology. The message names them and the reason."""


class NoPath(GeoError):
    """No chain of links leads from `source` to `sink`."""

    def __init__(self, source: str, sink: str) -> None:
        self.source = source
        self.sink = sink
        super().__init__(f"no path from {source} to {sink}")
