"""GEOADD, GEOPOS, GEODIST and GEOHASH: positions of members, and what GEO commands share.

A position is the score of a member of a sorted set. So if two regions set the position of one
member concurrently, the later one holds as a whole (rule ZST-11). ZREM removes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.geo import geohash
from crdb.commands.geo.geohash import LATITUDE_MAX, LONGITUDE_MAX, Position
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.commands.sorted_sets.sorted_sets import CH, NX, XX, add_scores
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.resp import reply
from crdt.types.sorted_set import SortedSet

COMMANDS: Final[CommandFamily] = CommandFamily("geo", since="3.2.0")
UNIT_NAMES: Final = "M | KM | FT | MI"

INVALID_POSITION: Final = "ERR invalid longitude,latitude pair %f,%f"
UNKNOWN_UNIT: Final = b"ERR unsupported unit provided. please use M, KM, FT, MI"

UNITS: Final[dict[bytes, float]] = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}
"""The length of each unit in m."""
ADD_OPTIONS: Final[dict[bytes, int]] = {b"NX": NX, b"XX": XX, b"CH": CH}


# -- shared by the modules of GEO commands ---------------------------------------------------


def parse_position(longitude: bytes, latitude: bytes) -> Position:
    """Parse a position. Raises CommandError unless it is within the limits of a geohash."""
    east, north = arguments.number(longitude), arguments.number(latitude)
    if abs(east) > LONGITUDE_MAX or abs(north) > LATITUDE_MAX:
        raise CommandError((INVALID_POSITION % (east, north)).encode())
    return east, north


def parse_unit(argument: bytes) -> float:
    """Return the length of a unit in m."""
    size = UNITS.get(argument.upper())
    if size is None:
        raise CommandError(UNKNOWN_UNIT)
    return size


def reply_position(client: Client, position: Position) -> None:
    """Reply with a longitude and a latitude, with up to 17 decimals as Redis prints them."""
    out = client.out
    reply.array(out, 2)
    for degrees in position:
        text = (b"%.17f" % degrees).rstrip(b"0").rstrip(b".")
        text = b"0" if text == b"-0" else text
        if client.protocol == 2:
            reply.bulk(out, text)
        else:
            out.append(b",%b\r\n" % text)


def reply_distance(client: Client, length: float) -> None:
    """Reply with a distance, which is a string in both protocols."""
    reply.bulk(client.out, b"%.4f" % length)


# -- positions of members --------------------------------------------------------------------


@COMMANDS.declare(
    "geoadd",
    "key [condition: NX | XX] [CH:change] (data: longitude latitude member)...",
    "write denyoom sliced",
    keys="RW update",
    summary="Adds members with their positions, or changes positions.",
    complexity="O(1) for each member; the order is made when it is searched.",
    history=("6.2.0 arguments `condition` and `CH`",),
)
def geoadd(client: Client, args: list[bytes]) -> None:
    """Add positions. All of them are checked before the first is written."""
    flags, first = 0, 2
    while first < len(args) and args[first].upper() in ADD_OPTIONS:
        flags |= ADD_OPTIONS[args[first].upper()]
        first += 1
    count = len(args) - first
    if count == 0 or count % 3 or (flags & NX and flags & XX):
        raise CommandError(SYNTAX)
    slicing.run(client, args, count // 3, add_positions(client, args, flags, first))


def add_positions(client: Client, args: list[bytes], flags: int, first: int) -> Iterator[None]:
    """Add positions, in slices if they are many. They are parsed twice then: to keep a million of
    them would take longer."""
    db, key = client.db, args[1]
    size = 3 * client.slice_items
    is_long = len(args) - first > size
    if is_long:
        for start in range(first, len(args), size):
            parse_members(args[start : start + size])
            yield
    count = 0
    for start in range(first, len(args), size):
        pairs = parse_members(args[start : start + size])
        value = read_typed_for_write(db, key, SortedSet)
        count += add_scores(db, key, value, pairs, flags)
        if is_long:
            yield
    reply.integer(client.out, count)


def parse_members(words: list[bytes]) -> list[tuple[float, bytes]]:
    """Parse longitudes, latitudes and members. Return the scores with the members."""
    pairs: list[tuple[float, bytes]] = []
    for index in range(0, len(words), 3):
        longitude, latitude = parse_position(words[index], words[index + 1])
        pairs.append((float(geohash.encode(longitude, latitude)), words[index + 2]))
    return pairs


@COMMANDS.declare(
    "geopos",
    "key [member...]",
    "readonly",
    summary="Returns the positions of members.",
    complexity="O(N) for N members.",
)
def geopos(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], SortedSet)
    reply.array(client.out, len(args) - 2)
    for member in args[2:]:
        score = None if value is None else value.score(member)
        if score is None:
            reply.null_array(client.out, client.protocol)
        else:
            reply_position(client, geohash.decode(score))


@COMMANDS.declare(
    "geohash",
    "key [member...]",
    "readonly",
    summary="Returns the positions of members as standard geohashes.",
    complexity="O(N) for N members.",
)
def geohash_texts(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], SortedSet)
    reply.array(client.out, len(args) - 2)
    for member in args[2:]:
        score = None if value is None else value.score(member)
        text = None if score is None else geohash.text_of(score)
        reply.bulk_or_null(client.out, client.protocol, text)


@COMMANDS.declare(
    "geodist",
    f"key member1 member2 [unit: {UNIT_NAMES}]",
    "readonly",
    summary="Returns the distance between two members.",
    complexity="O(1)",
)
def geodist(client: Client, args: list[bytes]) -> None:
    unit = 1.0
    if len(args) == 5:
        unit = parse_unit(args[4])
    elif len(args) > 5:
        raise CommandError(SYNTAX)
    value = read_typed(client.db, args[1], SortedSet)
    one = None if value is None else value.score(args[2])
    other = None if value is None else value.score(args[3])
    if one is None or other is None:
        reply.null(client.out, client.protocol)
        return
    length = geohash.distance(geohash.decode(one), geohash.decode(other))
    reply_distance(client, length / unit)
