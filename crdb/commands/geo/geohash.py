"""Positions on Earth as integers of 52 bits, whose order keeps close positions together.

A position is divided into 2^26 columns of longitude and 2^26 rows of latitude. The bits of its
column and its row alternate, the longitude first (a Morton code, or Z-order curve). So all
positions in one cell of a coarser grid are one range of integers, and a sorted set finds them by
score. Redis stores positions in the same way, so the scores are equal.

Longitudes range from -180 to 180 degrees, latitudes to the limits of the Mercator projection
(EPSG:3857), about 85.05 degrees. Distances are those of great circles on a sphere, by the haversine
formula.
"""

from __future__ import annotations

import math
from typing import Final

from mypy_extensions import i64

STEPS_MAX: Final = 26  # the number of times that each axis is halved for a full position
LONGITUDE_MAX: Final = 180.0
LATITUDE_MAX: Final = 85.05112878
STANDARD_LATITUDE_MAX: Final = 90.0  # of geohash texts
EARTH_RADIUS: Final = 6372797.560856  # m; the value that Redis uses
RADIANS: Final = math.pi / 180.0
ALPHABET: Final = b"0123456789bcdefghjkmnpqrstuvwxyz"
TEXT_SIZE: Final = 11

EVEN_BITS: Final = 0x5555555555555555
ODD_BITS: Final = 0xAAAAAAAAAAAAAAAA
UINT32_MAX: Final = (1 << 32) - 1
UINT64: Final = 1 << 64

Position = tuple[float, float]
"""Longitude and latitude, in degrees."""


def spread(number: int) -> int:
    """Return an integer of 32 bits with a zero before each bit."""
    bits: i64 = number
    bits = (bits | bits << 16) & 0x0000FFFF0000FFFF
    bits = (bits | bits << 8) & 0x00FF00FF00FF00FF
    bits = (bits | bits << 4) & 0x0F0F0F0F0F0F0F0F
    bits = (bits | bits << 2) & 0x3333333333333333
    return int((bits | bits << 1) & EVEN_BITS)


def gather(number: int) -> int:
    """Return the bits of an integer at even positions. This is the reverse of `spread`."""
    return int(gather_bits(number & EVEN_BITS))


def gather_bits(bits: i64) -> i64:
    """Return the bits at even positions of an integer that has no others."""
    bits = (bits | bits >> 1) & 0x3333333333333333
    bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F
    bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF
    bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF
    return (bits | bits >> 16) & UINT32_MAX


def encode(longitude: float, latitude: float, steps: int = STEPS_MAX) -> int:
    """Return the cell of a position in a grid of 2^steps columns and rows.

    With `STEPS_MAX` this is the score of the position.
    """
    return encode_in(longitude, latitude, steps, LATITUDE_MAX)


def encode_in(longitude: float, latitude: float, steps: int, latitude_max: float) -> int:
    """Return the cell of a position where latitudes range to `latitude_max`."""
    size = float(1 << steps)
    row = (latitude + latitude_max) / (latitude_max + latitude_max) * size
    column = (longitude + LONGITUDE_MAX) / (LONGITUDE_MAX + LONGITUDE_MAX) * size
    return spread(int(row)) | spread(int(column)) << 1


def decode(score: float) -> Position:
    """Return the middle of the cell that a score stands for.

    Any score is accepted, since ZADD and ZINCRBY can set any.
    """
    bits = unsigned(score)
    column, row = gather_bits(bits >> 1 & EVEN_BITS), gather_bits(bits & EVEN_BITS)
    return middle(column, LONGITUDE_MAX), middle(row, LATITUDE_MAX)


def middle(number: i64, limit: float) -> float:
    """Return the middle of a column or a row of the finest grid, as `side` gives its edges."""
    size = float(1 << STEPS_MAX)
    low = -limit + float(number) / size * (limit + limit)
    high = -limit + float(number + 1 & UINT32_MAX) / size * (limit + limit)
    found = (low + high) / 2
    if found > limit:
        return limit
    return found if found > -limit else -limit


def side(number: int, steps: int, limit: float) -> tuple[float, float]:
    """Return where a column or a row begins and ends, in degrees from -limit to limit."""
    size = float(1 << steps)
    low = -limit + number / size * (limit + limit)
    high = -limit + (number + 1 & UINT32_MAX) / size * (limit + limit)
    return low, high


def unsigned(score: float) -> int:
    """Return a score as an unsigned integer of 64 bits, as x86-64 converts any double."""
    if 0.0 <= score < 9.2e18:
        return int(score)
    if score >= 2.0**63:
        return int(score) if score < 2.0**64 else 0
    return int(score) % UINT64 if score >= -(2.0**63) else 1 << 63


def signed(score: float) -> int:
    """Return a score as a signed integer of 64 bits. One that does not fit is the smallest."""
    return int(score) if -(2.0**63) <= score < 2.0**63 else -(1 << 63)


def distance(one: Position, other: Position) -> float:
    """Return the length of the shortest way between two positions, in m."""
    north_one, north_other = one[1] * RADIANS, other[1] * RADIANS
    across = math.sin((other[0] * RADIANS - one[0] * RADIANS) / 2)
    along = math.sin((north_other - north_one) / 2)
    angle = along * along + math.cos(north_one) * math.cos(north_other) * across * across
    return 2.0 * EARTH_RADIUS * math.asin(math.sqrt(min(angle, 1.0)))


def text_of(score: float) -> bytes:
    """Return a position as a standard geohash of 11 characters.

    Standard texts divide latitudes up to 90 degrees. 52 bits are 10 characters and 2 bits; the last
    character is always `0`, as in Redis.
    """
    longitude, latitude = decode(score)
    bits = encode_in(longitude, latitude, STEPS_MAX, STANDARD_LATITUDE_MAX)
    text = bytearray()
    for shift in range(2 * STEPS_MAX - 5, 0, -5):
        text.append(ALPHABET[bits >> shift & 31])
    text.append(ALPHABET[0])
    return bytes(text)
