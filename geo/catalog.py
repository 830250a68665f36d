"""The catalogue: cloud regions, and the measured round-trip times between them.

What is shipped was measured by others and is dated, file by file, in `geo/data/README.md`. Four
providers: `aws`, `azure`, `gcp` and `ibm`. A region is named as its provider names it, `eu-west-1`,
with the provider before it, `aws:eu-west-1`, where two providers use one name.

    one way        half of the round trip as probed from the region that sends
    inside         the measured round trip of a region to itself; 2 ms where it was not measured
    not measured   a straight line fitted to the provider's own table (README there), never below
                   light in fibre; below about 1000 km, where the line is too high, at most 1 ms
                   + 0.03 ms a kilometre
    jitter         AWS and GCP: the shape of published pings, scaled to the round trip; otherwise
                   a log-normal excess of about 2 %, the usual size in those pings

The only input of this module is the package's own data, which is as constant as code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import attrs

from geo.errors import AmbiguousRegion, BadData, UnknownRegion, nearest
from geo.latency import Latency, ms
from geo.region import Region
from geo.tables import rows

# Round trip against distance, per provider: milliseconds at no distance, milliseconds a kilometre.
FITS: Final = {
    "aws": (14.2, 0.0159),
    "azure": (26.1, 0.0146),
    "ibm": (14.8, 0.0156),
    "gcp": (27.8, 0.0155),
}
_OTHER_FIT: Final = FITS["aws"]
FIBRE_MS_PER_KM: Final = 0.01  # there and back, at two thirds of the speed of light
_NEAR_FIT: Final = (1.0, 0.03)
_INSIDE_MS: Final = 2.0

_NEAREST_MAX: Final = 3
_MATRICES: Final = ("aws", "azure", "ibm")
_PINGED: Final = ("aws", "gcp")


@attrs.frozen
class Ping:
    """A series of pings from one region to another: the round trip in nanoseconds."""

    minimum_ns: int
    mean_ns: int
    maximum_ns: int
    deviation_ns: int


def _check_unique_names(_catalog: object, _attribute: object, regions: tuple[Region, ...]) -> None:
    """Validator: no provider has two regions of one name."""
    seen: set[str] = set()
    for region in regions:
        if region.full_name in seen:
            raise BadData(f"region {region.full_name} is there twice")
        seen.add(region.full_name)


def _index_by_name(catalog: Catalog) -> dict[str, list[Region]]:
    """The regions by every name that they answer to."""
    named: dict[str, list[Region]] = {}
    for region in catalog.regions:
        named.setdefault(region.name, []).append(region)
        named[region.full_name] = [region]
    return named


@attrs.frozen(eq=False)
class Catalog:
    """Regions and what was measured between them. `with_regions` and `with_rtts` give a new one.

    >>> catalog = Catalog.shipped()
    >>> catalog.find("eu-west-1").place
    'Dublin'
    >>> catalog.one_way_ns("us-east-1", "eu-west-1")
    35000000
    >>> catalog.find("eu-wst-1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    geo.errors.UnknownRegion: unknown region 'eu-wst-1'; did you mean ...
    """

    regions: tuple[Region, ...] = attrs.field(
        converter=tuple[Region, ...], validator=_check_unique_names
    )
    _rtts: Mapping[tuple[str, str], int] = attrs.field(
        factory=dict[tuple[str, str], int], repr=False
    )
    _pings: Mapping[tuple[str, str], Ping] = attrs.field(
        factory=dict[tuple[str, str], Ping], repr=False
    )
    _named: dict[str, list[Region]] = attrs.field(
        init=False, repr=False, default=attrs.Factory(_index_by_name, takes_self=True)
    )

    @staticmethod
    def shipped() -> Catalog:
        """The catalogue that comes with this package; the same object each time."""
        return _load_shipped()

    def find(self, name: str) -> Region:
        """The region called `name` or `provider:name`. O(1).

        Raises `UnknownRegion`, which suggests names that look like it or that lie in a city of that
        name, and `AmbiguousRegion`.
        """
        found = self._named.get(name, [])
        if not found:
            raise UnknownRegion(name, self._suggested_names(name))
        if len(found) > 1:
            raise AmbiguousRegion(name, [region.full_name for region in found])
        return found[0]

    def __contains__(self, name: str) -> bool:
        """Return whether `find(name)` would find a region."""
        return len(self._named.get(name, ())) == 1

    def of(self, provider: str) -> tuple[Region, ...]:
        """The regions of one provider, none for a provider that is not known."""
        return tuple(region for region in self.regions if region.provider == provider)

    def measured(self, source: str, sink: str) -> bool:
        """Return whether the round trip between the two was measured, in that direction."""
        return self._full_names(source, sink) in self._rtts

    def rtt_ns(self, source: str, sink: str) -> int:
        """The round trip as probed from `source`, in nanoseconds: measured, or else from the
        distance.

        Raises what `find` raises. O(1).
        """
        measured = self._rtts.get(self._full_names(source, sink))
        if measured is not None:
            return measured
        here, there = self.find(source), self.find(sink)
        return ms(_INSIDE_MS) if here == there else _rtt_by_distance(here, there)

    def one_way_ns(self, source: str, sink: str) -> int:
        """Return the mean delay from `source` to `sink`: half of the round trip, in
        nanoseconds."""
        return self.rtt_ns(source, sink) // 2

    def latency(self, source: str, sink: str) -> Latency:
        """The one-way delay from `source` to `sink` with its jitter; its mean is `one_way_ns`,
        within 2 %."""
        delay = self.one_way_ns(source, sink)
        ping = self._pings.get(self._full_names(source, sink))
        if ping is None or source == sink:
            return _typical_latency(delay)
        round_trip = Latency.from_summary(
            ping.minimum_ns,
            ping.mean_ns,
            maximum_ns=ping.maximum_ns,
            deviation_ns=ping.deviation_ns,
        )
        return round_trip.scaled(delay, ping.mean_ns)

    def with_regions(self, regions: Iterable[Region]) -> Catalog:
        """This catalogue and more regions. Raises `BadData` for one that is there already."""
        return Catalog((*self.regions, *regions), self._rtts, self._pings)

    def with_rtts(self, rtts_ms: Mapping[tuple[str, str], float]) -> Catalog:
        """This catalogue with your measurements, `(source, sink)` to the round trip in
        milliseconds.

        They take precedence, and are one-directional: give both directions. Raises what `find`
        raises, and `BadData` for a round trip below zero.

        >>> ours = Catalog.shipped().with_rtts({("eastus", "us-east"): 3.2})
        >>> ours.one_way_ns("eastus", "us-east")
        1600000
        """
        rtts = dict(self._rtts)
        for (source, sink), milliseconds in rtts_ms.items():
            if not milliseconds >= 0:
                raise BadData(f"the round trip from {source} to {sink} is {milliseconds} ms")
            rtts[self._full_names(source, sink)] = ms(milliseconds)
        return Catalog(self.regions, rtts, self._pings)

    def _full_names(self, source: str, sink: str) -> tuple[str, str]:
        return self.find(source).full_name, self.find(sink).full_name

    def _suggested_names(self, name: str) -> list[str]:
        """Names to suggest: those of regions in a city called so, then those spelled like it."""
        bare = name.rpartition(":")[2].lower()
        placed = [region.name for region in self.regions if region.place.lower() == bare]
        spelled = nearest(bare, [region.name for region in self.regions])
        return list(dict.fromkeys((*placed, *spelled)))[:_NEAREST_MAX]


def _rtt_by_distance(here: Region, there: Region) -> int:
    """A round trip nobody measured, in nanoseconds. Between two providers: the mean of their two
    lines."""
    km = here.distance_km(there)
    lines = [FITS.get(region.provider, _OTHER_FIT) for region in (here, there)]
    fitted = sum(start + slope * km for start, slope in lines) / 2
    near = _NEAR_FIT[0] + _NEAR_FIT[1] * km
    return ms(max(FIBRE_MS_PER_KM * km, min(fitted, near)))


def _typical_latency(delay_ns: int) -> Latency:
    """A delay of that mean, with the jitter of an ordinary long path: a floor of 98 %, then a
    log-normal excess."""
    return Latency.lognormal(delay_ns * 98 // 100, delay_ns * 3 // 200, sigma=0.75)


@cache
def _load_shipped() -> Catalog:
    rtts: dict[tuple[str, str], int] = {}
    pings: dict[tuple[str, str], Ping] = {}
    for provider in _PINGED:
        for row in rows(f"ping_{provider}.csv"):
            pair = f"{provider}:{row['from']}", f"{provider}:{row['to']}"
            pings[pair] = Ping(
                *(ms(float(row[column])) for column in ("min", "avg", "max", "mdev"))
            )
            rtts[pair] = pings[pair].mean_ns
    for provider in _MATRICES:
        for row in rows(f"rtt_{provider}.csv"):
            source = f"{provider}:{row.pop('from')}"
            for sink, cell in row.items():
                if cell:
                    rtts[source, f"{provider}:{sink}"] = ms(float(cell))
    regions = (
        Region(
            row["provider"],
            row["name"],
            row["place"],
            row["country"],
            float(row["lat"]),
            float(row["lon"]),
        )
        for row in rows("regions.csv")
    )
    return Catalog(tuple(regions), rtts, pings)
