"""Paths, values, errors and replies that the commands on JSON documents share.

Texts of errors are those of RedisJSON, some of which have no code in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.json import JsonDocument
from crdt.types.json_path.evaluator import PathSearch, TooManyVisits
from crdt.types.json_path.parser import PathError, parse_path
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.addresses import Address
from crdt.types.json_tree.places import JsonPlace, root_of
from crdt.types.json_tree.texts import NOT_UTF_8, InvalidJson
from crdt.writes import json as documents

WRONG_KEY_TYPE: Final = b"Existing key has wrong Redis type"
NO_KEY: Final = b"ERR could not perform this operation on a key that doesn't exist"
NEW_AT_ROOT: Final = b"ERR new objects must be created at the root"
NOT_AN_INTEGER: Final = b"Couldn't parse as integer"
ROOT: Final = b"."

Found: TypeAlias = list[JsonPlace]
"""The places that a path selects."""


# -- arguments ---------------------------------------------------------------------------------


def as_document(value: Value | None) -> JsonDocument | None:
    """Return a value as a document, None for a missing key. Raises CommandError for another
    type."""
    if value is None or isinstance(value, JsonDocument):
        return value
    raise CommandError(WRONG_KEY_TYPE)


def read_document(db: Keyspace, key: bytes) -> JsonDocument | None:
    """Return the document under `key`, or None. Raises CommandError for another type."""
    return as_document(db.read(key))


def document_to_change(db: Keyspace, key: bytes) -> JsonDocument | None:
    """Return the same after removing an expired value."""
    return as_document(db.lookup_for_write(key))


def existing(document: JsonDocument | None) -> JsonDocument:
    """Return a document. Raises CommandError if there is none."""
    if document is None:
        raise CommandError(NO_KEY)
    return document


def decoded(argument: bytes) -> str:
    """Return an argument as text. Raises CommandError."""
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise CommandError(NOT_UTF_8.encode()) from None


def path_of(argument: bytes) -> JsonPath:
    """Return the path of an argument. Raises CommandError."""
    try:
        return parse_path(decoded(argument))
    except PathError as error:
        raise CommandError(str(error).encode()) from None


def optional_path(args: list[bytes], index: int) -> JsonPath:
    """Return the path at an index, or that of the root."""
    return path_of(args[index] if len(args) > index else ROOT)


def value_of(argument: bytes, address: Address = ()) -> Any:
    """Return the plain value of an argument that is to be written at an address. Raises
    CommandError."""
    try:
        return documents.parsed(argument, address)
    except InvalidJson as error:
        raise CommandError(str(error).encode()) from None


def check_depth(places: Sequence[JsonPlace], value: Any) -> None:
    """Raise CommandError if a value is too deep to be written at some places."""
    for place in places:
        try:
            documents.check_depth(place.slot_address(), value)
        except InvalidJson as error:
            raise CommandError(b"ERR " + str(error).encode()) from None


# -- errors ------------------------------------------------------------------------------------


def no_path(path: str, otherwise: str = "") -> CommandError:
    """Return the error for a path that selects nothing, or nothing of the right type."""
    text = f"ERR Path '{path}' does not exist"
    return CommandError((f"{text} or {otherwise}" if otherwise else text).encode())


def wrong_kind(expected: str, found: str) -> CommandError:
    """Return the error for a value of another type."""
    text = f"WRONGTYPE wrong type of path value - expected {expected} but found {found}"
    return CommandError(text.encode())


# -- walks -------------------------------------------------------------------------------------


def find(document: JsonDocument, path: JsonPath, found: Found) -> Iterator[None]:
    """Append the places that a path selects to `found`. Yield after each slice. Raises
    CommandError."""
    search = PathSearch(root_of(document))
    try:
        yield from search.run(path.selectors)
    except TooManyVisits as error:
        raise CommandError(b"ERR " + str(error).encode()) from None
    found += search.found


def run(
    client: Client,
    args: list[bytes],
    where: tuple[JsonDocument, JsonPath],
    steps: Iterator[None],
) -> None:
    """Carry out a command on the places that a path selects, in slices if that may take long."""
    document, path = where
    slicing.run(client, args, path.visits_max(document.count_items()), steps)


def run_at_optional_path(
    client: Client,
    args: list[bytes],
    answer: Callable[[Client, tuple[JsonDocument, JsonPath]], Iterator[None]],
) -> None:
    """Let `answer` reply to a command that reads a key at an optional path. The reply for a missing
    key is null for a path of RedisJSON 1. Raises CommandError for any other path."""
    path = optional_path(args, 2)
    document = read_document(client.db, args[1])
    if document is None and path.is_legacy:
        reply.null(client.out, client.protocol)
        return
    where = existing(document), path
    run(client, args, where, answer(client, where))


def distinct(places: Found) -> Found:
    """Return places, each once: a path such as `$[0,0]` selects one twice."""
    return list({tuple(place.steps()): place for place in places}.values())


def deepest_first(places: Found) -> Found:
    """Return places in an order in which a change of one leaves the others where they are."""
    return sorted(places, key=depth_of_place, reverse=True)


def depth_of_place(place: JsonPlace) -> int:
    """Sorts places."""
    return len(place.steps())


def still_there(db: Keyspace, key: bytes, place: JsonPlace) -> bool:
    """Return whether the container of a place exists, after other places were written."""
    if place.parent is None:
        return True
    return documents.document(db, key).node_at(place.parent.node_address()) is not None


# -- replies -----------------------------------------------------------------------------------


def reply_integers(client: Client, values: Sequence[int | None]) -> None:
    """Reply with an array of integers, and nulls for None."""
    reply.array(client.out, len(values))
    for value in values:
        reply_integer(client, value)


def reply_integer(client: Client, value: int | None) -> None:
    """Reply with an integer, or null for None."""
    if value is None:
        reply.null(client.out, client.protocol)
    else:
        reply.integer(client.out, value)


def reply_texts(client: Client, values: Sequence[bytes | None]) -> None:
    """Reply with an array of strings, and nulls for None."""
    reply.array(client.out, len(values))
    for value in values:
        reply.bulk_or_null(client.out, client.protocol, value)
