"""Commands on numbers, booleans and strings in JSON documents.

Increments of one number by several regions add up (JSN-12, D-14). Every other change of a scalar
writes it: of concurrent ones that of the lower region is seen (JSN-6, JSN-13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    Found,
    distinct,
    document_to_change,
    existing,
    find,
    no_path,
    path_of,
    run,
    value_of,
)
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply
from crdt.errors import CounterOverflow, NotANumber
from crdt.types.json import JsonDocument
from crdt.types.json_path.selectors import JsonPath
from crdt.types.json_tree.places import JsonPlace
from crdt.types.json_tree.sums import increased, is_signed, multiplied
from crdt.types.json_tree.texts import print_value, text_of
from crdt.writes import json as documents

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")

BAD_NUMBER: Final = b"bad input number"
NUMBERS: Final = ("integer", "number")
NO_NUMBER: Final = "does not contains a number"

Compute = Callable[[Any, Any], Any]
"""Returns the result of an operation on two numbers."""


@COMMANDS.declare(
    "json.numincrby",
    "key path number:double",
    "write denyoom sliced",
    keys="RW access update",
    summary="Adds to the numbers at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_numincrby(client: Client, args: list[bytes]) -> None:
    change_numbers(client, args, increased)


@COMMANDS.declare(
    "json.nummultby",
    "key path number:double",
    "write denyoom sliced",
    keys="RW access update",
    summary="Multiplies the numbers at a path.",
    complexity="O(N) for N values that the path visits.",
)
def json_nummultby(client: Client, args: list[bytes]) -> None:
    change_numbers(client, args, multiplied)


def change_numbers(client: Client, args: list[bytes], compute: Compute) -> None:
    """Change all numbers at a path, in slices if that may take long."""
    path = path_of(args[2])
    document = existing(document_to_change(client.db, args[1]))
    operand = value_of(args[3])
    if type(operand) is not int and type(operand) is not float:
        raise CommandError(BAD_NUMBER)
    steps = change_found(client, args[1], (document, path), (operand, compute))
    run(client, args, (document, path), steps)


def change_found(
    client: Client,
    key: bytes,
    where: tuple[JsonDocument, JsonPath],
    operation: tuple[Any, Compute],
) -> Iterator[None]:
    """Find all numbers at a path, check all results, and write them. Reply with them."""
    document, path = where
    operand, compute = operation
    found: Found = []
    yield from find(document, path, found)
    found = distinct(found)
    results = [result_of(place, compute, operand) for place in found]
    if path.is_legacy and client.protocol == 2 and all(each is None for each in results):
        raise no_path(path.text, NO_NUMBER)
    for index, place in enumerate(found):
        if index and index % client.slice_items == 0:
            yield
        if results[index] is None:
            continue
        if compute is increased:
            documents.increment(client.db, key, place.node_address(), operand)
        else:
            address = place.slot_address()
            documents.assign(client.db, key, address, text_of(results[index]))
    reply_numbers(client, path, results)


def result_of(place: JsonPlace, compute: Compute, operand: Any) -> Any:
    """Return the result of an operation on a number, None for another value. Raises
    CommandError."""
    if place.kind() not in NUMBERS:
        return None
    try:
        return compute(place.value, operand)
    except (CounterOverflow, NotANumber) as error:
        raise CommandError(b"ERR " + str(error).encode()) from None


def reply_numbers(client: Client, path: JsonPath, results: list[Any]) -> None:
    """Reply with numbers: an array in RESP3, and else JSON."""
    if client.protocol == 2:
        numbers = [each for each in results if each is not None]
        reply.bulk(client.out, print_value(numbers[-1] if path.is_legacy else results))
        return
    reply.array(client.out, len(results))
    for each in results:
        if each is None:
            reply.null(client.out, client.protocol)
        elif is_signed(each):
            reply.integer(client.out, each)
        else:
            reply.double(client.out, client.protocol, each)
