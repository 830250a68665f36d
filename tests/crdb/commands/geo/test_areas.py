"""Circles and boxes, and the cells that cover them."""

from __future__ import annotations

import math
from random import Random

import pytest

from crdb.commands.geo.areas import Area, box, circle, covering, limits_of, neighbour, steps_for
from crdb.commands.geo.geohash import decode, encode

WORLD = 2.0**52


def random_area(rng: Random, reach: float) -> Area:
    centre = rng.uniform(-180, 180), rng.uniform(-60, 60)
    if rng.random() < 0.5:
        return circle(centre, reach)
    return box(centre, reach, reach * rng.uniform(0.1, 2))


@pytest.mark.parametrize("reach", [10, 1e3, 3e4, 6e5])
def test_cells_cover_every_position_in_the_area(reach: float) -> None:
    rng = Random(int(reach))
    inside = 0
    for _ in range(30):
        area = random_area(rng, reach)
        longitude, latitude = area.centre
        ranges = covering(area)
        for _ in range(40):
            north = latitude + rng.uniform(-1, 1) * math.degrees(reach / 6.3e6)
            east = longitude + rng.uniform(-2, 2) * math.degrees(reach / 6.3e6)
            score = float(encode((east + 540) % 360 - 180, north))
            if area.distance_to(decode(score)) >= 0:
                inside += 1
                assert any(low <= score < high for low, high in ranges)
    assert inside > 100


def test_cells_are_few_and_small() -> None:
    rng = Random(1)
    for _ in range(50):
        ranges = covering(random_area(rng, 1e3))
        assert 1 <= len(ranges) <= 9
        assert sum(high - low for low, high in ranges) < WORLD / 1e6


def test_area_of_the_whole_world_is_covered_once() -> None:
    ranges = sorted(covering(circle((0.0, 0.0), 3e7)))
    assert [low for low, _ in ranges] == [0, WORLD / 4, WORLD / 2, WORLD * 3 / 4]


@pytest.mark.parametrize("size", [math.inf, 1e300, 0.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (180.0, 85.05112878), (-180.0, -85.05112878)])
def test_extreme_areas_hold_their_centres(size: float, centre: tuple[float, float]) -> None:
    for area in (circle(centre, size), box(centre, size, size)):
        assert area.distance_to(centre) == 0
        assert len(covering(area)) >= 1


def test_grid_is_coarser_near_the_poles() -> None:
    assert steps_for(0, 0) == 26
    assert [steps_for(1000, latitude) for latitude in (0, 67, -81)] == [14, 13, 12]
    assert steps_for(1e9, 89) == 1


def test_neighbours_wrap_around() -> None:
    west, south, east, north = limits_of(encode(179.9, 0.1, 3), 3)
    beyond = limits_of(neighbour(encode(179.9, 0.1, 3), (1, 1), 3), 3)
    assert (west, east) == (135, 180)
    assert beyond[:2] == (-180, north)
    below = limits_of(neighbour(encode(179.9, 0.1, 3), (-1, -1), 3), 3)
    assert (below[2], below[3]) == (west, south)


def test_box_is_limited_along_both_axes() -> None:
    area = box((0.0, 0.0), 200_000, 20_000)
    assert area.distance_to((0.8, 0.05)) > 80_000
    assert area.distance_to((0.05, 0.8)) == -1
    assert area.distance_to((1.0, 0.0)) == -1
