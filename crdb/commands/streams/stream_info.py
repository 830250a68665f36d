"""XINFO: details of streams, their groups and consumers.

Positions, consumers and pending entries are those of this region (rules STM-20 to STM-22). The
numbers of nodes are those of the blocks that hold the entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed
from crdb.commands.streams.groups import NO_SUCH_GROUP, wrong_subcommand
from crdb.commands.streams.stream_replies import reply_entry, reply_id, send_entries
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import NO_SUCH_KEY, CommandError, printable
from crdb.resp import reply
from crdt.structures.entry_tree import Entry
from crdt.types.components.pending_entries import Consumer, PendingEntries, StreamId
from crdt.types.components.stream_groups import ID_MIN, UNKNOWN, Group
from crdt.types.stream import Stream
from crdt.writes import stream_groups

COMMANDS: Final[CommandFamily] = CommandFamily("stream", since="5.0.0")
XINFO: Final = COMMANDS.container(
    "xinfo", summary="A container for commands about the details of streams.", categories="-stream"
)
SHOWN_MAX: Final = 10
"""The entries of each list that FULL shows without COUNT."""


def stream_of(client: Client, key: bytes) -> Stream:
    """Return an existing stream. Raises CommandError."""
    value = read_typed(client.db, key, Stream)
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    return value


@XINFO.declare(
    "stream",
    "key [full-block: FULL [COUNT count]]",
    "readonly sliced",
    summary="Returns details of a stream.",
    history=(
        "6.0.0 FULL",
        "7.0.0 the greatest deleted id, the number of entries ever added, and lags of groups",
        "7.2.0 the time when a consumer last got an entry",
    ),
)
def stream(client: Client, args: list[bytes]) -> None:
    value = stream_of(client, args[2])
    if len(args) == 3:
        reply.map_header(client.out, client.protocol, 10)
        reply_facts(client, value)
        name_integer(client, b"groups", len(value.named_groups()))
        reply_edge(client, b"first-entry", value.first_entry())
        reply_edge(client, b"last-entry", value.last_entry())
        return
    count = parse_full(args)
    shown = value.length() if count == 0 else min(count, value.length())
    shown += sum(min(count or len(g.pending), len(g.pending)) for _, g in value.named_groups())
    slicing.run(client, args, shown, full_steps(client, value, count))


def parse_full(args: list[bytes]) -> int:
    """Return the COUNT of FULL. Raises CommandError."""
    if len(args) not in (4, 6) or not arguments.is_word(args[3], b"FULL"):
        raise wrong_subcommand(args)
    if len(args) == 4:
        return SHOWN_MAX
    if not arguments.is_word(args[4], b"COUNT"):
        raise wrong_subcommand(args)
    count = arguments.integer(args[5])
    return SHOWN_MAX if count < 0 else count


def name_integer(client: Client, name: bytes, number: int) -> None:
    """Append a field of a map whose value is an integer."""
    reply.bulk(client.out, name)
    reply.integer(client.out, number)


def name_id(client: Client, name: bytes, last: StreamId) -> None:
    """Append a field of a map whose value is an id."""
    reply.bulk(client.out, name)
    reply_id(client.out, last)


def name_count(client: Client, name: bytes, number: int | None) -> None:
    """Append a field of a map whose value is an integer, or null if it is not known."""
    reply.bulk(client.out, name)
    if number is None:
        reply.null(client.out, client.protocol)
    else:
        reply.integer(client.out, number)


def reply_facts(client: Client, value: Stream) -> None:
    """Append the fields that both forms of XINFO STREAM have."""
    blocks = value.block_count()
    first = value.first_entry()
    name_integer(client, b"length", value.length())
    name_integer(client, b"radix-tree-keys", blocks)
    name_integer(client, b"radix-tree-nodes", blocks + 1)
    name_id(client, b"last-generated-id", value.last_id())
    name_id(client, b"max-deleted-entry-id", value.max_deleted_id())
    name_integer(client, b"entries-added", value.entries_added())
    name_id(client, b"recorded-first-entry-id", ID_MIN if first is None else first[:2])


def reply_edge(client: Client, name: bytes, entry: Entry | None) -> None:
    """Append the field of the first or the last entry."""
    reply.bulk(client.out, name)
    if entry is None:
        reply.null(client.out, client.protocol)
    else:
        reply_entry(client.out, entry)


def full_steps(client: Client, value: Stream, count: int) -> Iterator[None]:
    """Reply with all of a stream, of each list the first `count` items, or all if that is 0."""
    reply.map_header(client.out, client.protocol, 9)
    reply_facts(client, value)
    reply.bulk(client.out, b"entries")
    shown = min(count, value.length()) if count else value.length()
    yield from send_entries(client, shown, value.forward())
    reply.bulk(client.out, b"groups")
    reply.array(client.out, len(value.named_groups()))
    for name, group in value.named_groups():
        yield from full_group(client, value, (name, group), count)


def full_group(
    client: Client, value: Stream, named: tuple[bytes, Group], count: int
) -> Iterator[None]:
    """Reply with all of a group."""
    group = named[1]
    reply.map_header(client.out, client.protocol, 7)
    reply.bulk(client.out, b"name")
    reply.bulk(client.out, named[0])
    reply_position(client, value, group)
    name_integer(client, b"pel-count", len(group.pending))
    reply.bulk(client.out, b"pending")
    yield from full_pending(client, group.pending, count, True)
    reply.bulk(client.out, b"consumers")
    reply.array(client.out, len(group.consumers))
    for name, consumer in sorted(group.consumers.items()):
        reply.map_header(client.out, client.protocol, 5)
        reply.bulk(client.out, b"name")
        reply.bulk(client.out, name)
        name_integer(client, b"seen-time", consumer.seen_ms)
        name_integer(client, b"active-time", consumer.active_ms)
        name_integer(client, b"pel-count", len(consumer.pending))
        reply.bulk(client.out, b"pending")
        yield from full_pending(client, consumer.pending, count, False)


def reply_position(client: Client, value: Stream, group: Group) -> None:
    """Append the fields of a group's position."""
    read = group.entries_read
    name_id(client, b"last-delivered-id", group.last_id)
    name_count(client, b"entries-read", None if read == UNKNOWN else read)
    name_count(client, b"lag", stream_groups.lag(value, group))


def full_pending(
    client: Client, pending: PendingEntries, count: int, names_consumer: bool
) -> Iterator[None]:
    """Reply with the first pending entries."""
    shown = min(count, len(pending)) if count else len(pending)
    reply.array(client.out, shown)
    for number, (last, held) in enumerate(islice(pending.items(), shown), 1):
        reply.array(client.out, 3 + names_consumer)
        reply_id(client.out, last)
        if names_consumer:
            reply.bulk(client.out, held.consumer.name)
        reply.integer(client.out, held.delivered_ms)
        reply.integer(client.out, held.count)
        if number % client.slice_items == 0:
            yield


@XINFO.declare(
    "groups",
    "key",
    "readonly",
    summary="Returns the consumer groups of a stream.",
    history=("7.0.0 the number of entries read, and the lag",),
)
def groups(client: Client, args: list[bytes]) -> None:
    value = stream_of(client, args[2])
    reply.array(client.out, len(value.named_groups()))
    for name, group in value.named_groups():
        reply.map_header(client.out, client.protocol, 6)
        reply.bulk(client.out, b"name")
        reply.bulk(client.out, name)
        name_integer(client, b"consumers", len(group.consumers))
        name_integer(client, b"pending", len(group.pending))
        reply_position(client, value, group)


@XINFO.declare(
    "consumers",
    "key group",
    "readonly",
    tips="nondeterministic_output",
    summary="Returns the consumers of a group.",
    history=("7.2.0 the time since a consumer last got an entry",),
)
def consumers(client: Client, args: list[bytes]) -> None:
    """Reply with the consumers of this region (STM-20)."""
    value = stream_of(client, args[2])
    group = value.group(args[3])
    if group is None:
        raise CommandError(NO_SUCH_GROUP % (printable(args[3]), printable(args[2])))
    reply.array(client.out, len(group.consumers))
    for _, consumer in sorted(group.consumers.items()):
        reply_consumer(client, consumer)


def reply_consumer(client: Client, consumer: Consumer) -> None:
    """Append the details of a consumer."""
    now = client.db.now
    reply.map_header(client.out, client.protocol, 4)
    reply.bulk(client.out, b"name")
    reply.bulk(client.out, consumer.name)
    name_integer(client, b"pending", len(consumer.pending))
    name_integer(client, b"idle", max(0, now - consumer.seen_ms))
    name_integer(client, b"inactive", -1 if consumer.active_ms < 0 else now - consumer.active_ms)


XINFO.declare_help()
