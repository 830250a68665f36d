"""The catalogue: names, measured round trips, distances and sources."""

from __future__ import annotations

from itertools import permutations
from math import sqrt
from statistics import fmean

import pytest

from geo.catalog import FIBRE_MS_PER_KM, FITS, Catalog
from geo.errors import AmbiguousRegion, BadData, UnknownRegion
from geo.latency import ms
from geo.region import Region

CATALOG = Catalog.shipped()
BERLIN = Region("own", "berlin", "Berlin", "DE", 52.52, 13.41)
TWINS = Catalog(
    (
        Region("one", "east", "Boston", "US", 42.36, -71.06),
        Region("two", "east", "Miami", "US", 25.76, -80.19),
    )
)


def measured_pairs(provider: str) -> list[tuple[Region, Region]]:
    pairs = permutations(CATALOG.of(provider), 2)
    return [(a, b) for a, b in pairs if CATALOG.measured(a.full_name, b.full_name)]


def rtt_ms(source: Region, sink: Region) -> float:
    return CATALOG.rtt_ns(source.full_name, sink.full_name) / 1e6


def test_region_is_found_by_its_name_with_or_without_provider() -> None:
    assert CATALOG.find("eu-west-1") is CATALOG.find("aws:eu-west-1")
    assert CATALOG.find("eu-west-1").place == "Dublin"
    assert "eu-west-1" in CATALOG
    assert "ibm:eu-west-1" not in CATALOG


@pytest.mark.parametrize(
    ("provider", "count"), [("aws", 21), ("azure", 35), ("gcp", 20), ("ibm", 10)]
)
def test_every_provider_is_there(provider: str, count: int) -> None:
    assert len(CATALOG.of(provider)) == count
    assert CATALOG.of("nobody") == ()


def test_unknown_name_meets_suggestions() -> None:
    with pytest.raises(UnknownRegion) as caught:
        CATALOG.find("us-eats-1")
    assert caught.value.nearest[0] == "us-east-1"
    with pytest.raises(UnknownRegion) as caught:
        CATALOG.find("aws:Frankfurt")
    assert caught.value.nearest == ("eu-central-1", "germanywestcentral", "europe-west3")


def test_ambiguous_name_needs_its_provider() -> None:
    with pytest.raises(AmbiguousRegion, match="say one:east or two:east"):
        TWINS.find("east")
    assert "east" not in TWINS
    assert TWINS.find("two:east").place == "Miami"


def test_one_region_is_not_two() -> None:
    with pytest.raises(BadData, match="own:berlin is there twice"):
        CATALOG.with_regions([BERLIN, BERLIN])


@pytest.mark.parametrize(
    ("source", "sink", "milliseconds"),
    [
        ("af-south-1", "ap-east-1", 240),  # matrix, this direction
        ("ap-east-1", "af-south-1", 241),  # and the other
        ("af-south-1", "af-south-1", 3),  # measured inside
        ("asia-east1", "asia-east2", 18.908),  # the mean of pings
        ("us-south", "jp-tok", 141),
        ("eastus", "westeurope", 83),
        ("eastus", "eastus", 2),  # inside, not measured
    ],
)
def test_round_trips_are_those_of_tables(source: str, sink: str, milliseconds: float) -> None:
    assert CATALOG.rtt_ns(source, sink) == ms(milliseconds)
    assert CATALOG.one_way_ns(source, sink) == ms(milliseconds) // 2


def test_unmeasured_latency_follows_distance() -> None:
    assert CATALOG.measured("us-east-1", "eu-west-1")
    assert not CATALOG.measured("us-east-1", "westeurope")
    km = CATALOG.find("us-east-1").distance_km(CATALOG.find("westeurope"))
    fitted = (FITS["aws"][0] + FITS["azure"][0] + (FITS["aws"][1] + FITS["azure"][1]) * km) / 2
    assert CATALOG.rtt_ns("us-east-1", "westeurope") == ms(fitted)


def test_near_neighbours_are_not_charged_whole_line() -> None:
    assert CATALOG.rtt_ns("eu-central-1", "eu-de") == ms(1)  # both are in Frankfurt
    larger = CATALOG.with_regions([BERLIN])
    km = BERLIN.distance_km(CATALOG.find("eu-central-1"))
    assert larger.rtt_ns("berlin", "eu-central-1") == ms(1 + 0.03 * km)


def test_estimate_never_beats_light() -> None:
    for provider in ("aws", "ibm"):
        for here in CATALOG.of(provider):
            for there in CATALOG.of("gcp"):
                assert rtt_ms(here, there) >= FIBRE_MS_PER_KM * here.distance_km(there)


def test_own_measurements_take_precedence_in_one_direction() -> None:
    ours = CATALOG.with_rtts({("us-east-1", "eu-west-1"): 50.5})
    assert ours.rtt_ns("us-east-1", "aws:eu-west-1") == ms(50.5)
    assert ours.rtt_ns("eu-west-1", "us-east-1") == CATALOG.rtt_ns("eu-west-1", "us-east-1")
    assert CATALOG.rtt_ns("us-east-1", "eu-west-1") != ms(50.5)


@pytest.mark.parametrize("milliseconds", [-1, float("nan")])
def test_measurement_below_zero_is_refused(milliseconds: float) -> None:
    with pytest.raises(BadData, match="from us-east-1 to eu-west-1"):
        CATALOG.with_rtts({("us-east-1", "eu-west-1"): milliseconds})


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "ibm"])
def test_mean_of_latency_is_one_way_delay(provider: str) -> None:
    pairs = measured_pairs(provider)
    for source, sink in [*pairs[:: len(pairs) // 15 + 1], (CATALOG.of(provider)[0],) * 2]:
        latency = CATALOG.latency(source.full_name, sink.full_name)
        expected = CATALOG.one_way_ns(source.full_name, sink.full_name)
        assert latency.mean_ns == pytest.approx(expected, rel=0.02)
        assert 0 < latency.floor_ns <= expected <= latency.ceiling_ns


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "ibm"])
def test_no_measured_round_trip_beats_light(provider: str) -> None:
    pairs = measured_pairs(provider)
    assert len(pairs) == len(CATALOG.of(provider)) * (len(CATALOG.of(provider)) - 1)
    assert all(rtt_ms(a, b) >= FIBRE_MS_PER_KM * a.distance_km(b) for a, b in pairs)


@pytest.mark.parametrize("provider", sorted(FITS))
def test_lines_are_least_squares_of_tables(provider: str) -> None:
    pairs = measured_pairs(provider)
    km = [a.distance_km(b) for a, b in pairs]
    trips = [rtt_ms(a, b) for a, b in pairs]
    middle, centre = fmean(km), fmean(trips)
    slope = sum((x - middle) * (y - centre) for x, y in zip(km, trips, strict=True))
    slope /= sum((x - middle) ** 2 for x in km)
    start = centre - slope * middle
    assert FITS[provider] == (pytest.approx(start, abs=0.06), pytest.approx(slope, abs=6e-5))
    errors = (y - start - slope * x for x, y in zip(km, trips, strict=True))
    assert 35 < sqrt(fmean(error**2 for error in errors)) < 65  # as the data's README says


@pytest.mark.parametrize(("provider", "limit"), [("aws", 7), ("azure", 4)])
def test_two_directions_differ_little(provider: str, limit: float) -> None:
    assert max(abs(rtt_ms(a, b) - rtt_ms(b, a)) for a, b in measured_pairs(provider)) == limit


def test_shipped_catalogue_is_read_once() -> None:
    assert Catalog.shipped() is CATALOG
