"""Positions as integers: cells, distances and texts."""

from __future__ import annotations

import math
from random import Random

import pytest

from crdb.commands.geo.geohash import (
    LATITUDE_MAX,
    LONGITUDE_MAX,
    STEPS_MAX,
    Position,
    decode,
    distance,
    encode,
    gather,
    middle,
    side,
    signed,
    spread,
    text_of,
    unsigned,
)

PALERMO = (13.361389, 38.115556)
CATANIA = (15.087269, 37.502669)


def random_position(rng: Random) -> Position:
    return rng.uniform(-LONGITUDE_MAX, LONGITUDE_MAX), rng.uniform(-LATITUDE_MAX, LATITUDE_MAX)


def test_bits_alternate_with_longitude_first() -> None:
    assert spread(0b1011) == 0b1000101
    assert encode(-180, -LATITUDE_MAX) == 0
    assert encode(179.9999999, -LATITUDE_MAX) == 0xAAAAAAAAAAAAA
    assert encode(-180, 85.05112877) == 0x5555555555555


def test_gather_is_reverse_of_spread() -> None:
    rng = Random(1)
    for number in (0, 1, (1 << 32) - 1, *(rng.getrandbits(32) for _ in range(50))):
        assert gather(spread(number)) == number
        assert gather(spread(number) | spread(7) << 1) == number


def test_decoded_position_is_in_the_cell_of_the_encoded_one() -> None:
    rng = Random(2)
    for _ in range(100):
        longitude, latitude = random_position(rng)
        found = decode(float(encode(longitude, latitude)))
        assert abs(found[0] - longitude) <= 360 / 2**26
        assert abs(found[1] - latitude) <= 171 / 2**26
        assert encode(*found) == encode(longitude, latitude)


def test_middle_is_between_the_sides() -> None:
    rng = Random(4)
    for number in (0, (1 << 26) - 1, 1 << 26, (1 << 32) - 1, *(rng.getrandbits(32) for _ in "ab")):
        low, high = side(number, STEPS_MAX, LATITUDE_MAX)
        assert middle(number, LATITUDE_MAX) == max(
            -LATITUDE_MAX, min((low + high) / 2, LATITUDE_MAX)
        )


@pytest.mark.parametrize("score", [-1.0, 2.0**60, 1e30, -1e30, math.inf, -math.inf, 0.5])
def test_any_score_stands_for_a_position_on_the_map(score: float) -> None:
    longitude, latitude = decode(score)
    assert abs(longitude) <= LONGITUDE_MAX
    assert abs(latitude) <= LATITUDE_MAX


def test_scores_convert_to_integers_as_in_c() -> None:
    assert [unsigned(score) for score in (-1.0, 1.5, 2.0**63)] == [2**64 - 1, 1, 2**63]
    assert [unsigned(score) for score in (math.inf, -math.inf, 1e300)] == [0, 2**63, 0]
    assert [signed(score) for score in (-1.5, 2.0**63, -math.inf)] == [-1, -(2**63), -(2**63)]


def test_distance_is_that_of_the_great_circle() -> None:
    assert round(distance(PALERMO, CATANIA)) == 166274
    assert distance(PALERMO, PALERMO) == 0
    quarter = distance((0, 0), (90, 0))
    assert round(quarter) == round(6372797.560856 * math.pi / 2)
    assert round(distance((0, 0), (180, 0))) == round(2 * quarter)


def test_distance_is_symmetric() -> None:
    rng = Random(3)
    for _ in range(50):
        one, other = random_position(rng), random_position(rng)
        assert math.isclose(distance(one, other), distance(other, one), rel_tol=1e-9)


def test_text_is_the_standard_geohash() -> None:
    assert text_of(float(encode(*PALERMO))) == b"sqc8b49rny0"
    assert text_of(float(encode(*CATANIA))) == b"sqdtr74hyu0"
