"""The arguments of GEOSEARCH, GEOSEARCHSTORE and the GEORADIUS family.

They are checked in the order in which Redis checks them, so that a request with several mistakes
gets the same error.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from crdb.commands.geo import areas, geohash
from crdb.commands.geo.areas import Area
from crdb.commands.geo.geohash import Position
from crdb.commands.geo.positions import parse_position, parse_unit
from crdb.engine import arguments
from crdb.engine.errors import SYNTAX, CommandError
from crdt.types.sorted_set import SortedSet

NOT_A_MEMBER: Final = b"ERR could not decode requested zset member"
RADIUS_NOT_A_NUMBER: Final = b"ERR need numeric radius"
RADIUS_NEGATIVE: Final = b"ERR radius cannot be negative"
WIDTH_NOT_A_NUMBER: Final = b"ERR need numeric width"
HEIGHT_NOT_A_NUMBER: Final = b"ERR need numeric height"
BOX_NEGATIVE: Final = b"ERR height or width cannot be negative"
COUNT_NOT_POSITIVE: Final = b"ERR COUNT must be > 0"
ANY_WITHOUT_COUNT: Final = b"ERR the ANY argument requires COUNT argument"
STORED_WITH: Final = b"ERR %b is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
ONE_CENTRE: Final = b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %b"
ONE_SHAPE: Final = b"ERR exactly one of BYRADIUS and BYBOX can be specified for %b"

NOWHERE: Final = 0
AT_MEMBER: Final = 1
AT_POSITION: Final = 2

NO_SHAPE: Final = 0
CIRCLE: Final = 1
BOX: Final = 2

UNSORTED: Final = 0
NEAREST_FIRST: Final = 1
FARTHEST_FIRST: Final = 2


class Storing(Enum):
    """The ways in which a command may store its result under a key."""

    NEVER = "never"
    BY_OPTION = "by option"
    """It has the options STORE and STOREDIST, each with a key."""
    ALWAYS = "always"
    """It has a destination, and the option STOREDIST without a key."""


class SearchRequest:
    """A search as a client requests it. `value` is the sorted set, or None for a missing key."""

    __slots__ = (
        "around",
        "centre",
        "count",
        "destination",
        "height",
        "is_any",
        "is_by_distance",
        "order",
        "shape",
        "unit",
        "value",
        "width",
        "with_distance",
        "with_position",
        "with_score",
    )

    def __init__(self, value: SortedSet | None) -> None:
        self.value = value
        self.around: int = NOWHERE
        self.centre: Position = (0.0, 0.0)
        self.shape: int = NO_SHAPE
        self.width: float = 0.0  # that of a box, or the radius, in units
        self.height: float = 0.0
        self.unit: float = 1.0  # m
        self.count: int = 0
        self.is_any: bool = False
        self.order: int = UNSORTED
        self.with_distance: bool = False
        self.with_score: bool = False
        self.with_position: bool = False
        self.destination: bytes | None = None
        self.is_by_distance: bool = False

    @property
    def area(self) -> Area:
        """The area to search."""
        unit = self.unit
        if self.shape == CIRCLE:
            return areas.circle(self.centre, self.width * unit)
        return areas.box(self.centre, self.width * unit, self.height * unit)

    # -- the centre and the shape ------------------------------------------------------------

    def centre_on(self, member: bytes) -> None:
        """Search around a member. If the key is missing, nothing will be found anyway."""
        self.around = AT_MEMBER
        if self.value is not None:
            score = self.value.score(member)
            if score is None:
                raise CommandError(NOT_A_MEMBER)
            self.centre = geohash.decode(score)

    def centre_at(self, longitude: bytes, latitude: bytes) -> None:
        """Search around a position."""
        self.centre = parse_position(longitude, latitude)
        self.around = AT_POSITION

    def read_radius(self, radius: bytes, unit: bytes) -> None:
        """Parse a radius and its unit."""
        self.width = arguments.number(radius, RADIUS_NOT_A_NUMBER)
        if self.width < 0:
            raise CommandError(RADIUS_NEGATIVE)
        self.unit = parse_unit(unit)
        self.shape = CIRCLE

    def read_box(self, width: bytes, height: bytes, unit: bytes) -> None:
        """Parse a width and a height with their unit."""
        self.width = arguments.number(width, WIDTH_NOT_A_NUMBER)
        self.height = arguments.number(height, HEIGHT_NOT_A_NUMBER)
        if self.width < 0 or self.height < 0:
            raise CommandError(BOX_NEGATIVE)
        self.unit = parse_unit(unit)
        self.shape = BOX

    # -- options -----------------------------------------------------------------------------

    def read_options(self, args: list[bytes], index: int, storing: Storing) -> None:
        """Parse the options of the GEORADIUS family from `index` on."""
        while index < len(args):
            taken = self.read_option(args, index)
            word = args[index].upper()
            if taken == 0 and storing is Storing.BY_OPTION and index + 1 < len(args):
                if word == b"STORE" or word == b"STOREDIST":
                    self.destination = args[index + 1]
                    self.is_by_distance = word == b"STOREDIST"
                    taken = 2
            if taken == 0:
                raise CommandError(SYNTAX)
            index += taken
        self.check_stored(b"STORE option in GEORADIUS")
        self.check_count()

    def read_search(self, args: list[bytes], index: int, storing: Storing) -> None:
        """Parse the arguments of GEOSEARCH and GEOSEARCHSTORE from `index` on."""
        while index < len(args):
            taken = self.read_option(args, index) or self.read_place(args, index)
            if taken == 0 and storing is Storing.ALWAYS and args[index].upper() == b"STOREDIST":
                self.is_by_distance = True
                taken = 1
            if taken == 0:
                raise CommandError(SYNTAX)
            index += taken
        self.check_stored(b"GEOSEARCHSTORE")
        if self.around == NOWHERE:
            raise CommandError(ONE_CENTRE % args[0])
        if self.shape == NO_SHAPE:
            raise CommandError(ONE_SHAPE % args[0])
        self.check_count()

    def read_option(self, args: list[bytes], index: int) -> int:
        """Parse an option that all searches have. Return the number of its words, 0 if it is none
        of them."""
        word = args[index].upper()
        if word == b"WITHDIST":
            self.with_distance = True
        elif word == b"WITHHASH":
            self.with_score = True
        elif word == b"WITHCOORD":
            self.with_position = True
        elif word == b"ANY":
            self.is_any = True
        elif word == b"ASC":
            self.order = NEAREST_FIRST
        elif word == b"DESC":
            self.order = FARTHEST_FIRST
        elif word == b"COUNT" and index + 1 < len(args):
            self.count = arguments.integer(args[index + 1])
            if self.count <= 0:
                raise CommandError(COUNT_NOT_POSITIVE)
            return 2
        else:
            return 0
        return 1

    def read_place(self, args: list[bytes], index: int) -> int:
        """Parse the centre or the shape of GEOSEARCH. Return the number of its words.

        If there are several of one kind, the last one counts. Those of different kinds are refused.
        """
        word, left = args[index].upper(), len(args) - index - 1
        if word == b"FROMMEMBER" and left >= 1 and self.around != AT_POSITION:
            self.centre_on(args[index + 1])
            return 2
        if word == b"FROMLONLAT" and left >= 2 and self.around != AT_MEMBER:
            self.centre_at(args[index + 1], args[index + 2])
            return 3
        if word == b"BYRADIUS" and left >= 2 and self.shape != BOX:
            self.read_radius(args[index + 1], args[index + 2])
            return 3
        if word == b"BYBOX" and left >= 3 and self.shape != CIRCLE:
            self.read_box(args[index + 1], args[index + 2], args[index + 3])
            return 4
        return 0

    def check_stored(self, name: bytes) -> None:
        """Raise CommandError if members are stored and the request asks for more about them."""
        is_detailed = self.with_distance or self.with_score or self.with_position
        if self.destination is not None and is_detailed:
            raise CommandError(STORED_WITH % name)

    def check_count(self) -> None:
        """Raise CommandError for ANY without COUNT. COUNT without an order takes the nearest
        members, unless ANY allows others."""
        if self.is_any and self.count == 0:
            raise CommandError(ANY_WITHOUT_COUNT)
        if self.count and self.order == UNSORTED and not self.is_any:
            self.order = NEAREST_FIRST
