"""Commands that move elements between lists, or pop from the first of several.

A move removes one element and inserts a new one. Two regions that move the same element
concurrently leave it in the destination twice (rule LST-8). Elements that arrive by replication
also serve waiting clients. One element may serve a client in each region (rule LST-10).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.lists.list_removal import pop_elements
from crdb.commands.shared import slicing
from crdb.commands.shared.pops import Pops, serve_or_block
from crdb.commands.shared.typed_values import read_typed_for_write
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.types.list import List
from crdt.writes import list as lists

COMMANDS: Final[CommandFamily] = CommandFamily("list")
POP_COST: Final = "O(1) for each element removed, and for each key before it."


HEAD: Final = 0
TAIL: Final = -1


def pop_one(client: Client, key: bytes, _value: List, _count: int, end: int) -> None:
    """Pop one element. The reply names the key."""
    reply.array(client.out, 2)
    reply.bulk(client.out, key)
    reply.bulk(client.out, lists.pop(client.db, key, end))


def pop_many(client: Client, key: bytes, value: List, count: int, end: int) -> Iterator[None]:
    """Pop up to `count` elements. The reply names the key."""
    elements: list[bytes] = []
    yield from pop_elements(client, key, min(count, value.length()), end, elements)
    reply.array(client.out, 2)
    reply.bulk(client.out, key)
    reply.array(client.out, len(elements))
    yield from slicing.reply_bulks(client, elements)
    yield from slicing.empty_list(client, elements)


POPS: Final = Pops(List, {b"LEFT": HEAD, b"RIGHT": TAIL}, pop_one=pop_one, pop_many=pop_many)


# -- from one list to another ----------------------------------------------------------------


class ListMove:
    """A move from one end of a list to one end of another, or of the same list."""

    __slots__ = ("destination", "put_end", "source", "take_end")

    def __init__(self, source: bytes, destination: bytes, take_end: int, put_end: int) -> None:
        self.source = source
        self.destination = destination
        self.take_end = take_end
        self.put_end = put_end

    def try_move(self, client: Client, is_waiting: bool) -> bool:
        """Move one element and reply with it. Return False if the list is empty.

        The element is inserted before it is removed. So a list that is rotated keeps its time to
        live.
        """
        db = client.db
        found = POPS.find_first(db, [self.source], is_waiting)
        if found is None:
            return False
        value = found[1]
        read_typed_for_write(db, self.destination, List)
        index = 0 if self.take_end == HEAD else value.length() - 1
        element = value.at(index)
        spans = value.spans(index, index + 1)
        if self.put_end == HEAD:
            lists.push_head(db, self.destination, [element])
        else:
            lists.push_tail(db, self.destination, [element])
        lists.remove(db, self.source, spans)
        reply.bulk(client.out, element)
        return True

    def move_or_wait(self, client: Client, deadline: int | None) -> None:
        """Serve the client now or later.

        Inside EXEC null is a single value, unlike at a timeout.
        """
        if client.can_block:
            serve_or_block(client, [self.source], deadline, self.try_move, List)
        elif not self.try_move(client, False):
            reply.null(client.out, client.protocol)


@COMMANDS.declare(
    "lmove",
    "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT>",
    "write denyoom",
    keys="RW access delete; RW insert",
    since="6.2.0",
    summary="Moves an element from one end of a list to one end of another.",
)
def lmove(client: Client, args: list[bytes]) -> None:
    move = ListMove(args[1], args[2], POPS.parse_end(args[3]), POPS.parse_end(args[4]))
    if not move.try_move(client, False):
        reply.null(client.out, client.protocol)


@COMMANDS.declare(
    "rpoplpush",
    "source destination",
    "write denyoom",
    keys="RW access delete; RW insert",
    since="1.2.0",
    summary="Moves the last element of one list to the head of another.",
    deprecated="6.2.0 `LMOVE` with the `RIGHT` and `LEFT` arguments",
)
def rpoplpush(client: Client, args: list[bytes]) -> None:
    if not ListMove(args[1], args[2], TAIL, HEAD).try_move(client, False):
        reply.null(client.out, client.protocol)


@COMMANDS.declare(
    "blmove",
    "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout",
    "write denyoom blocking",
    keys="RW access delete; RW insert",
    since="6.2.0",
    summary="Moves an element from one list to another, or waits for one.",
)
def blmove(client: Client, args: list[bytes]) -> None:
    move = ListMove(args[1], args[2], POPS.parse_end(args[3]), POPS.parse_end(args[4]))
    move.move_or_wait(client, arguments.timeout(args[5], client.instance.now))


@COMMANDS.declare(
    "brpoplpush",
    "source destination timeout",
    "write denyoom blocking",
    keys="RW access delete; RW insert",
    since="2.2.0",
    summary="Moves the last element of one list to the head of another, or waits for one.",
    history=("6.0.0 fractions of seconds as timeout",),
    deprecated="6.2.0 `BLMOVE` with the `RIGHT` and `LEFT` arguments",
)
def brpoplpush(client: Client, args: list[bytes]) -> None:
    deadline = arguments.timeout(args[3], client.instance.now)
    ListMove(args[1], args[2], TAIL, HEAD).move_or_wait(client, deadline)


# -- from the first of several lists ---------------------------------------------------------


@COMMANDS.declare(
    "lmpop",
    "numkeys key... <where: LEFT | RIGHT> [COUNT count]",
    "write sliced",
    keys="RW access delete",
    since="7.0.0",
    summary="Pops elements from the first of several lists that exists.",
    complexity=POP_COST,
)
def lmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_first_key(client, args)


@COMMANDS.declare(
    "blmpop",
    "timeout numkeys key... <where: LEFT | RIGHT> [COUNT count]",
    "write blocking",
    keys="RW access delete",
    since="7.0.0",
    summary="Pops elements from the first of several lists that exists, or waits for one.",
    complexity=POP_COST,
)
def blmpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_first_key_or_wait(client, args)


@COMMANDS.declare(
    "blpop",
    "key... timeout",
    "write blocking",
    keys="RW access delete",
    since="2.0.0",
    summary="Pops the first element of a list, or waits for one.",
    complexity=POP_COST,
    history=("6.0.0 fractions of seconds as timeout",),
)
def blpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_one_or_wait(client, args, HEAD)


@COMMANDS.declare(
    "brpop",
    "key... timeout",
    "write blocking",
    keys="RW access delete",
    since="2.0.0",
    summary="Pops the last element of a list, or waits for one.",
    complexity=POP_COST,
    history=("6.0.0 fractions of seconds as timeout",),
)
def brpop(client: Client, args: list[bytes]) -> None:
    POPS.pop_one_or_wait(client, args, TAIL)
