"""Circles and boxes on Earth, and the cells of the grid that cover them.

A search looks at the cell that holds its centre and at up to 8 cells around it, of a grid whose
cells are about as large as the area. So it visits only members that are near. The grid and the
order of the cells are those of Redis, so results that are not sorted come in the same order.
"""

from __future__ import annotations

import math
from typing import Final

from crdb.commands.geo.geohash import (
    EARTH_RADIUS,
    EVEN_BITS,
    LATITUDE_MAX,
    LONGITUDE_MAX,
    ODD_BITS,
    RADIANS,
    STEPS_MAX,
    Position,
    distance,
    encode,
    gather,
    side,
)

Bounds = tuple[float, float, float, float]
"""The limits of an area in degrees: west, south, east, north."""
MERCATOR_MAX: Final = 20037726.37  # m; half of the equator
POLAR: Final = 66.0  # degrees of latitude from which on cells are narrow
FAR_POLAR: Final = 80.0

NORTH: Final = (0, 1)
SOUTH: Final = (0, -1)
EAST: Final = (1, 0)
WEST: Final = (-1, 0)
DIRECTIONS: Final = (NORTH, SOUTH, EAST, WEST, (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Columns and rows from the middle to each cell around it, in the order of the search."""


class Area:
    """An area around a centre. Lengths are in m.

    A circle is as wide and as high as its diameter. `reach` is the distance from the centre to the
    farthest point.
    """

    __slots__ = ("centre", "half_height", "half_width", "is_box", "reach")

    def __init__(self, centre: Position, half_width: float, half_height: float) -> None:
        self.centre = centre
        self.half_width = half_width
        self.half_height = half_height
        self.is_box: bool = False
        self.reach: float = half_width

    def distance_to(self, position: Position) -> float:
        """Return the distance from the centre to a position in the area, or -1 for another one."""
        centre = self.centre
        if self.is_box:
            longitude, latitude = position
            if distance(position, (longitude, centre[1])) > self.half_height:
                return -1.0
            if distance(position, (centre[0], latitude)) > self.half_width:
                return -1.0
            return distance(centre, position)
        length = distance(centre, position)
        return -1.0 if length > self.reach else length

    def bounds(self) -> Bounds:
        """Return the limits of the area.

        A degree of longitude is shorter near the poles. The width is that at the side that is
        nearer to a pole. Without a finite height it is not a number, and bounds nothing.
        """
        longitude, latitude = self.centre
        tall = self.half_height / EARTH_RADIUS / RADIANS
        far = latitude - tall if latitude < 0 else latitude + tall
        shortening = math.cos(far * RADIANS) if math.isfinite(far) else math.nan
        wide = self.half_width / EARTH_RADIUS / shortening / RADIANS
        return longitude - wide, latitude - tall, longitude + wide, latitude + tall


def circle(centre: Position, radius: float) -> Area:
    """Return a circle of `radius` m."""
    return Area(centre, radius, radius)


def box(centre: Position, width: float, height: float) -> Area:
    """Return a box of `width` x `height` m, whose sides are parallel to the axes."""
    area = Area(centre, width / 2, height / 2)
    area.is_box = True
    area.reach = math.sqrt(width / 2 * (width / 2) + height / 2 * (height / 2))
    return area


def steps_for(reach: float, latitude: float) -> int:
    """Return the number of steps of a grid whose cells are at least about `reach` m wide."""
    if reach == 0:
        return STEPS_MAX
    steps = -1
    while reach < MERCATOR_MAX:
        reach *= 2
        steps += 1
    steps -= (abs(latitude) > POLAR) + (abs(latitude) > FAR_POLAR)
    return max(1, min(steps, STEPS_MAX))


def neighbour(cell: int, direction: tuple[int, int], steps: int) -> int:
    """Return the cell next to another one. Columns and rows wrap around.

    A position on the eastern or northern edge of the map is in a cell outside of the grid. Only the
    axis of the move leads back into it.
    """
    columns, rows = direction
    every = (1 << 2 * steps) - 1
    column_bits, row_bits = ODD_BITS & every, EVEN_BITS & every
    column, row = cell & ODD_BITS, cell & EVEN_BITS
    if columns > 0:
        column = column + row_bits + 1 & column_bits
    elif columns < 0:
        column = (column | row_bits) - (row_bits + 1) & column_bits
    if rows > 0:
        row = row + column_bits + 1 & row_bits
    elif rows < 0:
        row = (row | column_bits) - (column_bits + 1) & row_bits
    return column | row


def limits_of(cell: int, steps: int) -> Bounds:
    """Return the limits of a cell."""
    west, east = side(gather(cell >> 1), steps, LONGITUDE_MAX)
    south, north = side(gather(cell), steps, LATITUDE_MAX)
    return west, south, east, north


def is_too_fine(cell: int, steps: int, bounds: Bounds) -> bool:
    """Return whether the area reaches beyond the cells around `cell`."""
    west, south, east, north = bounds
    return (
        limits_of(neighbour(cell, NORTH, steps), steps)[3] < north
        or limits_of(neighbour(cell, SOUTH, steps), steps)[1] > south
        or limits_of(neighbour(cell, EAST, steps), steps)[2] < east
        or limits_of(neighbour(cell, WEST, steps), steps)[0] > west
    )


def covering(area: Area) -> list[tuple[float, float]]:
    """Return ranges of scores that cover an area: the first of each, and the first behind it."""
    longitude, latitude = area.centre
    bounds = area.bounds()
    steps = steps_for(area.reach, latitude)
    cell = encode(longitude, latitude, steps)
    if steps > 1 and is_too_fine(cell, steps, bounds):
        steps -= 1
        cell = encode(longitude, latitude, steps)
    cells = [cell]
    west, south, east, north = bounds
    cell_west, cell_south, cell_east, cell_north = limits_of(cell, steps)
    for direction in DIRECTIONS:
        columns, rows = direction
        if steps >= 2 and (
            (rows < 0 and cell_south < south)
            or (rows > 0 and cell_north > north)
            or (columns < 0 and cell_west < west)
            or (columns > 0 and cell_east > east)
        ):
            continue
        beside = neighbour(cell, direction, steps)
        if len(cells) == 1 or beside != cells[-1]:
            cells.append(beside)
    shift = 2 * (STEPS_MAX - steps)
    return [(float(each << shift), float(each + 1 << shift)) for each in cells]
