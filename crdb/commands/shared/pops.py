"""Pops from the first of several keys, at once or as soon as there is something: what LMPOP, BLPOP,
ZMPOP, BZPOPMIN and their kin share.

A pop takes what this region sees, so two regions may take the same (rules LST-4, ZST-9). A waiting
client is served by what arrives by replication as well; one element may so serve a client in each
region (rule LST-10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value

NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"

V = TypeVar("V", bound=Value)

Serve = Callable[[Client, bool], bool]
"""Replies and says True if the request can be served; the flag says that the client waits."""
Take = Callable[[Client, bytes, V, int, int], None]
"""Pops from a key that holds a value: at most so many, from this end. Replies with key and all."""


def wait(client: Client, keys: list[bytes], deadline: int | None, serve: Serve) -> None:
    """Serve `client` now if that is possible, else when one of `keys` changes."""
    if not serve(client, False):
        client.block(keys, deadline, lambda: serve(client, True))


class Pops(Generic[V]):
    """The pops of one type of value.

    `ends` are the words, in upper case, for where it can be popped. `take_one` serves those that
    name no number, `take_several` those that may.
    """

    def __init__(
        self, kind: type[V], ends: dict[bytes, int], *, take_one: Take[V], take_several: Take[V]
    ) -> None:
        self.kind = kind
        self.ends = ends
        self.take_one = take_one
        self.take_several = take_several

    def parse_end(self, argument: bytes) -> int:
        """Where to pop."""
        end = self.ends.get(argument.upper())
        if end is None:
            raise CommandError(SYNTAX)
        return end

    def first(self, db: Keyspace, keys: list[bytes], is_waiting: bool) -> tuple[bytes, V] | None:
        """The first key that holds such a value. Another type is refused, or passed over by a
        client that waits already."""
        for key in keys:
            value = db.lookup_for_write(key)
            if isinstance(value, self.kind):
                return key, value
            if value is not None and not is_waiting:
                raise CommandError(WRONG_TYPE)
        return None

    def serve(self, keys: list[bytes], take: Take[V], count: int, end: int) -> Serve:
        """What serves a client from the first of `keys` that is there."""

        def serve(client: Client, is_waiting: bool) -> bool:
            found = self.first(client.db, keys, is_waiting)
            if found is None:
                return False
            take(client, found[0], found[1], count, end)
            return True

        return serve

    def parse(self, args: list[bytes], first: int) -> tuple[list[bytes], int, int]:
        """The keys, the count and the end, from `args[first]`, the number of keys, on."""
        number = at_least_one(args[first], NUMKEYS_NOT_POSITIVE)
        where = first + 1 + number
        if where >= len(args):
            raise CommandError(SYNTAX)
        end, count = self.parse_end(args[where]), 1
        rest = args[where + 1 :]
        if rest:
            if len(rest) == 1 or not arguments.is_word(rest[0], b"COUNT"):
                raise CommandError(SYNTAX)
            count = at_least_one(rest[1], COUNT_NOT_POSITIVE)
            if len(rest) > 2:
                raise CommandError(SYNTAX)
        return args[first + 1 : where], count, end

    def pop_several(self, client: Client, args: list[bytes]) -> None:
        """LMPOP and ZMPOP."""
        keys, count, end = self.parse(args, 1)
        if not self.serve(keys, self.take_several, count, end)(client, False):
            reply.null_array(client.out, client.protocol)

    def pop_several_or_wait(self, client: Client, args: list[bytes]) -> None:
        """BLMPOP and BZMPOP. As in Redis 7.2 the timeout is looked at last."""
        keys, count, end = self.parse(args, 2)
        deadline = arguments.timeout(args[1], client.instance.now)
        wait(client, keys, deadline, self.serve(keys, self.take_several, count, end))

    def pop_or_wait(self, client: Client, args: list[bytes], end: int) -> None:
        """BLPOP, BRPOP, BZPOPMIN and BZPOPMAX."""
        deadline = arguments.timeout(args[-1], client.instance.now)
        keys = args[1:-1]
        wait(client, keys, deadline, self.serve(keys, self.take_one, 1, end))


def at_least_one(argument: bytes, text: bytes) -> int:
    """A number of keys or elements; `text` refuses everything else."""
    number = arguments.integer(argument, text)
    if number < 1:
        raise CommandError(text)
    return number
