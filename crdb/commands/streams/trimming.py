"""The options of XADD and XTRIM, and the removal of entries at the beginning of a stream.

Trimming removes what this region sees. Entries that were added concurrently survive, also outside
of the bound (rule STM-2). Entries with equal ids stay or go together.

With `~`, entries are removed in multiples of `stream-node-max-entries`. Redis removes whole nodes,
which hold as many entries unless these are large.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.streams.stream_ids import parse_id
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdt.types.components.stream_groups import StreamId
from crdt.types.stream import Stream
from crdt.writes import stream

TWO_BOUNDS: Final = (
    b"ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
)
MAXLEN_NEGATIVE: Final = b"ERR The MAXLEN argument must be >= 0."
LIMIT_NEGATIVE: Final = b"ERR The LIMIT argument must be >= 0."
LIMIT_ALONE: Final = (
    b"ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
)
LIMIT_OF_EXACT: Final = b"ERR syntax error, LIMIT cannot be used without the special ~ option"
NO_BOUND: Final = b"ERR syntax error, XTRIM must be called with a trimming strategy"
NODE_ENTRIES: Final = 100
"""The entries in a node if their number is not limited."""


class Trimming:
    """The bound of the entries to keep, and the place of the argument behind the options."""

    __slots__ = ("index", "is_approximate", "length_max", "limit", "may_create", "min_id")

    def __init__(self, args: list[bytes], is_add: bool) -> None:
        """Parse the options from the third argument on. Raises CommandError."""
        self.length_max: int | None = None
        self.min_id: StreamId | None = None
        self.is_approximate: bool = False
        self.may_create: bool = True
        self.limit: int | None = None
        self.index: int = 2
        if is_add and args[2] == b"*":
            return
        while self.index < len(args):
            word = args[self.index].upper()
            has_more = self.index + 1 < len(args)
            if word in (b"MAXLEN", b"MINID") and has_more:
                self._parse_bound(args, word)
            elif word == b"LIMIT" and has_more:
                self.limit = arguments.integer(args[self.index + 1])
                if self.limit < 0:
                    raise CommandError(LIMIT_NEGATIVE)
                self.index += 2
            elif word == b"NOMKSTREAM" and is_add:
                self.may_create = False
                self.index += 1
            elif is_add:
                break
            else:
                raise CommandError(SYNTAX)

    def _parse_bound(self, args: list[bytes], word: bytes) -> None:
        """Parse MAXLEN or MINID, with the bound behind it."""
        if self.is_bounded():
            raise CommandError(TWO_BOUNDS)
        at = self.index + 1
        if args[at] in (b"~", b"=") and at + 1 < len(args):
            self.is_approximate = args[at] == b"~"
            at += 1
        if word == b"MAXLEN":
            self.length_max = arguments.integer(args[at])
            if self.length_max < 0:
                raise CommandError(MAXLEN_NEGATIVE)
        else:
            self.min_id = parse_id(args[at])
        self.index = at + 1

    def check(self, is_add: bool) -> None:
        """Raise CommandError if the options do not go together."""
        if self.limit and not self.is_bounded():
            raise CommandError(LIMIT_ALONE)
        if not is_add and not self.is_bounded():
            raise CommandError(NO_BOUND)
        if self.limit is not None and not self.is_approximate:
            raise CommandError(LIMIT_OF_EXACT)

    def is_bounded(self) -> bool:
        """Return whether something is to be removed."""
        return self.length_max is not None or self.min_id is not None

    def count(self, value: Stream, new: StreamId | None, node_max: int) -> int:
        """Return the number of entries to remove once the entry `new`, if any, has been added.
        `node_max` is `stream-node-max-entries`."""
        length = value.length() + (new is not None)
        if self.length_max is not None:
            excess = max(0, length - self.length_max)
        elif self.min_id is not None:
            excess = value.rank(self.min_id) + (new is not None and new < self.min_id)
        else:
            return 0
        if not self.is_approximate:
            return excess
        node = node_max or NODE_ENTRIES
        limit = 100 * node if self.limit is None else self.limit
        if limit and excess > limit:
            return limit // node * node
        return excess if excess == length else excess // node * node

    def steps(self, client: Client, key: bytes, value: Stream, count: int) -> Iterator[int]:
        """Remove the first `count` entries of a stream in slices. Yield how many each removed."""
        while count > 0:
            point = stream.trim_point(value, min(count, client.slice_items))
            removed = 0 if point is None else stream.trim(client.db, key, point)
            if removed == 0:
                return
            count -= removed
            yield removed


def node_entries_max(client: Client) -> int:
    """Return `stream-node-max-entries`."""
    return client.instance.config.stream_node_entries
