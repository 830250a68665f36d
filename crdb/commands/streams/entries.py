"""Commands that add, remove and read entries of streams.

A region adds entries to its own part of a stream. Readers see the parts of all regions, merged by
id (rules STM-1, STM-12). The parameter `crdt-xadd-id-uniqueness-mode` decides which ids XADD
accepts and generates (rules STM-3 to STM-6).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.commands.streams.stream_ids import (
    parse_end,
    parse_id,
    parse_new_id,
    parse_start,
)
from crdb.commands.streams.stream_replies import (
    first_entries,
    reply_entries,
    reply_id,
    send_entries,
)
from crdb.commands.streams.trimming import Trimming, node_entries_max
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import NO_SUCH_KEY, SYNTAX, CommandError, wrong_arity
from crdb.resp import reply
from crdt.types.components.stream_groups import ID_MAX, ID_MIN, StreamId
from crdt.types.stream import Stream
from crdt.writes import stream
from crdt.writes.stream import IdMode

COMMANDS: Final[CommandFamily] = CommandFamily("stream", since="5.0.0")

ID_IS_ZERO: Final = b"ERR The ID specified in XADD must be greater than 0-0"
ID_TOO_SMALL: Final = (
    b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
)
EXHAUSTED: Final = b"ERR The stream has exhausted the last possible ID, unable to add more items"
WHOLE_ID: Final = (
    b"ERR whole IDs are refused while crdt-xadd-id-uniqueness-mode is 'strict': two regions could"
    b" use one ID. Use '*' or milliseconds, or set the mode to 'semi-strict' or 'liberal'"
)
SET_ID_BELOW_PROVIDED: Final = (
    b"ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
)
SET_ID_BELOW_DELETED: Final = (
    b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
)
SET_ID_BELOW_TOP: Final = (
    b"ERR The ID specified in XSETID is smaller than the target stream top item"
)
ADDED_BELOW_LENGTH: Final = (
    b"ERR The entries_added specified in XSETID is smaller than the target stream length"
)
ADDED_NEGATIVE: Final = b"ERR entries_added must be positive"


# -- changes ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "xadd",
    "key [NOMKSTREAM] [trim: <strategy: MAXLEN | MINID> [operator: =:equal | ~:approximately]"
    " threshold [LIMIT count]] <id-selector: *:auto-id | id> (data: field value)...",
    "write denyoom fast sliced",
    keys="RW update: It may also remove entries.",
    tips="nondeterministic_output",
    summary="Adds an entry to a stream.",
    complexity="O(1), and O(1) for each entry that is trimmed.",
    history=(
        "6.2.0 `NOMKSTREAM`, `MINID`, `LIMIT`",
        "7.0.0 ids with a generated second number",
    ),
)
def xadd(client: Client, args: list[bytes]) -> None:
    trimming = Trimming(args, True)
    index = trimming.index
    is_auto = index >= len(args) or args[index] == b"*"
    mode = client.instance.config.stream_ids
    given = (0, None) if is_auto else parse_new_id(args[index], mode is IdMode.LIBERAL)
    trimming.check(True)
    fields = len(args) - index - 1
    if fields < 2 or fields % 2:
        raise CommandError(wrong_arity(b"xadd"))
    if given == ID_MIN:
        raise CommandError(ID_IS_ZERO)
    if mode is IdMode.STRICT and given[1] is not None:
        raise CommandError(WHOLE_ID)
    db, key = client.db, args[1]
    value = read_typed_for_write(db, key, Stream)
    if value is None and not trimming.may_create:
        reply.null(client.out, client.protocol)
        return
    held = stream.held_stream(db, key)
    new = choose_id(client, held, None if is_auto else given)
    if not trimming.is_bounded():
        stream.add_to(db, key, held, new, args[index + 1 :])
        reply_id(client.out, new)
        return
    count = trimming.count(Stream() if value is None else value, new, node_entries_max(client))
    slicing.run(client, args, count, add_steps(client, args, trimming, new, count))


def choose_id(
    client: Client, held: Stream | None, given: tuple[int, int | None] | None
) -> StreamId:
    """Return the id of a new entry of the stream `held`. `given` is None for `*`. Raises
    CommandError (STM-8)."""
    db = client.db
    last = ID_MIN if held is None else held.last_id()
    if last == ID_MAX:
        raise CommandError(EXHAUSTED)
    mode = client.instance.config.stream_ids
    if given is None:
        new = stream.id_after(last, mode, db.origin, db.now)
        if new is None:
            raise CommandError(EXHAUSTED)
        return new
    minor = given[1]
    if minor is None:
        minor = stream.next_minor(last, mode, db.origin, given[0])
    if minor is None or (given[0], minor) <= last:
        raise CommandError(ID_TOO_SMALL)
    return given[0], minor


def add_steps(
    client: Client, args: list[bytes], trimming: Trimming, new: StreamId, count: int
) -> Iterator[None]:
    """Add an entry, remove `count` entries at the beginning, and reply with the new id."""
    db, key = client.db, args[1]
    stream.add(db, key, new, args[trimming.index + 1 :])
    if count:
        value = read_typed_for_write(db, key, Stream)
        assert value is not None
        for _ in trimming.steps(client, key, value, count):
            yield
    reply_id(client.out, new)


@COMMANDS.declare(
    "xtrim",
    "key (trim: <strategy: MAXLEN | MINID> [operator: =:equal | ~:approximately] threshold"
    " [LIMIT count])",
    "write sliced",
    keys="RW delete",
    tips="nondeterministic_output",
    summary="Removes entries from the beginning of a stream.",
    complexity="O(1) for each entry removed.",
    history=("6.2.0 `MINID`, `LIMIT`",),
)
def xtrim(client: Client, args: list[bytes]) -> None:
    """Trim a stream. Entries that other regions add concurrently survive (STM-2)."""
    trimming = Trimming(args, False)
    trimming.check(False)
    value = read_typed_for_write(client.db, args[1], Stream)
    if value is None:
        client.out.append(reply.ZERO)
        return
    count = trimming.count(value, None, node_entries_max(client))
    slicing.run(client, args, count, trim_steps(client, args[1], trimming, value, count))


def trim_steps(
    client: Client, key: bytes, trimming: Trimming, value: Stream, count: int
) -> Iterator[None]:
    """Remove entries, and reply with their number."""
    removed = 0
    for number in trimming.steps(client, key, value, count):
        removed += number
        yield
    reply.integer(client.out, removed)


@COMMANDS.declare(
    "xdel",
    "key id...",
    "write fast sliced",
    keys="RW delete",
    summary="Removes entries from a stream.",
    complexity="O(log N) for each entry, where N is the number of entries in the stream.",
)
def xdel(client: Client, args: list[bytes]) -> None:
    """Remove entries by id, in all regions. All entries with an id are removed (STM-7)."""
    value = read_typed_for_write(client.db, args[1], Stream)
    if value is None:
        client.out.append(reply.ZERO)
        return
    ids = [parse_id(each) for each in args[2:]]
    slicing.run(client, args, len(ids), delete_steps(client, args[1], ids))


def delete_steps(client: Client, key: bytes, ids: list[StreamId]) -> Iterator[None]:
    """Remove entries, and reply with their number."""
    removed = 0
    for start in range(0, len(ids), client.slice_items):
        if start:
            yield
        removed += stream.remove(client.db, key, ids[start : start + client.slice_items])
    reply.integer(client.out, removed)


@COMMANDS.declare(
    "xsetid",
    "key last-id [ENTRIESADDED:entries-added entries-added:integer]"
    " [MAXDELETEDID:max-deleted-id max-deleted-id]",
    "write denyoom fast",
    keys="RW update",
    summary="Sets the last id of a stream.",
    history=("7.0.0 `entries-added`, `max-deleted-id`",),
)
def xsetid(client: Client, args: list[bytes]) -> None:
    """Set the last id, which does not become lower (STM-11)."""
    last = parse_id(args[2])
    added, max_deleted = parse_set_id(args, last)
    value = read_typed_for_write(client.db, args[1], Stream)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    if last < value.max_deleted_id():
        raise CommandError(SET_ID_BELOW_DELETED)
    if last < value.last_id():
        raise CommandError(SET_ID_BELOW_TOP)
    if added is not None and value.length() > added:
        raise CommandError(ADDED_BELOW_LENGTH)
    stream.set_id(client.db, args[1], last, added, max_deleted)
    reply.ok(client.out)


def parse_set_id(args: list[bytes], last: StreamId) -> tuple[int | None, StreamId | None]:
    """Return the options of XSETID. Raises CommandError."""
    added: int | None = None
    max_deleted: StreamId | None = None
    for index in range(3, len(args), 2):
        word = args[index].upper()
        if index + 1 == len(args) or word not in (b"ENTRIESADDED", b"MAXDELETEDID"):
            raise CommandError(SYNTAX)
        if word == b"ENTRIESADDED":
            added = arguments.integer(args[index + 1])
            if added < 0:
                raise CommandError(ADDED_NEGATIVE)
        else:
            max_deleted = parse_id(args[index + 1])
            if last < max_deleted:
                raise CommandError(SET_ID_BELOW_PROVIDED)
    return added, None if max_deleted == ID_MIN else max_deleted


# -- reads -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "xlen", "key", "readonly fast", keys="RO", summary="Counts the entries of a stream."
)
def xlen(client: Client, args: list[bytes]) -> None:
    value = read_typed(client.db, args[1], Stream)
    reply.integer(client.out, 0 if value is None else value.length())


RANGE_COST: Final = "O(log N + M) where N is the length of the stream, M what is given."


@COMMANDS.declare(
    "xrange",
    "key start:string end:string [COUNT count]",
    "readonly sliced",
    summary="Returns the entries between two ids.",
    complexity=RANGE_COST,
    history=("6.2.0 ids that are not in the range",),
)
def xrange(client: Client, args: list[bytes]) -> None:
    start, stop = parse_start(args[2]), parse_end(args[3])
    reply_range(client, args, start, stop, is_reversed=False)


@COMMANDS.declare(
    "xrevrange",
    "key end:string start:string [COUNT count]",
    "readonly sliced",
    summary="Returns the entries between two ids, the last one first.",
    complexity=RANGE_COST,
    history=("6.2.0 ids that are not in the range",),
)
def xrevrange(client: Client, args: list[bytes]) -> None:
    start, stop = parse_start(args[3]), parse_end(args[2])
    reply_range(client, args, start, stop, is_reversed=True)


def reply_range(
    client: Client, args: list[bytes], start: StreamId, stop: StreamId, *, is_reversed: bool
) -> None:
    """Reply with the entries of a range, in slices if they are many."""
    count = parse_count(args)
    value = read_typed(client.db, args[1], Stream)
    if value is None:
        client.out.append(reply.EMPTY_ARRAY)
        return
    if count == 0:
        reply.null_array(client.out, client.protocol)
        return
    entries = value.backward(start, stop) if is_reversed else value.forward(start, stop)
    if count is not None and count <= client.slice_items:
        reply_entries(client.out, first_entries(entries, count))
        return
    found = list(islice(entries, client.slice_items + 1))
    if len(found) <= client.slice_items:
        reply_entries(client.out, found)
        return
    size = value.count_between(start, stop)
    size = size if count is None else min(size, count)
    entries = value.backward(start, stop) if is_reversed else value.forward(start, stop)
    client.hand_over(args, send_entries(client, size, entries))


def parse_count(args: list[bytes]) -> int | None:
    """Return the COUNT of a range, None without one. Raises CommandError."""
    count: int | None = None
    for index in range(4, len(args), 2):
        if index + 1 == len(args) or not arguments.is_word(args[index], b"COUNT"):
            raise CommandError(SYNTAX)
        count = max(0, arguments.integer(args[index + 1]))
    return count
