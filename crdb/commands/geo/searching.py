"""GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS family: members within a circle or a box.

A search visits only the members in the cells that cover the area, in slices if they are many. What
a search stores replaces the destination (rule ZST-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.geo import areas, geohash
from crdb.commands.geo.positions import UNIT_NAMES, reply_distance, reply_position
from crdb.commands.geo.search_request import (
    FARTHEST_FIRST,
    UNSORTED,
    SearchRequest,
    Storing,
)
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed
from crdb.commands.sorted_sets.ranges import store_members
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.structures.table import Table
from crdt.types.sorted_set import SortedSet

COMMANDS: Final[CommandFamily] = CommandFamily("geo", since="3.2.0")
SEARCH_COST: Final = (
    "O(N + log M) for N members in the cells that cover the area, and M members of the sorted set."
)
UPPERCASE_UNITS: Final = "7.0.0 names of units in upper case"
ADDED_ANY: Final = "6.2.0 argument `any`"
COUNT_OPTION: Final = "[count-block: (COUNT count) [ANY]]"
WITH_OPTIONS: Final = "[WITHCOORD] [WITHDIST] [WITHHASH]"
ORDER_OPTION: Final = "[order: ASC | DESC]"
STORE_OPTION: Final = "[store: STORE storekey:key | STOREDIST storedistkey:key]"
KEYS_OF_STORE: Final = "RO access; OW update keyword; OW update keyword"
UNIT: Final = f"<unit: {UNIT_NAMES}>"
SHAPES: Final = (
    "<from: FROMMEMBER member | FROMLONLAT:fromlonlat longitude latitude>"
    f" <by: circle: (BYRADIUS radius) {UNIT} | box: (BYBOX width) height {UNIT}>"
)

Found = tuple[float, float, bytes]
"""A member in the area: its distance in m, its score and its name."""


def start_search(client: Client, args: list[bytes], key: bytes, request: SearchRequest) -> None:
    """Search as requested, immediately or in slices."""
    value = request.value
    if value is None:
        slicing.run(client, args, 0, reply_found(client, request, []))
    elif not slicing.must_order(client, args, key, value):
        ranges = [
            (value.ranked().rank_of_score(low), value.ranked().rank_of_score(high))
            for low, high in areas.covering(request.area)
        ]
        size = sum(stop - start for start, stop in ranges)
        slicing.run(client, args, size, search(client, request, value, ranges))


def search(
    client: Client, request: SearchRequest, value: SortedSet, ranges: list[tuple[int, int]]
) -> Iterator[None]:
    """Find the members in the area, and reply with them or store them."""
    found: list[Found] = []
    yield from find_members(client, request, ranges, value, found)
    if request.order != UNSORTED:
        descending = request.order == FARTHEST_FIRST
        yield from slicing.sort_in_runs(client, found, itemgetter(0), descending=descending)
    yield from reply_found(client, request, found)


def find_members(
    client: Client,
    request: SearchRequest,
    ranges: list[tuple[int, int]],
    value: SortedSet,
    found: list[Found],
) -> Iterator[None]:
    """Add the members in the area to `found`, out of ranges of ranks. With ANY it stops as soon as
    they are enough."""
    area, order = request.area, value.ranked()
    limit = request.count if request.is_any else order.size
    for first, stop in ranges:
        for start in range(first, stop, client.slice_items):
            for score, member in order.pairs(start, min(start + client.slice_items, stop)):
                length = area.distance_to(geohash.decode(score))
                if length >= 0:
                    found.append((length, score, member))
                    if len(found) == limit:
                        return
            yield


def reply_found(client: Client, request: SearchRequest, found: list[Found]) -> Iterator[None]:
    """Reply with the members, or store them."""
    count = min(request.count or len(found), len(found))
    if request.destination is not None:
        scores = Table()
        for start in range(0, count, client.slice_items):
            for length, score, member in found[start : min(start + client.slice_items, count)]:
                scores.put(member, length / request.unit if request.is_by_distance else score)
            yield
        yield from store_members(client, request.destination, scores)
    else:
        reply.array(client.out, count)
        for start in range(0, count, client.slice_items):
            for each in found[start : min(start + client.slice_items, count)]:
                reply_member(client, request, each)
            yield
    yield from slicing.empty_list(client, found)


def reply_member(client: Client, request: SearchRequest, found: Found) -> None:
    """Reply with one member and what the request asks about it."""
    out = client.out
    length, score, member = found
    details = request.with_distance + request.with_score + request.with_position
    if details:
        reply.array(out, 1 + details)
    reply.bulk(out, member)
    if request.with_distance:
        reply_distance(client, length / request.unit)
    if request.with_score:
        reply.integer(out, geohash.signed(score))
    if request.with_position:
        reply_position(client, geohash.decode(score))


# -- GEOSEARCH -------------------------------------------------------------------------------


@COMMANDS.declare(
    "geosearch",
    f"key {SHAPES} {ORDER_OPTION} {COUNT_OPTION} {WITH_OPTIONS}",
    "readonly sliced",
    since="6.2.0",
    summary="Returns the members in a circle or a box.",
    complexity=SEARCH_COST,
    history=(UPPERCASE_UNITS,),
)
def geosearch(client: Client, args: list[bytes]) -> None:
    request = SearchRequest(read_typed(client.db, args[1], SortedSet))
    request.read_search(args, 2, Storing.NEVER)
    start_search(client, args, args[1], request)


@COMMANDS.declare(
    "geosearchstore",
    f"destination source {SHAPES} {ORDER_OPTION} {COUNT_OPTION} [STOREDIST]",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="6.2.0",
    summary="Stores the members in a circle or a box.",
    complexity=SEARCH_COST,
    history=(UPPERCASE_UNITS,),
)
def geosearchstore(client: Client, args: list[bytes]) -> None:
    request = SearchRequest(read_typed(client.db, args[2], SortedSet))
    request.destination = args[1]
    request.read_search(args, 3, Storing.ALWAYS)
    start_search(client, args, args[2], request)


# -- the GEORADIUS family --------------------------------------------------------------------


def search_position(client: Client, args: list[bytes], storing: Storing) -> None:
    """Carry out GEORADIUS: search a circle around a position."""
    request = SearchRequest(read_typed(client.db, args[1], SortedSet))
    request.centre_at(args[2], args[3])
    request.read_radius(args[4], args[5])
    request.read_options(args, 6, storing)
    start_search(client, args, args[1], request)


def search_member(client: Client, args: list[bytes], storing: Storing) -> None:
    """Carry out GEORADIUSBYMEMBER: search a circle around a member. Redis does not check the radius
    if the key is missing."""
    request = SearchRequest(read_typed(client.db, args[1], SortedSet))
    if request.value is not None:
        request.centre_on(args[2])
        request.read_radius(args[3], args[4])
    request.read_options(args, 5, storing)
    start_search(client, args, args[1], request)


@COMMANDS.declare(
    "georadius",
    f"key longitude latitude radius {UNIT} {WITH_OPTIONS} {COUNT_OPTION} {ORDER_OPTION}"
    f" {STORE_OPTION}",
    "write denyoom sliced",
    keys=KEYS_OF_STORE,
    summary="Returns or stores the members in a circle around a position.",
    complexity=SEARCH_COST,
    history=(ADDED_ANY, UPPERCASE_UNITS),
    deprecated="6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
)
def georadius(client: Client, args: list[bytes]) -> None:
    search_position(client, args, Storing.BY_OPTION)


@COMMANDS.declare(
    "georadius_ro",
    f"key longitude latitude radius {UNIT} {WITH_OPTIONS} {COUNT_OPTION} {ORDER_OPTION}",
    "readonly sliced",
    since="3.2.10",
    summary="Returns the members in a circle around a position.",
    complexity=SEARCH_COST,
    history=(ADDED_ANY,),
    deprecated="6.2.0 `GEOSEARCH` with the `BYRADIUS` argument",
)
def georadius_ro(client: Client, args: list[bytes]) -> None:
    search_position(client, args, Storing.NEVER)


@COMMANDS.declare(
    "georadiusbymember",
    f"key member radius {UNIT} {WITH_OPTIONS} {COUNT_OPTION} {ORDER_OPTION} {STORE_OPTION}",
    "write denyoom sliced",
    keys=KEYS_OF_STORE,
    summary="Returns or stores the members in a circle around a member.",
    complexity=SEARCH_COST,
    deprecated="6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER`"
    " arguments",
    history=(UPPERCASE_UNITS,),
)
def georadiusbymember(client: Client, args: list[bytes]) -> None:
    search_member(client, args, Storing.BY_OPTION)


@COMMANDS.declare(
    "georadiusbymember_ro",
    f"key member radius {UNIT} {WITH_OPTIONS} {COUNT_OPTION} {ORDER_OPTION}",
    "readonly sliced",
    since="3.2.10",
    summary="Returns the members in a circle around a member.",
    complexity=SEARCH_COST,
    deprecated="6.2.0 `GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
)
def georadiusbymember_ro(client: Client, args: list[bytes]) -> None:
    search_member(client, args, Storing.NEVER)
