"""SORT and SORT_RO: the elements of a list, set or sorted set in order.

Elements are compared as numbers or, with ALPHA, as bytes. BY replaces an element by the value of
the key that a pattern makes of it (`weight_*`, `object_*->weight`). STORE writes the result as a
new list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.writes.content import put_list

COMMANDS: Final[CommandFamily] = CommandFamily("generic")
COST: Final = "O(N + M log M) for M elements sorted and N keys looked up."
SYNTAX_OF_SORT: Final = (
    "key [BY by-pattern=pattern] [LIMIT offset count] [GET get-pattern=pattern]... "
    "[order: ASC | DESC] [ALPHA:sorting]"
)
KEYS_OF_SORT: Final = "RO access; RO access: Keys of BY and GET depend on the elements."


NOT_NUMBERS: Final = b"ERR One or more scores can't be converted into double"
SPACES: Final = b" \t\n\v\f\r"


class SortRequest:
    """The arguments of one SORT."""

    __slots__ = ("alpha", "by", "count", "descending", "gets", "is_unsorted", "start", "store")

    def __init__(self) -> None:
        self.alpha = False
        self.descending = False
        self.by: bytes | None = None
        self.is_unsorted = False
        """True if the BY pattern has no `*`: then nothing is sorted."""
        self.start = 0
        self.count = -1
        self.gets: list[bytes] = []
        self.store: bytes | None = None


def parse_request(args: list[bytes], may_store: bool) -> SortRequest:
    """Parse the options after the key. Raises CommandError."""
    request = SortRequest()
    index = 2
    while index < len(args):
        word = args[index].upper()
        left = len(args) - index - 1
        if word == b"ASC":
            request.descending = False
        elif word == b"DESC":
            request.descending = True
        elif word == b"ALPHA":
            request.alpha = True
        elif word == b"LIMIT" and left >= 2:
            request.start = arguments.integer(args[index + 1])
            request.count = arguments.integer(args[index + 2])
            index += 2
        elif word == b"STORE" and left >= 1 and may_store:
            index += 1
            request.store = args[index]
        elif word == b"BY" and left >= 1:
            index += 1
            request.by = args[index]
            request.is_unsorted |= b"*" not in request.by
        elif word == b"GET" and left >= 1:
            index += 1
            request.gets.append(args[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    return request


def elements_of(value: Value | None) -> list[bytes]:
    """Return the elements of `value` in its own order. Raises CommandError for other types."""
    elements = [] if value is None else value.sequence()
    if elements is None:
        raise CommandError(WRONG_TYPE)
    return elements


def value_by_pattern(db: Keyspace, pattern: bytes, element: bytes) -> bytes | None:
    """Return the value of the key, or the hash field, that `pattern` makes of `element`."""
    if pattern == b"#":
        return element
    head, star, tail = pattern.partition(b"*")
    if not star:
        return None
    rest, _, field = tail.partition(b"->")
    value = db.read(head + element + (rest if field else tail))
    if field:
        return None if value is None else value.field(field)
    return None if value is None else value.text()


def sort_number(text: bytes | None) -> float:
    """Return the number to sort by. A missing or empty text counts as 0."""
    text = (text or b"").lstrip(SPACES)
    number = arguments.parse_float(text) if text else 0.0
    if number is None:
        raise CommandError(NOT_NUMBERS)
    return number


def sort_key(db: Keyspace, request: SortRequest) -> Callable[[bytes], Any]:
    """Return the function that gives an element's sort key.

    Equal numbers are ordered by element.
    """
    by = request.by
    if by is None:
        if request.alpha:
            return lambda element: element
        return lambda element: (sort_number(element), element)
    pattern = by
    if request.alpha:
        return lambda element: value_by_pattern(db, pattern, element) or b""
    return lambda element: (sort_number(value_by_pattern(db, pattern, element)), element)


def sorted_elements(db: Keyspace, value: Value | None, request: SortRequest) -> list[bytes]:
    """Return the elements in the requested order and range."""
    elements = elements_of(value)
    is_ordered = value is not None and db.types.definition(value).is_ordered
    if request.is_unsorted and request.store is not None and not is_ordered:
        elements.sort(reverse=request.descending)
    elif not request.is_unsorted:
        elements.sort(key=sort_key(db, request), reverse=request.descending)
    elif request.descending and is_ordered:
        elements.reverse()
    start = max(request.start, 0)
    return elements[start:] if request.count < 0 else elements[start : start + request.count]


def keys_of_sort(args: list[bytes]) -> list[int]:
    """Return the positions of the key and of the last STORE's key."""
    positions = [1]
    index = 2
    while index < len(args):
        word = args[index].upper()
        if word == b"STORE" and index + 1 < len(args):
            positions[1:] = [index + 1]
        index += {b"LIMIT": 3, b"GET": 2, b"BY": 2, b"STORE": 2}.get(word, 1)
    return positions


@COMMANDS.declare(
    "sort",
    f"{SYNTAX_OF_SORT} [STORE destination]",
    "write denyoom",
    keys=f"{KEYS_OF_SORT}; OW update: The key of STORE may stand anywhere.",
    summary="Sorts the elements of a list, set or sorted set, and returns or stores them.",
    complexity=COST,
    categories="dangerous list set sortedset -keyspace",
    find_keys=keys_of_sort,
)
def sort(client: Client, args: list[bytes]) -> None:
    sort_and_reply(client, args[1], parse_request(args, may_store=True))


@COMMANDS.declare(
    "sort_ro",
    SYNTAX_OF_SORT,
    "readonly",
    keys=KEYS_OF_SORT,
    since="7.0.0",
    summary="Returns the sorted elements of a list, set or sorted set.",
    complexity=COST,
    categories="dangerous list set sortedset -keyspace",
)
def sort_ro(client: Client, args: list[bytes]) -> None:
    sort_and_reply(client, args[1], parse_request(args, may_store=False))


def sort_and_reply(client: Client, key: bytes, request: SortRequest) -> None:
    """Sort the value of `key`, then reply with the result or store it."""
    db = client.db
    elements = sorted_elements(db, db.read(key), request)
    result: list[bytes | None] = list(elements)
    if request.gets:
        result = [
            value_by_pattern(db, pattern, each) for each in elements for pattern in request.gets
        ]
    if request.store is None:
        reply.array(client.out, len(result))
        for text in result:
            reply.bulk_or_null(client.out, client.protocol, text)
        return
    if result:
        put_list(db, request.store, [text or b"" for text in result])
    else:
        db.delete(request.store)
    reply.integer(client.out, len(result))
