"""XREAD and XREADGROUP: new entries of several streams, with or without waiting.

XREAD gives the entries behind an id. One that arrives later from another region with a smaller id
is skipped (rule STM-9). A consumer group skips nothing: it has a position in the entries of each
region. So successive calls may give descending ids (rule STM-10). Entries that arrive by
replication also serve clients that wait (D-22).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.timeouts import parse_timeout_ms
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.commands.streams.stream_ids import parse_id
from crdb.commands.streams.stream_replies import (
    reply_entries,
    reply_entry,
    reply_id,
    send_entries,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError, printable
from crdb.resp import reply
from crdt.causality.dots import Origin
from crdt.structures.entry_tree import Entry, Place
from crdt.types.base import Value
from crdt.types.components.pending_entries import Consumer, StreamId
from crdt.types.components.stream_groups import ID_MIN, Group
from crdt.types.stream import Stream
from crdt.writes import stream_groups
from crdt.writes.stream_groups import GroupPlace

COMMANDS: Final[CommandFamily] = CommandFamily("stream", since="5.0.0")

UNBALANCED: Final = (
    b"ERR Unbalanced '%b' list of streams: for each stream key an ID or '%b' must be specified."
)
GROUP_IN_XREAD: Final = (
    b"ERR The %b option is only supported by XREADGROUP. You called XREAD instead."
)
NO_GROUP_OPTION: Final = b"ERR Missing GROUP option for XREADGROUP"
DOLLAR_IN_GROUP: Final = (
    b"ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of "
    b"this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would "
    b"just return an empty result set."
)
NEW_WITHOUT_GROUP: Final = (
    b"ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
    b"<consumer> option."
)
NO_GROUP: Final = b"NOGROUP No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option"
NEW: Final = None
"""The id `>`: entries that were not delivered to the group."""


class ReadRequest:
    """The options, streams and ids of XREAD or XREADGROUP."""

    __slots__ = ("count", "group", "keys", "name", "needs_ack", "spelled_ids", "starts", "wait_ms")

    def __init__(self, args: list[bytes], is_group: bool) -> None:
        """Parse the options. Raises CommandError."""
        self.count: int = 0
        self.wait_ms: int | None = None
        self.group: bytes | None = None
        self.name: bytes = b""
        """The consumer."""
        self.needs_ack: bool = True
        self.keys: list[bytes] = []
        self.spelled_ids: list[bytes] = []
        self.starts: list[StreamId | None] = []
        """The id behind which each stream is read."""
        self.parse(args, is_group)
        if not self.keys:
            raise CommandError(SYNTAX)

    def parse(self, args: list[bytes], is_group: bool) -> None:
        """Parse all options. Raises CommandError."""
        index = 1
        while index < len(args) and not self.spelled_ids:
            index += self.parse_option(args, index, is_group)
        if is_group and self.group is None and self.spelled_ids:
            raise CommandError(NO_GROUP_OPTION)

    def parse_option(self, args: list[bytes], index: int, is_group: bool) -> int:
        """Parse one option. Return the number of its words."""
        word, left = args[index].upper(), len(args) - index - 1
        if word == b"BLOCK" and left:
            self.wait_ms = parse_timeout_ms(args[index + 1])
        elif word == b"COUNT" and left:
            self.count = max(0, arguments.integer(args[index + 1]))
        elif word == b"STREAMS" and left:
            if left % 2:
                name = args[0].lower()
                raise CommandError(UNBALANCED % (name, b">" if is_group else b"$"))
            self.keys = args[index + 1 : index + 1 + left // 2]
            self.spelled_ids = args[index + 1 + left // 2 :]
        elif word == b"GROUP" and left >= 2:
            if not is_group:
                raise CommandError(GROUP_IN_XREAD % b"GROUP")
            self.group, self.name = args[index + 1], args[index + 2]
            return 3
        elif word == b"NOACK":
            if not is_group:
                raise CommandError(GROUP_IN_XREAD % b"NOACK")
            self.needs_ack = False
            return 1
        else:
            raise CommandError(SYNTAX)
        return 2

    def resolve_ids(self, client: Client) -> None:
        """Find out the ids, of which `$` is the last one of a stream. Raises CommandError."""
        for key, text in zip(self.keys, self.spelled_ids, strict=True):
            value = read_typed(client.db, key, Stream)
            if self.group is not None:
                find_group(value, key, self.group)
            if text == b"$":
                if self.group is not None:
                    raise CommandError(DOLLAR_IN_GROUP)
                self.starts.append(ID_MIN if value is None else value.last_id())
            elif text == b">":
                if self.group is None:
                    raise CommandError(NEW_WITHOUT_GROUP)
                self.starts.append(NEW)
            else:
                self.starts.append(parse_id(text))


def find_group(value: Stream | None, key: bytes, name: bytes) -> Group:
    """Return a group. Raises CommandError if the stream or the group does not exist."""
    group = None if value is None else value.group(name)
    if group is None:
        raise CommandError(NO_GROUP % (printable(key), printable(name)))
    return group


def reply_header(client: Client, streams: int) -> None:
    """Append the header of the whole reply."""
    if client.protocol == 2:
        reply.array(client.out, streams)
    else:
        reply.map_header(client.out, client.protocol, streams)


def reply_key(client: Client, key: bytes) -> None:
    """Append the name of a stream, in front of its entries."""
    if client.protocol == 2:
        reply.array(client.out, 2)
    reply.bulk(client.out, key)


class StreamRead:
    """The entries of one stream that a reply gives, from some places on."""

    __slots__ = ("count", "first", "group", "is_history", "key", "places", "start", "value")

    def __init__(self, key: bytes, value: Stream, start: StreamId | None, group: Group | None):
        self.key: bytes = key
        self.value: Stream = value
        self.start: StreamId | None = start
        self.group: Group | None = group
        self.is_history: bool = group is not None and start is not NEW
        self.count: int = 0
        """The number of entries to give. It is known after `prepare`."""
        self.first: list[Entry] = []
        self.places: dict[Origin, Place] = {}
        if group is None:
            assert start is not None
            self.places = value.behind(start)
        elif not self.is_history:
            self.places = value.undelivered(group)

    def prepare(self, limit: int, items: int) -> bool:
        """Find the entries, at most `limit` unless that is 0. Return whether there is something to
        reply. `items` is the number of entries that can be visited immediately."""
        if self.is_history:
            return True
        most = min(limit, items) if limit else items
        self.first = list(islice(self.value.from_places(self.places), most + 1))
        if len(self.first) > most and limit != most:
            self.count = self.value.count_from(self.places)
            self.count = min(self.count, limit) if limit else self.count
        else:
            self.first = self.first[:most]
            self.count = len(self.first)
        return self.count > 0

    def send(self, client: Client, asked: ReadRequest) -> Iterator[None]:
        """Reply with the entries, in slices."""
        reply_key(client, self.key)
        if self.group is None:
            yield from self.send_entries(client)
            return
        name = asked.group
        assert name is not None
        consumer = self.group.consumer(asked.name, client.db.now)
        consumer.seen_ms = client.db.now
        if self.is_history:
            yield from self.send_history(client, consumer, asked.count)
            return
        consumer.active_ms = client.db.now
        reply.array(client.out, self.count)
        left = self.count
        while left > 0:
            found = stream_groups.deliver_next(
                client.db,
                GroupPlace(self.key, name, self.value, self.group),
                consumer,
                min(left, client.slice_items),
                asked.needs_ack,
            )
            for entry in found:
                reply_entry(client.out, entry)
            left -= len(found)
            if left > 0:
                yield

    def send_entries(self, client: Client) -> Iterator[None]:
        """Reply with the entries of a reader without a group."""
        if self.count == len(self.first):
            reply_entries(client.out, self.first)
        else:
            yield from send_entries(client, self.count, self.value.from_places(self.places))

    def send_history(self, client: Client, consumer: Consumer, limit: int) -> Iterator[None]:
        """Reply with the pending entries of a consumer behind an id (rule STM-24). Null stands for
        one that was deleted."""
        start = self.start
        assert start is not None
        ids = consumer.pending.ids_from(start, is_behind=True)
        found: list[StreamId] = list(islice(ids, limit) if limit else ids)
        entries = [self.value.at_id(last) for last in found]
        reply.array(client.out, sum([len(each) or 1 for each in entries]))
        for index, last in enumerate(found):
            held = consumer.pending.by_id[last]
            for entry in entries[index]:
                reply_entry(client.out, entry)
            if entries[index]:
                held.delivered_ms = client.db.now
                held.count += 1
            else:
                reply.array(client.out, 2)
                reply_id(client.out, last)
                reply.null_array(client.out, client.protocol)
            if index % client.slice_items == client.slice_items - 1:
                yield


def find_reads(client: Client, asked: ReadRequest) -> list[StreamRead]:
    """Return the streams that have something to read. Raises CommandError for a group that does
    not exist. A reader without a group skips keys of other types, which it met before it waited."""
    db, found = client.db, list[StreamRead]()
    for key, start in zip(asked.keys, asked.starts, strict=True):
        group: Group | None = None
        if asked.group is not None:
            value = read_typed_for_write(db, key, Stream)
            group = find_group(value, key, asked.group)
            consumer = group.consumer(asked.name, db.now)
            consumer.seen_ms = db.now
        else:
            other = db.read(key)
            value = other if isinstance(other, Stream) else None
        if value is not None:
            read = StreamRead(key, value, start, group)
            if read.prepare(asked.count, client.slice_items):
                found.append(read)
    return found


def send_reads(client: Client, asked: ReadRequest, reads: list[StreamRead]) -> Iterator[None]:
    """Reply with the entries of some streams, in slices."""
    reply_header(client, len(reads))
    for each in reads:
        yield from each.send(client, asked)


def try_to_serve(client: Client, asked: ReadRequest) -> bool:
    """Reply to a client that waits, if a stream has something."""
    reads = find_reads(client, asked)
    if reads:
        for _ in send_reads(client, asked, reads):
            pass
    return len(reads) > 0


def read_or_wait(client: Client, args: list[bytes], asked: ReadRequest) -> None:
    """Reply with entries of all streams that have some. Otherwise wait, or reply null."""
    asked.resolve_ids(client)
    reads = find_reads(client, asked)
    if reads:
        items = sum([each.count for each in reads])
        slicing.run(client, args, items, send_reads(client, asked, reads))
    elif asked.wait_ms is None:
        reply.null_array(client.out, client.protocol)
    else:
        deadline = client.instance.now + asked.wait_ms if asked.wait_ms else None
        is_group = asked.group is not None
        kind = Value if is_group else Stream
        retry = partial(try_to_serve, client, asked)
        client.block(asked.keys, deadline, retry, kind, needs_value=not is_group)


READ_COST: Final = "O(log N + M) where N is the length of a stream, M what is given."


@COMMANDS.declare(
    "xread",
    '[COUNT count] [BLOCK milliseconds] (STREAMS key... "ID"...)',
    "readonly blocking sliced",
    summary="Returns the entries behind given ids of one or more streams, or waits for some.",
    complexity=READ_COST,
)
def xread(client: Client, args: list[bytes]) -> None:
    read_or_wait(client, args, ReadRequest(args, False))


@COMMANDS.declare(
    "xreadgroup",
    "(GROUP:group-block group consumer) [COUNT count] [BLOCK milliseconds] [NOACK]"
    ' (STREAMS key... "ID"...)',
    "write blocking sliced",
    keys="RO access",
    summary="Returns entries that a consumer group has not read, or those that are pending.",
    complexity=READ_COST,
)
def xreadgroup(client: Client, args: list[bytes]) -> None:
    """Deliver entries to a consumer of this region, which nothing is replicated of (STM-21). With
    NOACK they count as acknowledged, which is replicated (STM-18)."""
    read_or_wait(client, args, ReadRequest(args, True))
