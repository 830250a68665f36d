"""Pops from the first of several keys, with or without waiting: LMPOP, BLPOP, ZMPOP, BZPOPMIN and
similar commands.

A pop removes an element that this region sees, so two regions may pop the same one (rules LST-4,
ZST-9). Elements that arrive by replication also serve waiting clients. One element may therefore
serve a client in each region (rule LST-10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from crdb.commands.shared import slicing
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value

NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"

V = TypeVar("V", bound=Value)

Attempt = Callable[[Client, bool], bool]
"""Tries to serve a client and returns whether it replied. The flag is True if the client waits."""
Pop = Callable[[Client, bytes, V, int, int], None]
"""Pops from the value of a key, at most this many, from this end. Replies with key and elements."""
PopSteps = Callable[[Client, bytes, V, int, int], Iterator[None]]
"""Does the same in slices."""


def serve_or_block(
    client: Client,
    keys: list[bytes],
    deadline: int | None,
    attempt: Attempt,
    kind: type[Value],
) -> None:
    """Serve `client` now if that is possible, or else when one of `keys` gets a value of a type."""
    if not attempt(client, False):
        client.block(keys, deadline, lambda: attempt(client, True), kind)


class Pops(Generic[V]):
    """The pops of one type of value.

    `ends` maps the words for the two ends, in upper case, to numbers. `pop_one` serves the
    commands without a count, `pop_many` those with one.
    """

    def __init__(
        self,
        kind: type[V],
        ends: dict[bytes, int],
        *,
        pop_one: Pop[V],
        pop_many: PopSteps[V],
        is_ordered: bool = False,
    ) -> None:
        self.kind = kind
        self.ends = ends
        self.pop_one = pop_one
        self.pop_many = pop_many
        self.is_ordered = is_ordered
        """True if a value may have to make an order first."""

    def pop_at_once(self, client: Client, key: bytes, value: V, count: int, end: int) -> None:
        """Pop several elements in one step, for a client that waits or has to."""
        for _ in self.pop_many(client, key, value, count, end):
            pass

    def must_order(self, client: Client, args: list[bytes], keys: list[bytes]) -> bool:
        """Return whether a pop must wait until the first of `keys` that exists has an order."""
        if not self.is_ordered:
            return False
        found = self.find_first(client.db, keys, False)
        return found is not None and slicing.must_order(client, args, found[0], found[1])

    def parse_end(self, argument: bytes) -> int:
        """Return the end that `argument` names. Raises CommandError."""
        end = self.ends.get(argument.upper())
        if end is None:
            raise CommandError(SYNTAX)
        return end

    def find_first(
        self, db: Keyspace, keys: list[bytes], is_waiting: bool
    ) -> tuple[bytes, V] | None:
        """Return the first key that holds a value of this type, with the value.

        Another type raises CommandError, or is skipped for a client that waits already.
        """
        for key in keys:
            value = db.lookup_for_write(key)
            if isinstance(value, self.kind):
                return key, value
            if value is not None and not is_waiting:
                raise CommandError(WRONG_TYPE)
        return None

    def make_attempt(self, keys: list[bytes], pop: Pop[V], count: int, end: int) -> Attempt:
        """Return a function that serves a client from the first of `keys` that exists."""

        def attempt(client: Client, is_waiting: bool) -> bool:
            found = self.find_first(client.db, keys, is_waiting)
            if found is None:
                return False
            pop(client, found[0], found[1], count, end)
            return True

        return attempt

    def parse_arguments(self, args: list[bytes], first: int) -> tuple[list[bytes], int, int]:
        """Return the keys, the count and the end. `args[first]` is the number of keys."""
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

    def pop_first_key(self, client: Client, args: list[bytes]) -> None:
        """Carry out LMPOP or ZMPOP."""
        keys, count, end = self.parse_arguments(args, 1)
        found = self.find_first(client.db, keys, False)
        if found is None:
            reply.null_array(client.out, client.protocol)
        elif not slicing.must_order(client, args, found[0], found[1]):
            slicing.run(client, args, count, self.pop_many(client, found[0], found[1], count, end))

    def pop_first_key_or_wait(self, client: Client, args: list[bytes]) -> None:
        """Carry out BLMPOP or BZMPOP. As in Redis 7.2, the timeout is checked last."""
        keys, count, end = self.parse_arguments(args, 2)
        deadline = arguments.timeout(args[1], client.instance.now)
        if self.must_order(client, args, keys):
            return
        attempt = self.make_attempt(keys, self.pop_at_once, count, end)
        serve_or_block(client, keys, deadline, attempt, self.kind)

    def pop_one_or_wait(self, client: Client, args: list[bytes], end: int) -> None:
        """Carry out BLPOP, BRPOP, BZPOPMIN or BZPOPMAX."""
        deadline = arguments.timeout(args[-1], client.instance.now)
        keys = args[1:-1]
        if self.must_order(client, args, keys):
            return
        attempt = self.make_attempt(keys, self.pop_one, 1, end)
        serve_or_block(client, keys, deadline, attempt, self.kind)


def at_least_one(argument: bytes, text: bytes) -> int:
    """Parse a positive number. Raises CommandError with `text` for anything else."""
    number = arguments.integer(argument, text)
    if number < 1:
        raise CommandError(text)
    return number
