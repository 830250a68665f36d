"""SORT and SORT_RO: the elements of a list, set or sorted set in order.

Elements are compared as numbers or, with ALPHA, as bytes. BY replaces an element by the value of
the key that a pattern makes of it (`weight_*`, `object_*->weight`). STORE writes the result as a
new list.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.generic import copying
from crdb.commands.shared import slicing
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError
from crdb.engine.session import RESTRICTED
from crdb.resp import reply
from crdb.security.verdict import READ
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.writes import list as lists
from crdt.writes.content import put_list

COMMANDS: Final[CommandFamily] = CommandFamily("generic")
COST: Final = "O(N + M log M) for M elements sorted and N keys looked up."
SYNTAX_OF_SORT: Final = (
    "key [BY by-pattern=pattern] [LIMIT offset count] [GET get-pattern=pattern]... "
    "[order: ASC | DESC] [ALPHA:sorting]"
)
KEYS_OF_SORT: Final = "RO access; RO access: Keys of BY and GET depend on the elements."


NOT_NUMBERS: Final = b"ERR One or more scores can't be converted into double"
PATTERN_DENIED: Final = b"ERR %b option of SORT denied due to insufficient ACL permissions."
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


def parse_request(client: Client, args: list[bytes], may_store: bool) -> SortRequest:
    """Parse the options after the key. Raises CommandError, also for patterns of a client that may
    not read every key (ACL-16)."""
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
            if b"*" in request.by and not may_read_every_key(client, args):
                raise CommandError(PATTERN_DENIED % b"BY")
        elif word == b"GET" and left >= 1:
            index += 1
            request.gets.append(args[index])
            if not may_read_every_key(client, args):
                raise CommandError(PATTERN_DENIED % b"GET")
        else:
            raise CommandError(SYNTAX)
        index += 1
    return request


def may_read_every_key(client: Client, args: list[bytes]) -> bool:
    """Return whether the user of a client may read the keys that patterns make of elements."""
    if not client.flags & RESTRICTED:
        return True
    instance = client.instance
    return instance.access.permits_every_key(client, instance.commands.require(args), args, READ)


def elements_of(client: Client, value: Value | None) -> Generator[None, None, list[bytes]]:
    """Return the elements of `value` in its own order. Raises CommandError for other types."""
    if value is None:
        return []
    size = copying.size_of(client.db, value)
    if size <= client.slice_items:
        elements = value.sequence()
        if elements is None:
            raise CommandError(WRONG_TYPE)
        return elements
    slices = value.sequence_slices(client.slice_items)
    if slices is None:
        raise CommandError(WRONG_TYPE)
    gathered: list[bytes] = []
    for elements in slices:
        gathered += elements
        yield
    return gathered


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
        return lambda element: text_key(value_by_pattern(db, pattern, element))
    return lambda element: (sort_number(value_by_pattern(db, pattern, element)), element)


def text_key(weight: bytes | None) -> tuple[bool, bytes]:
    """Return the sort key of a weight that is text. A missing one is before all others."""
    return weight is not None, weight or b""


def sort_elements(
    client: Client, value: Value | None, request: SortRequest
) -> Generator[None, None, list[bytes]]:
    """Return the elements in the requested order and range."""
    db = client.db
    elements = yield from elements_of(client, value)
    is_ordered = value is not None and db.types.definition(value).is_ordered
    if request.is_unsorted and request.store is not None and not is_ordered:
        yield from slicing.sort_in_runs(client, elements, None, descending=request.descending)
    elif not request.is_unsorted:
        key = sort_key(db, request)
        yield from slicing.sort_in_runs(client, elements, key, descending=request.descending)
    elif request.descending and is_ordered:
        elements.reverse()
    start = max(request.start, 0)
    if start == 0 and request.count < 0:
        return elements
    stop = len(elements) if request.count < 0 else start + request.count
    found: list[bytes] = []
    for first in range(start, min(stop, len(elements)), client.slice_items):
        found += elements[first : min(first + client.slice_items, stop)]
        yield
    yield from slicing.empty_list(client, elements)
    return found


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


def reads_patterns(args: list[bytes]) -> bool:
    """Return whether a SORT reads keys that BY or GET makes of the elements."""
    return any(arguments.is_word(word, b"BY") or arguments.is_word(word, b"GET") for word in args)


@COMMANDS.declare(
    "sort",
    f"{SYNTAX_OF_SORT} [STORE destination]",
    "write denyoom sliced",
    keys=f"{KEYS_OF_SORT}; OW update: The key of STORE may stand anywhere.",
    summary="Sorts the elements of a list, set or sorted set, and returns or stores them.",
    complexity=COST,
    categories="dangerous list set sortedset -keyspace",
    find_keys=keys_of_sort,
    reaches_all=reads_patterns,
)
def sort(client: Client, args: list[bytes]) -> None:
    sort_and_reply(client, args, parse_request(client, args, may_store=True))


@COMMANDS.declare(
    "sort_ro",
    SYNTAX_OF_SORT,
    "readonly sliced",
    keys=KEYS_OF_SORT,
    reaches_all=reads_patterns,
    since="7.0.0",
    summary="Returns the sorted elements of a list, set or sorted set.",
    complexity=COST,
    categories="dangerous list set sortedset -keyspace",
)
def sort_ro(client: Client, args: list[bytes]) -> None:
    sort_and_reply(client, args, parse_request(client, args, may_store=False))


def sort_and_reply(client: Client, args: list[bytes], request: SortRequest) -> None:
    """Sort the value of the first key, then reply with the result or store it."""
    value = client.db.read(args[1])
    size = 0 if value is None else copying.size_of(client.db, value)
    if value is not None and slicing.must_order(client, args, args[1], value):
        return
    slicing.run(client, args, size, sort_steps(client, value, request))


def sort_steps(client: Client, value: Value | None, request: SortRequest) -> Iterator[None]:
    """Sort a value, then reply with the result or store it."""
    db, items = client.db, client.slice_items
    elements = yield from sort_elements(client, value, request)
    result: list[Any] = elements
    if request.gets:
        result = []
        for element in elements:
            for pattern in request.gets:
                result.append(value_by_pattern(db, pattern, element))
            if len(result) % items < len(request.gets):
                yield
    if request.store is None:
        reply.array(client.out, len(result))
        for start in range(0, len(result), items):
            for text in result[start : start + items]:
                reply.bulk_or_null(client.out, client.protocol, text)
            yield
        yield from slicing.empty_list(client, elements)
        yield from slicing.empty_list(client, result)
        return
    if result and len(result) <= items:
        put_list(db, request.store, [text or b"" for text in result])
        reply.integer(client.out, len(result))
        return
    db.delete(request.store)
    for start in range(0, len(result), items):
        lists.push_tail(db, request.store, [text or b"" for text in result[start : start + items]])
        yield
    if result:
        db.expire(request.store, None)
    reply.integer(client.out, len(result))
    yield from slicing.empty_list(client, elements)
    yield from slicing.empty_list(client, result)
