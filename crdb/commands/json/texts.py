"""Commands on strings and booleans in JSON documents: JSON.STRAPPEND, JSON.STRLEN, JSON.TOGGLE.

A change writes the whole value: of concurrent ones that of the lower region is seen (JSN-6,
JSN-13). Lengths are counted in bytes of UTF-8, as in RedisJSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    ROOT,
    Found,
    decoded,
    distinct,
    document_to_change,
    existing,
    find,
    no_path,
    path_of,
    reply_integers,
    run,
    run_at_optional_path,
    value_of,
    wrong_kind,
)
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.types.json import JsonDocument
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.texts import text_of
from crdt.writes import json as documents

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")


@COMMANDS.declare(
    "json.strappend",
    "key [path] value",
    "write denyoom sliced",
    keys="RW access update",
    summary="Appends to the strings at a path.",
    complexity="O(N) for the bytes of the strings, and N values that the path visits.",
)
def json_strappend(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2] if len(args) > 3 else ROOT)
    document = existing(document_to_change(client.db, args[1]))
    suffix = value_of(args[len(args) - 1])
    if not isinstance(suffix, str):
        raise wrong_kind("string", decoded(args[len(args) - 1]))
    steps = append_to_found(client, args[1], (document, path), suffix)
    run(client, args, (document, path), steps)


def append_to_found(
    client: Client, key: bytes, where: tuple[JsonDocument, JsonPath], suffix: str
) -> Iterator[None]:
    """Append to all strings at a path. Reply with their lengths."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    sizes: list[int | None] = []
    for place in distinct(found):
        if place.kind() == "string":
            value = place.value + suffix
            documents.assign(client.db, key, place.slot_address(), text_of(value))
            sizes.append(len(value.encode()))
        else:
            sizes.append(None)
        yield
    reply_sizes(client, path, sizes, "not a string")


def reply_sizes(client: Client, path: JsonPath, sizes: list[int | None], otherwise: str) -> None:
    """Reply with all sizes, or with the last one for a path of RedisJSON 1. Raises CommandError if
    there is none then."""
    if not path.is_legacy:
        reply_integers(client, sizes)
        return
    last = [size for size in sizes if size is not None]
    if not last:
        raise no_path(path.text, otherwise)
    reply.integer(client.out, last[-1])


@COMMANDS.declare(
    "json.strlen",
    "key [path]",
    "readonly sliced",
    summary="Returns the lengths of the strings at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_strlen(client: Client, args: list[bytes]) -> None:
    run_at_optional_path(client, args, reply_lengths)


def reply_lengths(client: Client, where: tuple[JsonDocument, JsonPath]) -> Iterator[None]:
    """Reply with the lengths of all strings at a path."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    if path.is_legacy:
        if not found:
            raise no_path(path.text)
        if found[0].kind() != "string":
            raise wrong_kind("string", found[0].kind())
        reply.integer(client.out, len(found[0].value.encode()))
        return
    reply_integers(
        client,
        [len(each.value.encode()) if each.kind() == "string" else None for each in found],
    )


@COMMANDS.declare(
    "json.toggle",
    "key path",
    "write denyoom sliced",
    since="2.0.0",
    keys="RW access update",
    summary="Turns true into false, and false into true, at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_toggle(client: Client, args: list[bytes]) -> None:
    path = path_of(args[2])
    document = existing(document_to_change(client.db, args[1]))
    run(client, args, (document, path), toggle_found(client, args[1], (document, path)))


def toggle_found(
    client: Client, key: bytes, where: tuple[JsonDocument, JsonPath]
) -> Iterator[None]:
    """Toggle all booleans at a path. Reply with their new values."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    results: list[int | None] = []
    for place in distinct(found):
        if place.kind() == "boolean":
            is_true = not place.value
            text = b"true" if is_true else b"false"
            documents.assign(client.db, key, place.slot_address(), text)
            results.append(int(is_true))
        else:
            results.append(None)
        yield
    if not path.is_legacy:
        reply_integers(client, results)
        return
    last = [each for each in results if each is not None]
    if not last:
        raise no_path(path.text, "not a bool")
    reply.bulk(client.out, b"true" if last[-1] else b"false")
