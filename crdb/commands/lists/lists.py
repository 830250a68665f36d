"""Commands on lists.

Elements are removed by position. A removal takes away the elements that this region saw and leaves
those that another region pushed concurrently (rules LST-3 to LST-6). Tests for existence are local
(rule LST-9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.lists.list_removal import pop_steps, remove_slice
from crdb.commands.lists.list_search import ListSearch
from crdb.commands.shared import slicing
from crdb.commands.shared.index_ranges import clamp
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import (
    INDEX_OUT_OF_RANGE,
    NO_SUCH_KEY,
    NOT_POSITIVE,
    SYNTAX,
    WRONG_TYPE,
    CommandError,
    wrong_arity,
)
from crdb.resp import reply
from crdb.resp.numbers import INT64_MAX
from crdt.store.keyspace import Keyspace
from crdt.types.list import List
from crdt.writes import list as lists

COMMANDS: Final[CommandFamily] = CommandFamily("list")


RANK_IS_ZERO: Final = (
    b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
    b"or use negative to start from the end of the list"
)
OUTSIDE_INT64: Final = (
    b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)
COUNT_NEGATIVE: Final = b"ERR COUNT can't be negative"
MAXLEN_NEGATIVE: Final = b"ERR MAXLEN can't be negative"


# -- pushes ----------------------------------------------------------------------------------


Push = Callable[[Keyspace, bytes, list[bytes]], None]
"""Inserts elements at one end of a list."""


def push_many(client: Client, args: list[bytes], push: Push) -> None:
    """Carry out a push of many elements."""
    read_typed_for_write(client.db, args[1], List)
    client.hand_over(args, push_steps(client, args, push))


def push_steps(client: Client, args: list[bytes], push: Push) -> Iterator[None]:
    """Push elements in slices."""
    db, key = client.db, args[1]
    for start in range(2, len(args), client.slice_items):
        push(db, key, args[start : start + client.slice_items])
        yield
    value = read_typed(db, key, List)
    reply.integer(client.out, 0 if value is None else value.length())


@COMMANDS.declare(
    "lpush",
    "key element...",
    "write denyoom fast",
    keys="RW insert",
    summary="Prepends elements to a list, one after another.",
    complexity="O(1) for each element.",
    history=("2.4.0 several elements",),
)
def lpush(client: Client, args: list[bytes]) -> None:
    if len(args) > client.slice_items:
        push_many(client, args, lists.push_head)
        return
    db, key = client.db, args[1]
    value = db.lookup_for_write(key)
    if value is None:
        lists.push_head(db, key, args[2:])
        reply.integer(client.out, len(args) - 2)
    elif isinstance(value, List):
        lists.push_head(db, key, args[2:])
        reply.integer(client.out, value.length())
    else:
        raise CommandError(WRONG_TYPE)


@COMMANDS.declare(
    "rpush",
    "key element...",
    "write denyoom fast",
    keys="RW insert",
    summary="Appends elements to a list, one after another.",
    complexity="O(1) for each element.",
    history=("2.4.0 several elements",),
)
def rpush(client: Client, args: list[bytes]) -> None:
    if len(args) > client.slice_items:
        push_many(client, args, lists.push_tail)
        return
    db, key = client.db, args[1]
    value = db.lookup_for_write(key)
    if value is None:
        lists.push_tail(db, key, args[2:])
        reply.integer(client.out, len(args) - 2)
    elif isinstance(value, List):
        lists.push_tail(db, key, args[2:])
        reply.integer(client.out, value.length())
    else:
        raise CommandError(WRONG_TYPE)


@COMMANDS.declare(
    "lpushx",
    "key element...",
    "write denyoom fast",
    keys="RW insert",
    since="2.2.0",
    summary="Prepends elements to a list that exists.",
    complexity="O(1) for each element.",
    history=("4.0.0 several elements",),
)
def lpushx(client: Client, args: list[bytes]) -> None:
    if read_typed_for_write(client.db, args[1], List) is None:
        client.out.append(reply.ZERO)
    else:
        lpush(client, args)


@COMMANDS.declare(
    "rpushx",
    "key element...",
    "write denyoom fast",
    keys="RW insert",
    since="2.2.0",
    summary="Appends elements to a list that exists.",
    complexity="O(1) for each element.",
    history=("4.0.0 several elements",),
)
def rpushx(client: Client, args: list[bytes]) -> None:
    if read_typed_for_write(client.db, args[1], List) is None:
        client.out.append(reply.ZERO)
    else:
        rpush(client, args)


@COMMANDS.declare(
    "linsert",
    "key <where: BEFORE | AFTER> pivot element",
    "write denyoom sliced",
    keys="RW insert",
    since="2.2.0",
    summary="Inserts an element before or after another.",
    complexity="O(N) where N is the length of the list.",
)
def linsert(client: Client, args: list[bytes]) -> None:
    """Insert an element. It stays in place even if its pivot is removed concurrently (LST-6)."""
    where = args[2].upper()
    if where not in (b"BEFORE", b"AFTER"):
        raise CommandError(SYNTAX)
    value = read_typed_for_write(client.db, args[1], List)
    if value is None:
        client.out.append(reply.ZERO)
        return
    search = ListSearch(value, args[3], 1)

    search.run(client, args, lambda: insert_found(client, args, search, where))


def insert_found(
    client: Client, args: list[bytes], search: ListSearch, where: bytes
) -> Iterator[None]:
    """Insert an element beside the one that was found, and reply with the length."""
    if search.found:
        lists.insert(client.db, args[1], search.found[0] + (where == b"AFTER"), args[4])
        reply.integer(client.out, search.value.length())
    else:
        reply.integer(client.out, -1)
    yield


# -- pops ------------------------------------------------------------------------------------


@COMMANDS.declare(
    "lpop",
    "key [count]",
    "write fast sliced",
    keys="RW access delete",
    summary="Removes and returns the first elements of a list.",
    complexity="O(1) for each element.",
    history=("6.2.0 argument `count`",),
)
def lpop(client: Client, args: list[bytes]) -> None:
    pop_from_end(client, args, 0)


@COMMANDS.declare(
    "rpop",
    "key [count]",
    "write fast sliced",
    keys="RW access delete",
    summary="Removes and returns the last elements of a list.",
    complexity="O(1) for each element.",
    history=("6.2.0 argument `count`",),
)
def rpop(client: Client, args: list[bytes]) -> None:
    pop_from_end(client, args, -1)


def pop_from_end(client: Client, args: list[bytes], end: int) -> None:
    """Pop from the head (`end` is 0) or the tail (-1), in all regions (LST-4)."""
    db, key = client.db, args[1]
    if len(args) > 2:
        pop_with_count(client, args, end)
        return
    value = db.lookup_for_write(key)
    if value is None:
        reply.null(client.out, client.protocol)
    elif isinstance(value, List):
        reply.bulk(client.out, lists.pop(db, key, end))
    else:
        raise CommandError(WRONG_TYPE)


def pop_with_count(client: Client, args: list[bytes], end: int) -> None:
    """Carry out LPOP or RPOP with a count."""
    if len(args) > 3:
        raise CommandError(wrong_arity(args[0].lower()))
    count = arguments.positive(args[2], NOT_POSITIVE)
    value = read_typed_for_write(client.db, args[1], List)
    if value is None:
        reply.null_array(client.out, client.protocol)
    else:
        count = min(count, value.length())
        slicing.run(client, args, count, pop_steps(client, args[1], count, end))


# -- reads -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "llen", "key", "readonly fast", keys="RO", summary="Counts the elements of a list."
)
def llen(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], List)
    reply.integer(client.out, 0 if value is None else value.length())


@COMMANDS.declare(
    "lindex",
    "key index",
    "readonly",
    summary="Returns the element at an index.",
    complexity="O(N/16384) where N is the distance from the nearer end.",
)
def lindex(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], List)
    if value is None:
        reply.null(client.out, client.protocol)
        return
    index = arguments.integer(args[2])
    if -value.length() <= index < value.length():
        reply.bulk(client.out, value.at(index))
    else:
        reply.null(client.out, client.protocol)


@COMMANDS.declare(
    "lrange",
    "key start stop",
    "readonly sliced",
    summary="Returns the elements between two indexes.",
    complexity="O(N/16384 + M) where N is the distance from the nearer end, M what is given.",
)
def lrange(client: Client, args: list[bytes]) -> None:
    first, last = arguments.integer(args[2]), arguments.integer(args[3])
    value = client.db.read(args[1])
    if value is None:
        client.out.append(reply.EMPTY_ARRAY)
    elif isinstance(value, List):
        start, stop = clamp(first, last, value.length())
        if stop - start > client.slice_items:
            client.hand_over(args, send_elements(client, value, start, stop))
        else:
            reply.bulks(client.out, value.values(start, stop))
    else:
        raise CommandError(WRONG_TYPE)


def send_elements(client: Client, value: List, start: int, stop: int) -> Iterator[None]:
    """Reply with the elements with `start` <= index < `stop`, in slices."""
    reply.array(client.out, stop - start)
    for first in range(start, stop, client.slice_items):
        last = min(first + client.slice_items, stop)
        for element in value.values(first, last):
            reply.bulk(client.out, element)
        yield


class Search:
    """The options of LPOS: the rank of the first match, and limits on matches and elements."""

    __slots__ = ("count", "length_max", "rank")

    def __init__(self, args: list[bytes]) -> None:
        self.rank = 1
        self.count = -1
        self.length_max = 0
        for index in range(3, len(args), 2):
            word = args[index].upper()
            if index + 1 == len(args):
                raise CommandError(SYNTAX)
            text = args[index + 1]
            if word == b"RANK":
                self.rank = arguments.integer_between(text, -INT64_MAX, INT64_MAX, OUTSIDE_INT64)
                if self.rank == 0:
                    raise CommandError(RANK_IS_ZERO)
            elif word == b"COUNT":
                self.count = arguments.positive(text, COUNT_NEGATIVE)
            elif word == b"MAXLEN":
                self.length_max = arguments.positive(text, MAXLEN_NEGATIVE)
            else:
                raise CommandError(SYNTAX)

    def begin(self, value: List, element: bytes) -> ListSearch:
        """Return the search for all matches that are needed, from the side that the rank names."""
        wanted = 1 if self.count < 0 else self.count or value.length()
        search = ListSearch(value, element, abs(self.rank) - 1 + wanted, self.rank < 0)
        if self.length_max:
            search.limit(self.length_max)
        return search

    def reply(self, client: Client, found: list[int]) -> Iterator[None]:
        """Reply with the matches, of which the rank skips some."""
        found, out = found[abs(self.rank) - 1 :], client.out
        if self.count >= 0:
            reply.array(out, len(found))
            for start in range(0, len(found), client.slice_items):
                for index in found[start : start + client.slice_items]:
                    reply.integer(out, index)
                yield
        elif found:
            reply.integer(out, found[0])
        else:
            reply.null(out, client.protocol)


@COMMANDS.declare(
    "lpos",
    "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    "readonly sliced",
    since="6.0.6",
    summary="Returns the indexes of the elements that are equal to the given one.",
    complexity="O(N) where N is the length of the list.",
)
def lpos(client: Client, args: list[bytes]) -> None:
    """Reply with one index or null, or with COUNT with an array of indexes."""
    options = Search(args)
    value = read_typed(client.db, args[1], List)
    if value is None:
        slicing.run(client, args, 0, options.reply(client, []))
    else:
        search = options.begin(value, args[2])
        search.run(client, args, lambda: options.reply(client, search.found))


# -- changes ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "lset",
    "key index element",
    "write denyoom",
    keys="RW update",
    summary="Replaces the element at an index.",
    complexity="O(N/16384) where N is the distance from the nearer end.",
)
def lset(client: Client, args: list[bytes]) -> None:
    """Replace an element. The later of two concurrent calls wins (LST-7, D-08)."""
    value = read_typed_for_write(client.db, args[1], List)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    index = arguments.integer(args[2])
    if not -value.length() <= index < value.length():
        raise CommandError(INDEX_OUT_OF_RANGE)
    lists.assign(client.db, args[1], index, args[3])
    reply.ok(client.out)


@COMMANDS.declare(
    "ltrim",
    "key start stop",
    "write sliced",
    keys="RW delete",
    summary="Removes the elements outside of a range of indexes.",
    complexity="O(1) for each element removed.",
)
def ltrim(client: Client, args: list[bytes]) -> None:
    """Trim a list. Concurrent pushes of other regions survive, wherever they are (LST-5)."""
    first, last = arguments.integer(args[2]), arguments.integer(args[3])
    db, key = client.db, args[1]
    value = read_typed_for_write(db, key, List)
    if value is not None:
        size = value.length()
        start, stop = clamp(first, last, size)
        removed = size if start >= stop else size - (stop - start)
        slicing.run(client, args, removed, trim_steps(client, args[1], value, start, stop))
    else:
        reply.ok(client.out)


def trim_steps(client: Client, key: bytes, value: List, start: int, stop: int) -> Iterator[None]:
    """Keep the elements with `start` <= index < `stop` only."""
    size = value.length()
    if start >= stop:
        yield from remove_slice(client, key, value, 0, size)
    elif size - (stop - start) <= client.slice_items:
        lists.remove(client.db, key, value.spans(0, start) + value.spans(stop, size))
    else:
        yield from remove_slice(client, key, value, stop, size)
        yield
        yield from remove_slice(client, key, value, 0, start)
    client.db.note_change(key)  # as in Redis, also if nothing was removed
    reply.ok(client.out)


@COMMANDS.declare(
    "lrem",
    "key count element",
    "write sliced",
    keys="RW delete",
    summary="Removes elements that are equal to the given one, from either end.",
    complexity="O(N) where N is the length of the list.",
)
def lrem(client: Client, args: list[bytes]) -> None:
    """Remove elements. Equal elements that another region pushes concurrently survive (LST-5)."""
    count = arguments.integer(args[2])
    db, key = client.db, args[1]
    value = read_typed_for_write(db, key, List)
    if value is None:
        client.out.append(reply.ZERO)
        return
    size = value.length()
    search = ListSearch(value, args[3], abs(count) or size, count < 0)

    search.run(client, args, lambda: remove_found(client, key, search, size))


def remove_found(client: Client, key: bytes, search: ListSearch, size: int) -> Iterator[None]:
    """Remove the elements that were found in a list of `size`, and reply with their number."""
    db, items = client.db, client.slice_items
    chosen = sorted(search.found)
    if len(chosen) == size:
        yield from remove_slice(client, key, search.value, 0, size)
    else:
        for stop in range(len(chosen), 0, -items):
            if stop < len(chosen):
                yield
            lists.remove_at(db, key, chosen[max(stop - items, 0) : stop])
    reply.integer(client.out, len(chosen))
