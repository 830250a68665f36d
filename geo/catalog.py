"""The catalogue: cloud regions, and the measured round-trip times between them.

The shipped data are published measurements. `geo/data/README.md` lists the source and the date of
each file. There are four providers: `aws`, `azure`, `gcp` and `ibm`. A region has the name that its
provider gives it, such as `eu-west-1`. If two providers use the same name, the provider precedes
it: `aws:eu-west-1`.

    one way        half of the round trip, as probed from the sending region
    inside         the measured round trip of a region to itself, or 2 ms without a measurement
    not measured   a straight line fitted to the provider's table (see that README), but not faster
                   than light in fibre. Below about 1000 km the line is too high; there the round
                   trip is at most 1 ms + 0.03 ms per kilometre
    jitter         AWS and GCP: the shape of published pings, scaled to the round trip; otherwise
                   a log-normal excess of about 2 %, which is typical of those pings

The only input of this module is the package's own data, which is constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import attrs

from geo.arguments import check_items, check_name, check_number, check_round_trips
from geo.errors import AmbiguousRegion, BadData, UnknownRegion, nearest
from geo.latency import Latency, ms
from geo.region import Region
from geo.tables import rows

# Round trip as a line over distance, per provider: ms at distance zero, and ms per kilometre.
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
    """Validate that no provider has two regions of the same name. Raises BadData."""
    seen: set[str] = set()
    for region in regions:
        if region.full_name in seen:
            raise BadData(f"region {region.full_name} is there twice")
        seen.add(region.full_name)


def _regions_in(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Return the regions of an iterable. Raises TypeError."""
    found = check_items(regions, "a list of regions")
    for region in found:
        if not isinstance(region, Region):
            raise TypeError(f"expected a list of regions, not of {type(region).__name__}")
    return found


def _index_by_name(catalog: Catalog) -> dict[str, list[Region]]:
    """Return the regions by name and by full name."""
    named: dict[str, list[Region]] = {}
    for region in catalog.regions:
        named.setdefault(region.name, []).append(region)
        named[region.full_name] = [region]
    return named


@attrs.frozen(eq=False)
class Catalog:
    """Regions and the measurements between them.

    A catalogue is immutable: `with_regions` and `with_rtts` return a new one.

    >>> catalog = Catalog.shipped()
    >>> catalog.find("eu-west-1").place
    'Dublin'
    >>> catalog.one_way_ns("us-east-1", "eu-west-1")
    35000000
    >>> catalog.find("eu-wst-1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    geo.errors.UnknownRegion: unknown region 'eu-wst-1'; did you mean ...
    """

    regions: tuple[Region, ...] = attrs.field(converter=_regions_in, validator=_check_unique_names)
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
        """Return the catalogue that this package ships. Every call returns the same object."""
        return _load_shipped()

    def find(self, name: str) -> Region:
        """Return the region called `name` or `provider:name`. O(1).

        Raises `UnknownRegion`, which suggests similar names and regions in a city of that name.
        Raises `AmbiguousRegion` if two providers use the name.
        """
        found = self._named.get(check_name(name), [])
        if not found:
            raise UnknownRegion(name, self._suggested_names(name))
        if len(found) > 1:
            raise AmbiguousRegion(name, [region.full_name for region in found])
        return found[0]

    def __contains__(self, name: str) -> bool:
        """Return whether `find(name)` would find a region."""
        return len(self._named.get(name, ())) == 1

    def of(self, provider: str) -> tuple[Region, ...]:
        """Return the regions of one provider; none for an unknown provider."""
        return tuple(region for region in self.regions if region.provider == provider)

    def measured(self, source: str, sink: str) -> bool:
        """Return whether the round trip from `source` to `sink` was measured."""
        return self._full_names(source, sink) in self._rtts

    def rtt_ns(self, source: str, sink: str) -> int:
        """Return the round trip as probed from `source`, in nanoseconds. O(1).

        Without a measurement, it is computed from the distance. Raises the same errors as `find`.
        """
        measured = self._rtts.get(self._full_names(source, sink))
        if measured is not None:
            return measured
        here, there = self.find(source), self.find(sink)
        return ms(_INSIDE_MS) if here == there else _rtt_by_distance(here, there)

    def one_way_ns(self, source: str, sink: str) -> int:
        """Return the mean one-way delay in nanoseconds, which is half of the round trip."""
        return self.rtt_ns(source, sink) // 2

    def latency(self, source: str, sink: str) -> Latency:
        """Return the one-way delay from `source` to `sink` with jitter.

        The mean is `one_way_ns` within 2 %.
        """
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
        """Return this catalogue with more regions. Raises `BadData` for a duplicate region."""
        return Catalog((*self.regions, *regions), self._rtts, self._pings)

    def with_rtts(self, rtts_ms: Mapping[tuple[str, str], float]) -> Catalog:
        """Return this catalogue with other measurements, from `(source, sink)` to ms of round trip.

        They override the shipped ones. Each holds for one direction only, so both must be given.
        Raises the same errors as `find`, and `BadData` for a negative round trip.

        >>> ours = Catalog.shipped().with_rtts({("eastus", "us-east"): 3.2})
        >>> ours.one_way_ns("eastus", "us-east")
        1600000
        """
        rtts = dict(self._rtts)
        for (source, sink), given in check_round_trips(rtts_ms).items():
            milliseconds = check_number(given, f"the round trip from {source} to {sink}")
            if not milliseconds >= 0:
                raise BadData(f"the round trip from {source} to {sink} is {milliseconds} ms")
            rtts[self._full_names(source, sink)] = ms(milliseconds)
        return Catalog(self.regions, rtts, self._pings)

    def _full_names(self, source: str, sink: str) -> tuple[str, str]:
        return self.find(source).full_name, self.find(sink).full_name

    def _suggested_names(self, name: str) -> list[str]:
        """Return names to suggest: regions in a city called `name`, then similar names."""
        bare = name.rpartition(":")[2].lower()
        placed = [region.name for region in self.regions if region.place.lower() == bare]
        spelled = nearest(bare, [region.name for region in self.regions])
        return list(dict.fromkeys((*placed, *spelled)))[:_NEAREST_MAX]


def _rtt_by_distance(here: Region, there: Region) -> int:
    """Return a round trip computed from the distance, in nanoseconds.

    Between two providers, it is the mean of their fitted lines.
    """
    km = here.distance_km(there)
    lines = [FITS.get(region.provider, _OTHER_FIT) for region in (here, there)]
    fitted = sum(start + slope * km for start, slope in lines) / 2
    near = _NEAR_FIT[0] + _NEAR_FIT[1] * km
    return ms(max(FIBRE_MS_PER_KM * km, min(fitted, near)))


def _typical_latency(delay_ns: int) -> Latency:
    """Return a delay with this mean and the jitter of a typical long path.

    The floor is 98 % of the mean, and the excess is log-normal.
    """
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
