"""Commands that remove values from JSON documents: JSON.DEL, JSON.FORGET and JSON.CLEAR.

A removal removes what this region has seen. A member that another region writes concurrently stays
(rule KEY-1), and so does what is added to a container that is cleared (JSN-8). The removal of a
document or of an element wins over changes inside it (JSN-5, JSN-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    Found,
    deepest_first,
    document_to_change,
    existing,
    find,
    optional_path,
    run,
    still_there,
)
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.types.json import JsonDocument
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.places import JsonPlace, root_of
from crdt.writes import json as documents

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")

ZERO: Final = b"0"


@COMMANDS.declare(
    "json.del",
    "key [path]",
    "write sliced",
    keys="RW delete",
    summary="Removes the values at a path, or the whole document.",
    complexity="O(N) for N values that the path visits.",
)
@COMMANDS.declare(
    "json.forget",
    "key [path]",
    "write sliced",
    keys="RW delete",
    summary="Removes the values at a path, or the whole document.",
    complexity="O(N) for N values that the path visits.",
)
def json_del(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    document = document_to_change(client.db, args[1])
    if document is None:
        reply.integer(client.out, 0)
    elif path.is_root():
        client.db.delete(args[1])
        reply.integer(client.out, 1)
    else:
        run(client, args, (document, path), remove_places(client, args[1], document, path))


def remove_places(
    client: Client, key: bytes, document: JsonDocument, path: JsonPath
) -> Iterator[None]:
    """Remove the values at a path, in slices. A document that is empty then is removed, too."""
    found: Found = []
    yield from find(document, path, found)
    chosen = outermost(found)
    for index, place in enumerate(chosen):
        if index and index % client.slice_items == 0:
            yield
        remove_place(client, key, place)
    if chosen and (chosen[0].parent is None or root_of(document).size() == 0):
        client.db.delete(key)
    reply.integer(client.out, len(chosen))


def remove_place(client: Client, key: bytes, place: JsonPlace) -> None:
    """Remove a value. The root is removed with the document."""
    parent = place.parent
    if parent is None:
        return
    if place.index < 0:
        documents.remove_members(client.db, key, [place.slot_address()])
    else:
        documents.remove_slot(client.db, key, parent.node_address(), place.step())


def outermost(places: Found) -> Found:
    """Return the places that are not inside of others, each once."""
    chosen = {tuple(place.steps()): place for place in places}
    return [
        place
        for steps, place in chosen.items()
        if not any(steps[:length] in chosen for length in range(len(steps)))
    ]


@COMMANDS.declare(
    "json.clear",
    "key [path]",
    "write sliced",
    since="2.0.0",
    summary="Empties the containers at a path, and sets the numbers there to 0.",
    complexity="O(N) for N values that the path visits.",
)
def json_clear(client: Client, args: list[bytes]) -> None:
    path = optional_path(args, 2)
    document = existing(document_to_change(client.db, args[1]))
    run(client, args, (document, path), clear_places(client, args[1], document, path))


def clear_places(
    client: Client, key: bytes, document: JsonDocument, path: JsonPath
) -> Iterator[None]:
    """Clear the values at a path, in slices. Reply with the number of those that were not empty."""
    found: Found = []
    yield from find(document, path, found)
    chosen = [place for place in found if is_filled(place)]
    for index, place in enumerate(deepest_first(chosen)):
        if index and index % client.slice_items == 0:
            yield
        if not still_there(client.db, key, place):
            continue
        if place.kind() in ("object", "array"):
            documents.clear(client.db, key, place.node_address())
        else:
            documents.assign(client.db, key, place.slot_address(), ZERO)
    reply.integer(client.out, len(chosen))


def is_filled(place: JsonPlace) -> bool:
    """Return whether JSON.CLEAR changes a value."""
    kind = place.kind()
    if kind in ("object", "array"):
        return place.size() > 0
    return kind in ("integer", "number") and place.value != 0
