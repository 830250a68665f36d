"""Parts of SCAN, HSCAN, SSCAN and ZSCAN: the cursor, the options, and the head of the reply.

A cursor is an unsigned 64-bit integer that only the server understands (see
`crdt.structures.places`). A walk through a small collection ends with its first page, whatever
COUNT says, as in Redis with its compact encodings. A walk that began while the collection was large
goes on page by page.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, Protocol

from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import INVALID_CURSOR, SYNTAX, CommandError
from crdb.engine.glob import compile_glob
from crdb.resp import reply
from crdt.structures.places import is_later_page

COUNT_DEFAULT: Final = 10
WHOLE_MAX: Final = 128
"""Collections up to this size are scanned in one step."""
WHOLE_INTEGERS_MAX: Final = 512
"""Sets of integers up to this size are scanned in one step."""
CURSOR_TEXT: Final = re.compile(rb"(?:[+-]?[0-9]{1,30})?")
CURSOR_END: Final = 1 << 64


class Scanned(Protocol):
    """A value whose members can be walked through page by page."""

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and about `count` members from `cursor` on."""
        ...


class ScanOptions:
    """The options of a scan: the size of a page, and a filter for its names."""

    __slots__ = ("count", "pattern", "type_name")

    def __init__(self) -> None:
        self.count = COUNT_DEFAULT
        self.pattern: re.Pattern[bytes] | None = None
        self.type_name: bytes | None = None

    def select(self, names: list[bytes]) -> list[bytes]:
        """Return the names that the pattern matches, each once."""
        pattern = self.pattern
        once = dict.fromkeys(names)
        if pattern is None:
            return list(once)
        return [name for name in once if pattern.fullmatch(name) is not None]


def parse_cursor(argument: bytes) -> int:
    """Parse a cursor: digits, perhaps with a sign, as C reads them."""
    if not CURSOR_TEXT.fullmatch(argument):
        raise CommandError(INVALID_CURSOR)
    cursor = int(argument or b"0")
    if not -CURSOR_END < cursor < CURSOR_END:
        raise CommandError(INVALID_CURSOR)
    return cursor % CURSOR_END


def parse_options(args: list[bytes], first: int, typed: bool = False) -> ScanOptions:
    """Parse the options from `args[first]` on. Only a scan of the keyspace is `typed`."""
    options = ScanOptions()
    for index in range(first, len(args), 2):
        if index + 1 == len(args):
            raise CommandError(SYNTAX)
        word, value = args[index].upper(), args[index + 1]
        if word == b"COUNT":
            options.count = arguments.integer(value)
            if options.count < 1:
                raise CommandError(SYNTAX)
        elif word == b"MATCH":
            options.pattern = None if value == b"*" else compile_glob(value)
        elif word == b"TYPE" and typed:
            options.type_name = value
        else:
            raise CommandError(SYNTAX)
    return options


def is_whole(members: Collection[bytes], cursor: int, *, integers: bool = False) -> bool:
    """Return whether to return all members in one page.

    They must be few, and `cursor` must not come from an earlier page. `integers` if more of them
    may be returned where all are integers.
    """
    size = len(members)
    if is_later_page(cursor) or size > (WHOLE_INTEGERS_MAX if integers else WHOLE_MAX):
        return False
    return size <= WHOLE_MAX or all(
        arguments.parse_integer(member) is not None for member in members
    )


class Scan:
    """The page that SCAN, HSCAN, SSCAN or ZSCAN asks for, read in slices."""

    __slots__ = ("following", "options", "shown", "value", "whole")

    def __init__(
        self,
        args: list[bytes],
        value: Scanned,
        whole: Collection[bytes] | None,
        *,
        first: int = 3,
        typed: bool = False,
    ) -> None:
        """Parse the options from `args[first]` on. `whole` holds all members in the order in which
        they are shown, if `is_whole`, else it is None. Raises CommandError."""
        self.options = parse_options(args, first, typed)
        self.value = value
        self.whole = whole
        self.following = 0
        """The next cursor."""
        self.shown: list[bytes] = []
        """The members on the page that the pattern matches."""

    def cost(self, size: int) -> int:
        """Return about how many members of a value of `size` the page has."""
        return min(self.options.count, size)

    def read(self, cursor: int, items: int) -> Iterator[None]:
        """Read the page from `cursor` on, `items` members at a time."""
        whole = self.whole
        if whole is not None:
            self.shown = self.options.select(list(whole))
            return
        left = self.options.count
        while True:
            cursor, found = self.value.scan(cursor, min(left, items))
            self.shown += self.options.select(found)
            left -= max(len(found), min(left, items))
            if not cursor or left <= 0:
                break
            yield
        self.following = cursor


def empty_page(client: Client) -> None:
    """Reply with the only page of a missing key."""
    page_header(client, 0, 0)


def page_header(client: Client, cursor: int, length: int) -> None:
    """Reply with the next cursor and the header of a page of `length` elements."""
    reply.array(client.out, 2)
    reply.bulk(client.out, b"%d" % cursor)
    reply.array(client.out, length)
