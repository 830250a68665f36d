"""Pops of sorted sets, those that wait included.

A pop removes, everywhere, the members that this region chose; two regions may choose the same (rule
ZST-9). A waiting client is served by members that arrive by replication as well (rule LST-10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.resp import reply
from crdb.server import arguments
from crdb.server.client import Client
from crdb.server.commands.sorted_sets import (
    read_sorted_set_for_write,
    remove_members,
    reply_pairs,
)
from crdb.server.errors import NOT_POSITIVE, SYNTAX, CommandError
from crdb.server.table import Command
from crdt.keyspace import Keyspace
from crdt.zset import SortedSet

NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"


def take(
    db: Keyspace, key: bytes, value: SortedSet, count: int, is_greatest: bool
) -> list[tuple[float, bytes]]:
    """Remove up to `count` members from one end; the outermost first."""
    ranked = value.ranked()
    size = len(ranked)
    count = min(count, size)
    start = size - count if is_greatest else 0
    pairs = list(ranked.islice(start, start + count, is_greatest))
    remove_members(db, key, value, [member for _, member in pairs])
    return pairs


def zpopmin(client: Client, args: list[bytes]) -> None:
    pop(client, args, False)


def zpopmax(client: Client, args: list[bytes]) -> None:
    pop(client, args, True)


def pop(client: Client, args: list[bytes], is_greatest: bool) -> None:
    """ZPOPMIN and ZPOPMAX. Without a count, RESP3 gives one flat pair."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    count = arguments.positive(args[2], NOT_POSITIVE) if len(args) == 3 else 1
    db = client.db
    value = read_sorted_set_for_write(db, args[1])
    if value is None or count == 0:
        reply.array(client.out, 0)
        return
    pairs = take(db, args[1], value, count, is_greatest)
    if len(args) == 3:
        reply_pairs(client, pairs)
    else:
        score, member = pairs[0]
        reply.array(client.out, 2)
        reply.bulk(client.out, member)
        reply.double(client.out, client.protocol, score)


# -- the first of several keys ---------------------------------------------------------------


class ManyPop:
    """ZMPOP and BZMPOP from `args[first]`, the number of keys, on."""

    __slots__ = ("count", "is_greatest", "keys")

    def __init__(self, args: list[bytes], first: int) -> None:
        number = at_least_one(args[first], NUMKEYS_NOT_POSITIVE)
        where = first + 1 + number
        if where >= len(args):
            raise CommandError(SYNTAX)
        self.keys = args[first + 1 : where]
        end = args[where].upper()
        if end not in (b"MIN", b"MAX"):
            raise CommandError(SYNTAX)
        self.is_greatest = end == b"MAX"
        self.count = 1
        rest = args[where + 1 :]
        if rest:
            if len(rest) != 2 or not arguments.is_word(rest[0], b"COUNT"):
                raise CommandError(SYNTAX)
            self.count = at_least_one(rest[1], COUNT_NOT_POSITIVE)

    def serve(self, client: Client, is_waiting: bool) -> bool:
        """Pop from the first key that has members, and reply; False if none has."""
        found = first_sorted_set(client.db, self.keys, is_waiting)
        if found is None:
            return False
        key, value = found
        pairs = take(client.db, key, value, self.count, self.is_greatest)
        out = client.out
        reply.array(out, 2)
        reply.bulk(out, key)
        reply.array(out, len(pairs))
        for score, member in pairs:
            reply.array(out, 2)
            reply.bulk(out, member)
            reply.double(out, client.protocol, score)
        return True


def at_least_one(argument: bytes, text: bytes) -> int:
    """A number of keys or members; `text` refuses everything else."""
    number = arguments.integer(argument, text)
    if number < 1:
        raise CommandError(text)
    return number


def first_sorted_set(
    db: Keyspace, keys: list[bytes], is_waiting: bool
) -> tuple[bytes, SortedSet] | None:
    """The first key that holds a sorted set. Another type is refused, or passed over by a
    client that waits already."""
    for key in keys:
        value = db.lookup(key)
        if is_waiting and value is not None and not isinstance(value, SortedSet):
            continue
        found = read_sorted_set_for_write(db, key)
        if found is not None:
            return key, found
    return None


def zmpop(client: Client, args: list[bytes]) -> None:
    if not ManyPop(args, 1).serve(client, False):
        reply.null_array(client.out, client.protocol)


def bzmpop(client: Client, args: list[bytes]) -> None:
    deadline = arguments.timeout(args[1], client.instance.now)
    request = ManyPop(args, 2)
    wait(client, request.keys, deadline, request.serve)


def bzpopmin(client: Client, args: list[bytes]) -> None:
    pop_or_wait(client, args, False)


def bzpopmax(client: Client, args: list[bytes]) -> None:
    pop_or_wait(client, args, True)


def pop_or_wait(client: Client, args: list[bytes], is_greatest: bool) -> None:
    """BZPOPMIN and BZPOPMAX: a key, its outermost member, and the score."""
    deadline = arguments.timeout(args[-1], client.instance.now)
    keys = args[1:-1]

    def serve(client: Client, is_waiting: bool) -> bool:
        found = first_sorted_set(client.db, keys, is_waiting)
        if found is None:
            return False
        key, value = found
        score, member = take(client.db, key, value, 1, is_greatest)[0]
        out = client.out
        reply.array(out, 3)
        reply.bulk(out, key)
        reply.bulk(out, member)
        reply.double(out, client.protocol, score)
        return True

    wait(client, keys, deadline, serve)


def wait(
    client: Client,
    keys: list[bytes],
    deadline: int | None,
    serve: Callable[[Client, bool], bool],
) -> None:
    """Serve `client` now if that is possible, else when one of `keys` changes."""
    if not serve(client, False):
        client.block(keys, deadline, lambda: serve(client, True))


def keys_from_1(args: list[bytes]) -> list[int]:
    """Where the keys of ZMPOP are."""
    return list(range(2, 2 + len(ManyPop(args, 1).keys)))


def keys_from_2(args: list[bytes]) -> list[int]:
    """Where the keys of BZMPOP are."""
    return list(range(3, 3 + len(ManyPop(args, 2).keys)))


COST: Final = "O(log N) for each member removed, and O(1) for each key before it."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zpopmin", zpopmin, -2, "write fast", keys=(1, 1, 1), group="sorted_set", since="5.0.0",
        summary="Removes and gives the members with the lowest scores.", complexity=COST,
    ),
    Command(
        "zpopmax", zpopmax, -2, "write fast", keys=(1, 1, 1), group="sorted_set", since="5.0.0",
        summary="Removes and gives the members with the highest scores.", complexity=COST,
    ),
    Command(
        "zmpop", zmpop, -4, "write movablekeys", getkeys=keys_from_1, group="sorted_set",
        since="7.0.0", summary="Pops from the first of several sorted sets that is there.",
        complexity=COST,
    ),
    Command(
        "bzpopmin", bzpopmin, -3, "write blocking fast", keys=(1, -2, 1), group="sorted_set",
        since="5.0.0", summary="Pops a lowest member, and waits for one if there is none.",
        complexity=COST,
    ),
    Command(
        "bzpopmax", bzpopmax, -3, "write blocking fast", keys=(1, -2, 1), group="sorted_set",
        since="5.0.0", summary="Pops a highest member, and waits for one if there is none.",
        complexity=COST,
    ),
    Command(
        "bzmpop", bzmpop, -5, "write blocking movablekeys", getkeys=keys_from_2,
        group="sorted_set", since="7.0.0",
        summary="Pops from the first sorted set that is there, and waits for one.",
        complexity=COST,
    ),
)  # fmt: skip
