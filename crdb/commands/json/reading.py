"""Commands that read JSON documents: JSON.GET, JSON.MGET, JSON.TYPE, JSON.RESP, JSON.DEBUG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    ROOT,
    Found,
    decoded,
    find,
    no_path,
    optional_path,
    path_of,
    read_document,
    reply_integers,
    run,
)
from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdb.engine.errors import CommandError, wrong_arity
from crdb.engine.metrics.memory_usage import size_of
from crdb.resp import reply
from crdt.types.json import JsonDocument
from crdt.types.json_path.evaluator import find_places
from crdt.types.json_path.parser import PathError, parse_path
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.printing import is_large, print_in_slices
from crdt.types.json_tree.sums import is_signed
from crdt.types.json_tree.texts import COMPACT, Layout, is_object, print_value

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")

WORDS: Final = (b"INDENT", b"NEWLINE", b"SPACE")
GET_ARITY: Final = wrong_arity(b"json.get")
SAMPLES: Final = 30
"""The elements of each container that JSON.DEBUG MEMORY measures."""


# -- reading -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "json.get",
    "key [INDENT indent] [NEWLINE newline] [SPACE space] [path]...",
    "readonly sliced",
    summary="Returns the values at paths of a JSON document, as JSON.",
    complexity="O(N) for N values that the paths visit or select.",
)
def json_get(client: Client, args: list[bytes]) -> None:
    layout, given = get_options(args)
    document = read_document(client.db, args[1])
    if document is None:
        reply.null(client.out, client.protocol)
    elif len(given) > 1:
        paths = [path for path in map(valid_path, given) if path is not None]
        steps = get_several(client, document, (paths, layout))
        slicing.run(client, args, visits(document, paths), steps)
    else:
        path = path_of(given[0] if given else ROOT)
        is_short = path.is_static() and not is_large_at(document, path, client.slice_items)
        items = 0 if is_short else visits(document, [path])
        slicing.run(client, args, items, get_one(client, document, path, layout))


def get_options(args: list[bytes]) -> tuple[Layout, list[bytes]]:
    """Return the layout and the paths of a JSON.GET. Raises CommandError."""
    chosen = dict.fromkeys(WORDS, "")
    given: list[bytes] = []
    at = 2
    while at < len(args):
        word = args[at].upper()
        if word in chosen:
            if at + 1 == len(args):
                raise CommandError(GET_ARITY)
            chosen[word] = decoded(args[at + 1])
            at += 1
        elif word != b"NOESCAPE":
            given.append(args[at])
        at += 1
    return Layout(chosen[b"INDENT"], chosen[b"NEWLINE"], chosen[b"SPACE"]), given


def valid_path(argument: bytes) -> JsonPath | None:
    """Return a path, or None if it cannot be parsed: JSON.GET leaves it out of several."""
    try:
        return parse_path(decoded(argument))
    except PathError:
        return None


def get_one(
    client: Client, document: JsonDocument, path: JsonPath, layout: Layout
) -> Iterator[None]:
    """Reply with the value at a path, or with an array of all values there."""
    found: Found = []
    yield from find(document, path, found)
    shown = found[:1] if path.is_legacy else found
    if layout == COMPACT and is_large([place.value for place in shown], client.slice_items):
        pieces: list[bytes] = []
        values = [place.value for place in shown]
        what = values[0] if path.is_legacy else values
        yield from print_in_slices(what, client.slice_items, pieces)
        reply.bulk_parts(client.out, sum(map(len, pieces)), pieces)
    else:
        reply.bulk(client.out, print_value(selected(found, path, path.text), layout))


def visits(document: JsonDocument, paths: Iterable[JsonPath]) -> int:
    """Return about the most values that a command visits that shows what the paths select."""
    size = document.count_items()
    return max([size, *[path.visits_max(size) for path in paths]])


def is_large_at(document: JsonDocument, path: JsonPath, limit: int) -> bool:
    """Return whether the value at a static path is printed in slices."""
    return is_large([place.value for place in find_places(root_of(document), path)], limit)


def selected(found: Found, path: JsonPath, name: str) -> Any:
    """Return the value that a path of RedisJSON 1 selects, or an array of all values. Raises
    CommandError if such a path selects none."""
    if not path.is_legacy:
        return [place.plain() for place in found]
    if not found:
        raise no_path(name)
    return found[0].plain()


def get_several(
    client: Client, document: JsonDocument, wanted: tuple[list[JsonPath], Layout]
) -> Iterator[None]:
    """Reply with an object that has the values at several paths."""
    paths, layout = wanted
    is_legacy = all(path.is_legacy for path in paths)
    shown: dict[str, Any] = {}
    for path in paths:
        found: Found = []
        yield from find(document, path, found)
        if is_legacy:
            shown[path.original] = selected(found, path, path.original)
        else:
            shown[path.original] = [place.plain() for place in found]
    reply.bulk(client.out, print_value(shown, layout))


@COMMANDS.declare(
    "json.mget",
    "key... path",
    "readonly sliced",
    summary="Returns the values at a path of JSON documents, null for those without one.",
    complexity="O(N) for N values that the path visits or selects.",
    tips="request_policy:multi_shard",
)
def json_mget(client: Client, args: list[bytes]) -> None:
    path = path_of(args[len(args) - 1])
    keys = args[1:-1]
    slots = len(keys)
    for key in keys:
        value = client.db.read(key)
        slots += visits(value, [path]) if isinstance(value, JsonDocument) else 0
    slicing.run(client, args, slots, get_from_each(client, keys, path))


def get_from_each(client: Client, keys: list[bytes], path: JsonPath) -> Iterator[None]:
    """Reply with the value at a path of each document, in slices."""
    out = client.out
    reply.array(out, len(keys))
    for key in keys:
        value = client.db.read(key)
        found: Found = []
        if isinstance(value, JsonDocument):
            yield from find(value, path, found)
        if isinstance(value, JsonDocument) and (found or not path.is_legacy):
            reply.bulk(out, print_value(selected(found, path, path.text)))
        else:
            reply.null(out, client.protocol)
        yield


@COMMANDS.declare(
    "json.type",
    "key [path]",
    "readonly sliced",
    summary="Returns the types of the values at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_type(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    document = read_document(client.db, args[1])
    if document is not None:
        run(client, args, (document, path), reply_types(client, document, path))
        return
    if client.protocol == 3:
        reply.array(client.out, 1)
    reply.null(client.out, client.protocol)


def reply_types(client: Client, document: JsonDocument, path: JsonPath) -> Iterator[None]:
    """Reply with the types of the values at a path. In RESP3 the reply is in an array."""
    found: Found = []
    yield from find(document, path, found)
    if client.protocol == 3:
        reply.array(client.out, 1)
    names = [place.kind().encode() for place in found]
    if not path.is_legacy:
        reply.bulks(client.out, names)
    else:
        reply.bulk_or_null(client.out, client.protocol, names[0] if names else None)


@COMMANDS.declare(
    "json.resp",
    "key [path]",
    "readonly sliced",
    summary="Returns the value at a path as replies of Redis.",
    complexity="O(N) for N values that the path visits or selects.",
)
def json_resp(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    document = read_document(client.db, args[1])
    if document is None:
        reply.null(client.out, client.protocol)
    else:
        steps = reply_values(client, document, path)
        slicing.run(client, args, visits(document, [path]), steps)


def reply_values(client: Client, document: JsonDocument, path: JsonPath) -> Iterator[None]:
    """Reply with the values at a path, in slices."""
    found: Found = []
    yield from find(document, path, found)
    if path.is_legacy:
        if not found:
            raise no_path(path.text)
        found = found[:1]
    else:
        reply.array(client.out, len(found))
    for place in found:
        reply_value(client, place.plain())
        yield


def reply_value(client: Client, value: Any) -> None:
    """Reply with a plain value as JSON.RESP does: a bracket stands before members and elements."""
    out = client.out
    if value is None:
        reply.null(out, client.protocol)
    elif type(value) is bool:
        reply.simple(out, b"true" if value else b"false")
    elif is_signed(value):
        reply.integer(out, value)
    elif isinstance(value, int | float):
        reply.double(out, client.protocol, float(value))
    elif isinstance(value, str):
        reply.bulk(out, value.encode())
    elif is_object(value):
        reply.array(out, 1 + 2 * len(value))
        reply.simple(out, b"{")
        for name, each in value.items():
            reply.bulk(out, name.encode())
            reply_value(client, each)
    else:
        reply.array(out, 1 + len(value))
        reply.simple(out, b"[")
        for each in value:
            reply_value(client, each)


# -- JSON.DEBUG --------------------------------------------------------------------------------

DEBUG: Final = COMMANDS.container("json.debug", summary="A container for debugging commands.")
DEBUG.declare_help()


@DEBUG.declare(
    "memory",
    "key [path]",
    "readonly sliced",
    summary="Estimates the bytes that the values at a path take.",
    complexity="O(N) for N values that the path visits.",
)
def json_debug_memory(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 3)
    document = read_document(client.db, args[2])
    if document is not None:
        run(client, args, (document, path), reply_memory(client, document, path))
    elif path.is_legacy:
        reply.integer(client.out, 0)
    else:
        reply.array(client.out, 0)


def reply_memory(client: Client, document: JsonDocument, path: JsonPath) -> Iterator[None]:
    """Reply with the bytes of the values at a path."""
    found: Found = []
    yield from find(document, path, found)
    if not path.is_legacy:
        reply_integers(client, [size_of(place.held, SAMPLES) for place in found])
    elif found:
        reply.integer(client.out, size_of(found[0].held, SAMPLES))
    else:
        raise no_path(path.text)
