"""Commands that take from one list and put into another, or take from the first of several.

A move is the removal of one element and the insertion of a new one, so two regions that move the
same element at once leave it in the destination twice (rule LST-8). A waiting client is served by
elements that arrive by replication as well; one element may serve a client in each region (rule
LST-10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.resp import reply
from crdb.server import arguments
from crdb.server.client import Client
from crdb.server.commands.lists import read_list_for_write, take
from crdb.server.errors import SYNTAX, CommandError
from crdb.server.table import Command
from crdt import list as lists
from crdt.keyspace import Keyspace
from crdt.list import List

NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"

HEAD: Final = 0
TAIL: Final = -1
ENDS: Final[dict[bytes, int]] = {b"LEFT": HEAD, b"RIGHT": TAIL}

Serve = Callable[[Client, bool], bool]
"""Replies and says True if the request can be served; the flag says that the client waits."""


def parse_end(argument: bytes) -> int:
    """LEFT or RIGHT."""
    end = ENDS.get(argument.upper())
    if end is None:
        raise CommandError(SYNTAX)
    return end


def first_list(db: Keyspace, keys: list[bytes], is_waiting: bool) -> tuple[bytes, List] | None:
    """The first key that holds a list. Another type is refused, or passed over by a client that
    waits already."""
    for key in keys:
        value = db.lookup(key)
        if is_waiting and value is not None and not isinstance(value, List):
            continue
        found = read_list_for_write(db, key)
        if found is not None:
            return key, found
    return None


def wait(client: Client, keys: list[bytes], deadline: int | None, serve: Serve) -> None:
    """Serve `client` now if that is possible, else when one of `keys` changes."""
    if not serve(client, False):
        client.block(keys, deadline, lambda: serve(client, True))


# -- from one list to another ----------------------------------------------------------------


class Move:
    """LMOVE and its kin: from an end of one list to an end of another, or of the same."""

    __slots__ = ("destination", "put_end", "source", "take_end")

    def __init__(self, source: bytes, destination: bytes, take_end: int, put_end: int) -> None:
        self.source = source
        self.destination = destination
        self.take_end = take_end
        self.put_end = put_end

    def serve(self, client: Client, is_waiting: bool) -> bool:
        """Move one element and reply with it; False if there is none.

        It is put before it is taken, so that a list that is turned round keeps its time to live.
        """
        db = client.db
        found = first_list(db, [self.source], is_waiting)
        if found is None:
            return False
        value = found[1]
        read_list_for_write(db, self.destination)
        index = 0 if self.take_end == HEAD else value.length() - 1
        element = value.at(index)
        positions = value.positions(index, index + 1)
        if self.put_end == HEAD:
            lists.push_head(db, self.destination, [element])
        else:
            lists.push_tail(db, self.destination, [element])
        lists.remove(db, self.source, positions)
        reply.bulk(client.out, element)
        return True

    def serve_or_wait(self, client: Client, deadline: int | None) -> None:
        """The blocking form. Inside EXEC null is a single value, unlike at a timeout."""
        if client.can_block:
            wait(client, [self.source], deadline, self.serve)
        elif not self.serve(client, False):
            reply.null(client.out, client.protocol)


def lmove(client: Client, args: list[bytes]) -> None:
    move = Move(args[1], args[2], parse_end(args[3]), parse_end(args[4]))
    if not move.serve(client, False):
        reply.null(client.out, client.protocol)


def rpoplpush(client: Client, args: list[bytes]) -> None:
    if not Move(args[1], args[2], TAIL, HEAD).serve(client, False):
        reply.null(client.out, client.protocol)


def blmove(client: Client, args: list[bytes]) -> None:
    move = Move(args[1], args[2], parse_end(args[3]), parse_end(args[4]))
    move.serve_or_wait(client, arguments.timeout(args[5], client.instance.now))


def brpoplpush(client: Client, args: list[bytes]) -> None:
    deadline = arguments.timeout(args[3], client.instance.now)
    Move(args[1], args[2], TAIL, HEAD).serve_or_wait(client, deadline)


# -- from the first of several lists ---------------------------------------------------------


class ManyPop:
    """LMPOP and BLMPOP from `args[first]`, the number of keys, on."""

    __slots__ = ("count", "end", "keys")

    def __init__(self, args: list[bytes], first: int) -> None:
        number = at_least_one(args[first], NUMKEYS_NOT_POSITIVE)
        where = first + 1 + number
        if where >= len(args):
            raise CommandError(SYNTAX)
        self.keys = args[first + 1 : where]
        self.end = parse_end(args[where])
        self.count = 1
        rest = args[where + 1 :]
        if rest:
            if len(rest) != 2 or not arguments.is_word(rest[0], b"COUNT"):
                raise CommandError(SYNTAX)
            self.count = at_least_one(rest[1], COUNT_NOT_POSITIVE)

    def serve(self, client: Client, is_waiting: bool) -> bool:
        """Pop from the first list that is there, and reply; False if none is."""
        found = first_list(client.db, self.keys, is_waiting)
        if found is None:
            return False
        key, value = found
        reply.array(client.out, 2)
        reply.bulk(client.out, key)
        reply.bulks(client.out, take(client.db, key, value, self.count, self.end))
        return True


def at_least_one(argument: bytes, text: bytes) -> int:
    """A number of keys or elements; `text` refuses everything else."""
    number = arguments.integer(argument, text)
    if number < 1:
        raise CommandError(text)
    return number


def lmpop(client: Client, args: list[bytes]) -> None:
    if not ManyPop(args, 1).serve(client, False):
        reply.null_array(client.out, client.protocol)


def blmpop(client: Client, args: list[bytes]) -> None:
    deadline = arguments.timeout(args[1], client.instance.now)
    request = ManyPop(args, 2)
    wait(client, request.keys, deadline, request.serve)


def blpop(client: Client, args: list[bytes]) -> None:
    pop_or_wait(client, args, HEAD)


def brpop(client: Client, args: list[bytes]) -> None:
    pop_or_wait(client, args, TAIL)


def pop_or_wait(client: Client, args: list[bytes], end: int) -> None:
    """BLPOP and BRPOP: a key and its outermost element."""
    deadline = arguments.timeout(args[-1], client.instance.now)
    keys = args[1:-1]

    def serve(client: Client, is_waiting: bool) -> bool:
        found = first_list(client.db, keys, is_waiting)
        if found is None:
            return False
        reply.array(client.out, 2)
        reply.bulk(client.out, found[0])
        reply.bulk(client.out, lists.pop(client.db, found[0], end))
        return True

    wait(client, keys, deadline, serve)


def keys_from_1(args: list[bytes]) -> list[int]:
    """Where the keys of LMPOP are."""
    return list(range(2, 2 + len(ManyPop(args, 1).keys)))


def keys_from_2(args: list[bytes]) -> list[int]:
    """Where the keys of BLMPOP are."""
    return list(range(3, 3 + len(ManyPop(args, 2).keys)))


POP_COST: Final = "O(1) for each element removed, and for each key before it."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "lmove", lmove, 5, "write denyoom", keys=(1, 2, 1), group="list", since="6.2.0",
        summary="Moves an element from an end of one list to an end of another.",
        complexity="O(1)",
    ),
    Command(
        "rpoplpush", rpoplpush, 3, "write denyoom", keys=(1, 2, 1), group="list", since="1.2.0",
        summary="Moves the last element of one list to the head of another.", complexity="O(1)",
    ),
    Command(
        "blmove", blmove, 6, "write denyoom blocking", keys=(1, 2, 1), group="list",
        since="6.2.0", summary="As LMOVE, and waits for an element if there is none.",
        complexity="O(1)",
    ),
    Command(
        "brpoplpush", brpoplpush, 4, "write denyoom blocking", keys=(1, 2, 1), group="list",
        since="2.2.0", summary="As RPOPLPUSH, and waits for an element if there is none.",
        complexity="O(1)",
    ),
    Command(
        "lmpop", lmpop, -4, "write movablekeys", getkeys=keys_from_1, group="list",
        since="7.0.0", summary="Pops from the first of several lists that is there.",
        complexity=POP_COST,
    ),
    Command(
        "blmpop", blmpop, -5, "write blocking movablekeys", getkeys=keys_from_2, group="list",
        since="7.0.0", summary="Pops from the first list that is there, and waits for one.",
        complexity=POP_COST,
    ),
    Command(
        "blpop", blpop, -3, "write blocking", keys=(1, -2, 1), group="list", since="2.0.0",
        summary="Pops the first element of a list, and waits for one if there is none.",
        complexity=POP_COST,
    ),
    Command(
        "brpop", brpop, -3, "write blocking", keys=(1, -2, 1), group="list", since="2.0.0",
        summary="Pops the last element of a list, and waits for one if there is none.",
        complexity=POP_COST,
    ),
)  # fmt: skip
