"""Commands on arrays in JSON documents: JSON.ARRAPPEND and similar ones.

Insertions and removals of several regions merge. What each region inserts at one place stays
together, that of the lower region first (JSN-9). A removal of an element wins over changes inside
it (JSN-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    NOT_AN_INTEGER,
    Found,
    check_depth,
    deepest_first,
    distinct,
    document_to_change,
    existing,
    find,
    no_path,
    optional_path,
    path_of,
    read_document,
    reply_integer,
    reply_integers,
    reply_texts,
    run,
    run_at_optional_path,
    still_there,
    value_of,
    wrong_kind,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply
from crdt.types.json import JsonDocument
from crdt.types.json_path.evaluator import is_same
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.places import JsonPlace
from crdt.types.json_tree.texts import print_value
from crdt.writes import json as documents

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")

OUT_OF_BOUNDS: Final = b"ERR index out of bounds"
NOT_AN_ARRAY: Final = "not an array"
Where: TypeAlias = tuple[JsonDocument, JsonPath]


def find_arrays(where: Where, found: Found) -> Iterator[None]:
    """Append the places that a path selects to `found`. Raises CommandError if a path of RedisJSON
    1 selects no array."""
    document, path = where
    places: Found = []
    yield from find(document, path, places)
    found += distinct(places)
    if path.is_legacy:
        found[:] = [place for place in found if place.kind() == "array"]
        if not found:
            raise no_path(path.text, NOT_AN_ARRAY)


def reply_lengths(client: Client, path: JsonPath, sizes: list[int | None]) -> None:
    """Reply with the lengths of arrays, or with that of the last one for a path of RedisJSON 1."""
    if path.is_legacy:
        reply_integer(client, sizes[len(sizes) - 1])
    else:
        reply_integers(client, sizes)


# -- insertions --------------------------------------------------------------------------------


@COMMANDS.declare(
    "json.arrappend",
    "key path value...",
    "write denyoom sliced",
    keys="RW access update",
    summary="Appends values to the arrays at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_arrappend(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2])
    values = [value_of(argument) for argument in args[3:]]
    document = existing(document_to_change(client.db, args[1]))
    where = document, path
    run(client, args, where, insert_in_found(client, args[1], where, (None, values)))


@COMMANDS.declare(
    "json.arrinsert",
    "key path index value...",
    "write denyoom sliced",
    keys="RW access update",
    summary="Inserts values before an index of the arrays at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_arrinsert(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2])
    index = arguments.integer(args[3], NOT_AN_INTEGER)
    values = [value_of(argument) for argument in args[4:]]
    document = existing(document_to_change(client.db, args[1]))
    where = document, path
    run(client, args, where, insert_in_found(client, args[1], where, (index, values)))


def insert_in_found(
    client: Client, key: bytes, where: Where, inserted: tuple[int | None, list[Any]]
) -> Iterator[None]:
    """Insert values before an index, or behind the last element for None. Reply with lengths."""
    index, values = inserted
    found: Found = []
    yield from find_arrays(where, found)
    targets = [place for place in found if place.kind() == "array"]
    check_depth(targets, values)
    indexes = {id(place): insert_index(place, index) for place in targets}
    sizes_before = {id(place): place.size() for place in targets}
    for number, place in enumerate(deepest_first(targets)):
        if number and number % client.slice_items == 0:
            yield
        documents.insert(client.db, key, place.node_address(), indexes[id(place)], values)
    sizes = [
        sizes_before[id(place)] + len(values) if id(place) in indexes else None for place in found
    ]
    reply_lengths(client, where[1], sizes)


def insert_index(place: JsonPlace, index: int | None) -> int:
    """Return the index at which a request inserts into an array. Raises CommandError."""
    size = place.size()
    if index is None:
        return size
    at = index + size if index < 0 else index
    if not 0 <= at <= size:
        raise CommandError(OUT_OF_BOUNDS)
    return at


# -- removals ----------------------------------------------------------------------------------


@COMMANDS.declare(
    "json.arrpop",
    "key [path [index]]",
    "write sliced",
    keys="RW access delete",
    summary="Removes an element of the arrays at a path, and returns it.",
    complexity="O(N) for N values that the path visits.",
)
def json_arrpop(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    index = pop_index(args[3]) if len(args) > 3 else -1
    document = existing(document_to_change(client.db, args[1]))
    where = document, path
    run(client, args, where, pop_from_found(client, args[1], where, index))


def pop_index(argument: bytes) -> int:
    """Return the index of an argument. As in RedisJSON, no number stands for the last element."""
    try:
        return arguments.integer(argument)
    except CommandError:
        return -1


def pop_from_found(client: Client, key: bytes, where: Where, index: int) -> Iterator[None]:
    """Remove an element of each array at a path. Reply with the elements."""
    found: Found = []
    yield from find_arrays(where, found)
    popped: dict[int, bytes | None] = {}
    for number, place in enumerate(deepest_first(found)):
        if number and number % client.slice_items == 0:
            yield
        if place.kind() == "array" and still_there(client.db, key, place):
            popped[id(place)] = pop_element(client, key, place, index)
    texts = [popped.get(id(place)) for place in found]
    if where[1].is_legacy:
        reply.bulk_or_null(client.out, client.protocol, texts[len(texts) - 1])
    else:
        reply_texts(client, texts)


def pop_element(client: Client, key: bytes, place: JsonPlace, index: int) -> bytes | None:
    """Remove one element. Return its text, or None if the array is empty. An index behind the end
    is that of the last element, and one before the beginning that of the first."""
    array = documents.array_at(client.db, key, place.node_address())
    size = array.length()
    if size == 0:
        return None
    at = max(0, size + index) if index < 0 else min(index, size - 1)
    text = print_value(documents.element_value(array, at))
    documents.remove_elements(client.db, key, place.node_address(), at, at + 1)
    return text


@COMMANDS.declare(
    "json.arrtrim",
    "key path start stop",
    "write sliced",
    keys="RW access delete",
    summary="Removes all elements of the arrays at a path that are not in a range.",
    complexity="O(N) for N values that the path visits, and N removed elements.",
)
def json_arrtrim(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2])
    start = arguments.integer(args[3], NOT_AN_INTEGER)
    stop = arguments.integer(args[4], NOT_AN_INTEGER)
    document = existing(document_to_change(client.db, args[1]))
    where = document, path
    run(client, args, where, trim_found(client, args[1], where, (start, stop)))


def trim_found(client: Client, key: bytes, where: Where, bounds: tuple[int, int]) -> Iterator[None]:
    """Trim all arrays at a path, in slices. Reply with their lengths."""
    found: Found = []
    yield from find_arrays(where, found)
    sizes: dict[int, int] = {}
    for place in deepest_first(found):
        if place.kind() == "array" and still_there(client.db, key, place):
            address = place.node_address()
            size = documents.array_at(client.db, key, address).length()
            start, stop = trim_range(size, *bounds)
            for at in range(size, stop, -client.slice_items):
                documents.remove_elements(
                    client.db, key, address, max(stop, at - client.slice_items), at
                )
                yield
            for at in range(start, 0, -client.slice_items):
                documents.remove_elements(
                    client.db, key, address, max(0, at - client.slice_items), at
                )
                yield
            sizes[id(place)] = stop - start
    reply_lengths(client, where[1], [sizes.get(id(place)) for place in found])


def trim_range(size: int, start: int, stop: int) -> tuple[int, int]:
    """Return the range of the elements that stay: the first one, and the first one behind."""
    last = max(0, size + stop) if stop < 0 else min(stop, max(0, size - 1))
    if start < 0:
        first = max(0, size + start)
    else:
        first = start if start < size else last + 1
    return (0, 0) if first > last or size == 0 else (first, last + 1)


# -- reading -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "json.arrlen",
    "key [path]",
    "readonly sliced",
    summary="Returns the lengths of the arrays at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_arrlen(client: Client, args: list[bytes]) -> None:
    run_at_optional_path(client, args, reply_all_lengths)


def reply_all_lengths(client: Client, where: Where) -> Iterator[None]:
    """Reply with the lengths of all arrays at a path."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    if not path.is_legacy:
        sizes = [each.size() if each.kind() == "array" else None for each in found]
        reply_integers(client, sizes)
        return
    if not found:
        raise no_path(path.original)
    if found[0].kind() != "array":
        raise no_path(path.original, NOT_AN_ARRAY)
    reply_integer(client, found[0].size())


@COMMANDS.declare(
    "json.arrindex",
    "key path value [start [stop]]",
    "readonly sliced",
    summary="Returns the index of the first element that equals a value, in the arrays at a path.",
    complexity="O(N) for N values that the path visits, and N elements.",
)
def json_arrindex(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2])
    bounds = [arguments.integer(each, NOT_AN_INTEGER) for each in args[4:]]
    start, stop = (*bounds, 0, 0)[:2]
    document = read_document(client.db, args[1])
    value = value_of(args[3])
    if document is None:
        raise no_path(path.original)
    where = document, path
    run(client, args, where, search_found(client, where, value, (start, stop)))


def search_found(
    client: Client, where: Where, value: Any, bounds: tuple[int, int]
) -> Iterator[None]:
    """Reply with the index of a value in each array at a path, -1 if it is not there."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    if path.is_legacy:
        if not found:
            raise no_path(path.text)
        if found[0].kind() != "array":
            raise wrong_kind("array", found[0].kind())
        found = found[:1]
    indexes: list[int | None] = []
    for place in found:
        result: list[int] = []
        if place.kind() == "array":
            yield from search(client, place, (value, result), search_range(place, *bounds))
        indexes.append(result[0] if result else -1 if place.kind() == "array" else None)
    reply_lengths(client, path, indexes)


def search(
    client: Client, place: JsonPlace, wanted: tuple[Any, list[int]], where: tuple[int, int]
) -> Iterator[None]:
    """Append the first index in a range at which an array has a value, in slices."""
    value, result = wanted
    start, stop = where
    for number, child in enumerate(place.children()):
        if number >= stop:
            return
        if number % client.slice_items == client.slice_items - 1:
            yield
        if number >= start and is_same(child.plain(), value):
            result.append(number)
            return


def search_range(place: JsonPlace, start: int, stop: int) -> tuple[int, int]:
    """Return the range in which an array is searched. A stop of 0 is its end."""
    size = place.size()
    first = max(0, size + start) if start < 0 else min(start, max(0, size - 1))
    if stop == 0:
        return first, size
    return first, max(0, size + stop) if stop < 0 else min(stop, size)
