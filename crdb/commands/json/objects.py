"""Commands on objects in JSON documents: JSON.OBJKEYS, JSON.OBJLEN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    Found,
    find,
    no_path,
    optional_path,
    read_document,
    reply_integer,
    reply_integers,
    run,
    run_at_optional_path,
    wrong_kind,
)
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.types.json import JsonDocument
from crdt.types.json_path.selectors import JsonPath

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")


@COMMANDS.declare(
    "json.objkeys",
    "key [path]",
    "readonly sliced",
    summary="Returns the names of the members of the objects at a path.",
    complexity="O(N) for N values that the path visits, and N members.",
)
def json_objkeys(client: Client, args: list[bytes]) -> None:
    run_at_optional_path(client, args, reply_names)


def reply_names(client: Client, where: tuple[JsonDocument, JsonPath]) -> Iterator[None]:
    """Reply with the names of members, in slices."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    if path.is_legacy:
        if not found:
            reply.null(client.out, client.protocol)
            return
        if found[0].kind() != "object":
            raise no_path(path.text, "not an object")
        found = found[:1]
    else:
        reply.array(client.out, len(found))
    for place in found:
        if place.kind() == "object":
            reply.bulks(client.out, [name.encode() for name in place.members()])
        else:
            reply.null(client.out, client.protocol)
        yield


@COMMANDS.declare(
    "json.objlen",
    "key [path]",
    "readonly sliced",
    summary="Counts the members of the objects at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_objlen(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    document = read_document(client.db, args[1])
    if document is None:
        if not path.is_legacy:
            raise no_path(path.text, "not an object")
        reply.null(client.out, client.protocol)
        return
    run(client, args, (document, path), reply_counts(client, (document, path)))


def reply_counts(client: Client, where: tuple[JsonDocument, JsonPath]) -> Iterator[None]:
    """Reply with the numbers of members."""
    document, path = where
    found: Found = []
    yield from find(document, path, found)
    if not path.is_legacy:
        sizes = [each.size() if each.kind() == "object" else None for each in found]
        reply_integers(client, sizes)
    elif not found:
        reply.null(client.out, client.protocol)
    elif found[0].kind() != "object":
        raise wrong_kind("object", found[0].kind())
    else:
        reply_integer(client, found[0].size())
