"""A region: a place that holds one copy of the database.

The position is that of the city that the provider announces, to two decimals of a degree (about a
kilometre). Distances between data centres need no more precision.
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

import attrs

from geo.errors import BadData

# Mean radius of the Earth, IUGG 1980.
EARTH_RADIUS_KM = 6371.0088


@attrs.frozen
class Region:
    """A region of one provider. `lat` and `lon` are degrees north and east.

    Raises `BadData` for a position that is not on the globe.
    """

    provider: str
    name: str
    place: str
    country: str
    lat: float
    lon: float

    def __attrs_post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise BadData(f"region {self.name!r}: {self.lat}, {self.lon} is not on the globe")

    @property
    def full_name(self) -> str:
        """The name `provider:name`, which is unique in a catalogue.

        >>> Region("aws", "eu-west-1", "Dublin", "IE", 53.35, -6.26).full_name
        'aws:eu-west-1'
        """
        return f"{self.provider}:{self.name}"

    def distance_km(self, other: Region) -> int:
        """Return the great-circle distance in whole kilometres, by the haversine formula.

        The result is rounded, so that it does not depend on the platform's sine function.

        >>> dublin = Region("aws", "eu-west-1", "Dublin", "IE", 53.35, -6.26)
        >>> dublin.distance_km(Region("aws", "ap-southeast-2", "Sydney", "AU", -33.87, 151.21))
        17215
        """
        here, there = radians(self.lat), radians(other.lat)
        across = sin((there - here) / 2) ** 2
        along = cos(here) * cos(there) * sin(radians(other.lon - self.lon) / 2) ** 2
        return round(2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(across + along))))
