"""Regions: their full names and distances."""

from __future__ import annotations

from math import acos, cos, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadData
from geo.region import EARTH_RADIUS_KM, Region

DUBLIN = Region("aws", "eu-west-1", "Dublin", "IE", 53.35, -6.26)
LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)


def at(lat: float, lon: float) -> Region:
    return Region("own", "here", "Here", "XX", lat, lon)


def test_full_name_has_provider() -> None:
    assert DUBLIN.full_name == "aws:eu-west-1"


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        (at(0, 0), at(0, 90), 10008),
        (at(90, 0), at(-90, 0), 20015),
        (at(0, -179), at(0, 179), 222),
        (at(51.51, -0.13), at(48.86, 2.35), 344),
    ],
)
def test_distances_known_from_elsewhere(here: Region, there: Region, km: int) -> None:
    assert here.distance_km(there) == pytest.approx(km, abs=1)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distance_is_symmetric_and_at_most_half_turn(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    here, there = at(lat, lon), at(other_lat, other_lon)
    assert here.distance_km(there) == there.distance_km(here)
    assert 0 <= here.distance_km(there) <= 20016
    assert here.distance_km(here) == 0


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_law_of_cosines_agrees(lat: float, lon: float, other_lat: float, other_lon: float) -> None:
    a, b, turn = radians(lat), radians(other_lat), radians(other_lon - lon)
    cosine = sin(a) * sin(b) + cos(a) * cos(b) * cos(turn)
    naive = EARTH_RADIUS_KM * acos(max(-1, min(1, cosine)))
    assert at(lat, lon).distance_km(at(other_lat, other_lon)) == pytest.approx(naive, abs=1)


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (float("nan"), 0)]
)
def test_position_off_globe_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(BadData, match=r"'here': .* is not on the globe"):
        at(lat, lon)
