"""Commands on parts of strings: APPEND, GETRANGE, SETRANGE, STRLEN and LCS.

APPEND and SETRANGE write the whole value (rule STR-4): when two regions change a string
concurrently, the later change wins, and with it its whole value. Of a long value only the change is
sent, and neither command copies the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.strings import subsequence
from crdb.commands.strings.strings import read_string, string_for_write
from crdb.commands.strings.subsequence import CommonSubsequence
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import OFFSET_OUT_OF_RANGE, STRING_TOO_LONG, SYNTAX, CommandError
from crdb.resp import reply
from crdt.types.string import String
from crdt.writes.string import edit, mark

COMMANDS: Final[CommandFamily] = CommandFamily("string")
NOT_TWO_STRINGS: Final = b"ERR The specified keys must contain string values"
LENGTH_AND_INDEXES: Final = b"ERR If you want both the length and indexes, please just use IDX."
ROW_BYTES_PER_ITEM: Final = 1024
"""LCS makes so many bytes of a row in the time that other work takes for one item."""
LCS_TOO_LARGE: Final = (
    b"ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
)


def check_growth(client: Client, before: int, after: int) -> None:
    """Raise CommandError for a string longer than a client may send, or if memory is too full for
    what is added to a string of `before` bytes."""
    if after > client.instance.config.bulk_bytes_max:
        raise CommandError(STRING_TOO_LONG)
    if not client.instance.memory.can_allocate(after - before):
        raise CommandError(client.instance.memory.refusal(after - before))


@COMMANDS.declare(
    "strlen",
    "key",
    "readonly fast",
    keys="RO",
    since="2.2.0",
    summary="Returns the length of a string in bytes.",
)
def strlen(client: Client, args: list[bytes]) -> None:
    value = read_string(client.db, args[1])
    reply.integer(client.out, 0 if value is None else value.size())


@COMMANDS.declare(
    "getrange",
    "key start end",
    "readonly",
    since="2.4.0",
    summary="Returns a part of a string.",
    complexity="O(N) for N bytes returned.",
)
@COMMANDS.declare(
    "substr",
    "key start end",
    "readonly",
    summary="Returns a part of a string.",
    complexity="O(N) for N bytes returned.",
    deprecated="2.0.0 `GETRANGE`",
)
def getrange(client: Client, args: list[bytes]) -> None:
    """Reply with a part. Both indexes are inclusive, negative ones count from the end."""
    first, last = arguments.integer(args[2]), arguments.integer(args[3])
    value = read_string(client.db, args[1])
    if value is None or (first < 0 and last < 0 and first > last):
        reply.bulk(client.out, b"")
        return
    size = value.size()
    first = max(first + size if first < 0 else first, 0)
    last = max(last + size if last < 0 else last, 0)
    reply.bulk(client.out, value.part(min(first, size), min(last + 1, size)))


@COMMANDS.declare(
    "append",
    "key value",
    "write denyoom fast",
    keys="RW insert",
    since="2.0.0",
    summary="Appends to a string, which is created if it does not exist.",
    complexity="O(N) for N bytes appended.",
)
def append(client: Client, args: list[bytes]) -> None:
    held = string_for_write(client.db, args[1])
    size = 0 if held is None else held.size()
    check_growth(client, size, size + len(args[2]))
    size = edit(client.db, args[1], size, args[2])
    if held is not None:
        mark(client.db, args[1], is_raw=True)
    reply.integer(client.out, size)


@COMMANDS.declare(
    "setrange",
    "key offset value",
    "write denyoom",
    keys="RW update",
    since="2.2.0",
    summary="Overwrites a part of a string.",
    complexity="O(N) for N bytes written.",
)
def setrange(client: Client, args: list[bytes]) -> None:
    """Overwrite a part. A gap between the old end and the offset is filled with zeros."""
    offset = arguments.integer(args[2])
    patch = args[3]
    if offset < 0:
        raise CommandError(OFFSET_OUT_OF_RANGE)
    held = string_for_write(client.db, args[1])
    size = 0 if held is None else held.size()
    if patch:
        check_growth(client, size, offset + len(patch))
        size = edit(client.db, args[1], offset, patch)
        mark(client.db, args[1], is_raw=True)
    reply.integer(client.out, size)


@COMMANDS.declare(
    "lcs",
    "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
    "readonly sliced",
    since="7.0.0",
    summary="Returns the longest common subsequence of two strings, or its position.",
    complexity="O(N*M) for strings of N and M bytes, many cells per step.",
)
def lcs(client: Client, args: list[bytes]) -> None:
    texts: list[bytes] = []
    for key in args[1:3]:
        value = client.db.read(key)
        if value is not None and not isinstance(value, String):
            raise CommandError(NOT_TWO_STRINGS)
        texts.append(b"" if value is None else value.read())
    length_only = indexes = with_length = False
    shortest = 0
    index = 3
    while index < len(args):
        word = args[index].upper()
        if word == b"LEN":
            length_only = True
        elif word == b"IDX":
            indexes = True
        elif word == b"WITHMATCHLEN":
            with_length = True
        elif word == b"MINMATCHLEN" and index + 1 < len(args):
            index += 1
            shortest = arguments.integer(args[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    if length_only and indexes:
        raise CommandError(LENGTH_AND_INDEXES)
    text, other = texts
    memory = max(4 * (len(text) + 1) * (len(other) + 1), subsequence.table_bytes(text, other))
    if memory > client.instance.config.bulk_bytes_max:
        raise CommandError(LCS_TOO_LARGE)
    if length_only and len(text) > len(other):
        text, other = other, text
    common = subsequence.CommonSubsequence(text, other, client.slice_items * ROW_BYTES_PER_ITEM)
    if length_only:
        steps = reply_length(client, common)
    elif indexes:
        steps = reply_matches(client, common, shortest, with_length)
    else:
        steps = reply_text(client, common)
    slicing.run(client, args, common.cost() // ROW_BYTES_PER_ITEM, steps)


def reply_length(client: Client, common: CommonSubsequence) -> Iterator[None]:
    """Reply to LCS with LEN."""
    yield from common.measure()
    reply.integer(client.out, common.length)


def reply_text(client: Client, common: CommonSubsequence) -> Iterator[None]:
    """Reply to LCS without options: the bytes of the subsequence."""
    yield from common.match()
    text = common.text
    runs = reversed(common.found)
    reply.bulk(client.out, b"".join([text[run.first : run.last + 1] for run in runs]))


def reply_matches(
    client: Client, common: CommonSubsequence, shortest: int, with_length: bool
) -> Iterator[None]:
    """Reply to LCS with IDX: the runs of at least `shortest` bytes, and the total length."""
    yield from common.match()
    out = client.out
    shown = [run for run in common.found if len(run) >= shortest]
    reply.map_header(out, client.protocol, 2)
    reply.bulk(out, b"matches")
    reply.array(out, len(shown))
    for run in shown:
        reply.array(out, 3 if with_length else 2)
        for first, last in ((run.first, run.last), (run.other_first, run.other_last)):
            reply.array(out, 2)
            reply.integer(out, first)
            reply.integer(out, last)
        if with_length:
            reply.integer(out, len(run))
    reply.bulk(out, b"len")
    reply.integer(out, sum([len(run) for run in common.found]))
