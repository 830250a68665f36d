"""XPENDING, XCLAIM and XAUTOCLAIM: the pending entries of a consumer group in this region.

Other regions have their own pending entries, and nothing of these commands is replicated (rule
STM-21). But what they drop, because its entry was deleted, may free an acknowledgement that was
held back (rule STM-18).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.streams.groups import find_group
from crdb.commands.streams.stream_ids import parse_end, parse_id, parse_start
from crdb.commands.streams.stream_replies import reply_entry, reply_id
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError, printable
from crdb.resp import reply
from crdb.resp.numbers import INT64_MAX
from crdt.structures.entry_tree import Entry
from crdt.types.components.pending_entries import Consumer, PendingEntry, StreamId
from crdt.types.components.stream_groups import ID_MIN, Group
from crdt.writes import stream_groups
from crdt.writes.stream_groups import GroupPlace

COMMANDS: Final[CommandFamily] = CommandFamily("stream", since="5.0.0")

INVALID_IDLE: Final = b"ERR Invalid min-idle-time argument for %b"
INVALID_OPTION: Final = b"ERR Invalid %b option argument for XCLAIM"
UNKNOWN_OPTION: Final = b"ERR Unrecognized XCLAIM option '%b'"
COUNT_NOT_POSITIVE: Final = b"ERR COUNT must be > 0"
COUNT_MAX: Final = INT64_MAX // 16
CLAIMED_MAX: Final = 100
"""The entries that XAUTOCLAIM claims without COUNT."""
ATTEMPTS: Final = 10
"""The pending entries that XAUTOCLAIM visits for each entry to claim."""


# -- what is pending -------------------------------------------------------------------------


class PendingRange:
    """The options of XPENDING."""

    __slots__ = ("consumer", "count", "idle_ms", "start", "stop")

    def __init__(self, args: list[bytes]) -> None:
        """Parse the options. Raises CommandError."""
        index = 3
        self.idle_ms: int = 0
        if arguments.is_word(args[3], b"IDLE"):
            self.idle_ms = arguments.integer(args[4])
            if len(args) < 8:
                raise CommandError(SYNTAX)
            index = 5
        self.count: int = max(0, arguments.integer(args[index + 2]))
        self.start: StreamId = parse_start(args[index])
        self.stop: StreamId = parse_end(args[index + 1])
        self.consumer: bytes | None = args[index + 3] if index + 3 < len(args) else None


@COMMANDS.declare(
    "xpending",
    "key group [filters: [IDLE min-idle-time:integer] start:string end:string count [consumer]]",
    "readonly sliced",
    tips="nondeterministic_output",
    summary="Returns the entries that are pending in a consumer group.",
    complexity="O(N) where N is the number of pending entries visited.",
    history=("6.2.0 `IDLE`, and ids that are not in the range",),
)
def xpending(client: Client, args: list[bytes]) -> None:
    """Reply with a summary, or with pending entries of this region (STM-21)."""
    if len(args) != 3 and not 6 <= len(args) <= 9:
        raise CommandError(SYNTAX)
    asked = PendingRange(args) if len(args) > 3 else None
    group = find_group(client, args[1], args[2]).group
    if asked is None:
        reply_summary(client, group)
        return
    pending = group.pending
    if asked.consumer is not None:
        consumer = group.consumers.get(asked.consumer)
        if consumer is None:
            client.out.append(reply.EMPTY_ARRAY)
            return
        pending = consumer.pending
    items = len(pending) if asked.idle_ms else min(asked.count, len(pending))
    ids = up_to(asked.stop, pending.ids_from(asked.start))
    slicing.run(client, args, items, pending_steps(client, group, asked, ids))


def up_to(stop: StreamId, ids: Iterator[StreamId]) -> Iterator[StreamId]:
    """Yield the ids that are not above `stop`."""
    for last in ids:
        if last > stop:
            return
        yield last


def reply_summary(client: Client, group: Group) -> None:
    """Reply with the number of pending entries, the first and the last of them, and consumers."""
    out, protocol = client.out, client.protocol
    reply.array(out, 4)
    reply.integer(out, len(group.pending))
    if not len(group.pending):
        reply.null(out, protocol)
        reply.null(out, protocol)
        reply.null_array(out, protocol)
        return
    reply_id(out, group.pending.first())
    reply_id(out, group.pending.last())
    busy = [each for _, each in sorted(group.consumers.items()) if len(each.pending)]
    reply.array(out, len(busy))
    for consumer in busy:
        reply.array(out, 2)
        reply.bulk(out, consumer.name)
        reply.bulk(out, b"%d" % len(consumer.pending))


def pending_steps(
    client: Client, group: Group, asked: PendingRange, ids: Iterator[StreamId]
) -> Iterator[None]:
    """Reply with the pending entries among `ids` that were idle for long enough."""
    now, out = client.db.now, client.out
    found: list[StreamId] = []
    for visited, last in enumerate(ids, 1):
        if len(found) == asked.count:
            break
        if now - group.pending.by_id[last].delivered_ms >= asked.idle_ms:
            found.append(last)
        if visited % client.slice_items == 0:
            yield
    reply.array(out, len(found))
    for number, last in enumerate(found, 1):
        held = group.pending.by_id[last]
        reply.array(out, 4)
        reply_id(out, last)
        reply.bulk(out, held.consumer.name)
        reply.integer(out, max(0, now - held.delivered_ms))
        reply.integer(out, held.count)
        if number % client.slice_items == 0:
            yield


# -- claims ----------------------------------------------------------------------------------


class Claim:
    """The options of XCLAIM and XAUTOCLAIM."""

    __slots__ = ("count", "delivered_ms", "forces", "idle_ms", "is_just_id", "last_id", "retries")

    def __init__(self, argument: bytes, command: bytes) -> None:
        """`argument` is the shortest idle time. Raises CommandError."""
        self.idle_ms: int = max(0, arguments.integer(argument, INVALID_IDLE % command))
        self.delivered_ms: int | None = None
        self.retries: int = -1
        self.forces: bool = False
        self.is_just_id: bool = False
        self.last_id: StreamId = ID_MIN
        self.count: int = CLAIMED_MAX

    def parse(self, args: list[bytes], index: int, now: int) -> None:
        """Parse the options of XCLAIM."""
        while index < len(args):
            word = args[index].upper()
            has_more = index + 1 < len(args)
            if word == b"FORCE":
                self.forces = True
            elif word == b"JUSTID":
                self.is_just_id = True
            elif word in (b"IDLE", b"TIME", b"RETRYCOUNT") and has_more:
                index += 1
                number = arguments.integer(args[index], INVALID_OPTION % word)
                if word == b"RETRYCOUNT":
                    self.retries = number
                else:
                    self.delivered_ms = number if word == b"TIME" else now - number
            elif word == b"LASTID" and has_more:
                index += 1
                self.last_id = parse_id(args[index])
            else:
                raise CommandError(UNKNOWN_OPTION % printable(args[index]))
            index += 1

    def time_of_delivery(self, now: int) -> int:
        """Return the time that counts as that of the delivery."""
        if self.delivered_ms is None or not 0 <= self.delivered_ms <= now:
            return now
        return self.delivered_ms

    def claim(self, held: PendingEntry, last: StreamId, consumer: Consumer, now: int) -> None:
        """Give a pending entry to a consumer."""
        if held.consumer is not consumer:
            held.consumer.pending.pop(last)
            held.consumer = consumer
            consumer.pending.put(last, held)
        held.delivered_ms = self.time_of_delivery(now)
        if self.retries >= 0:
            held.count = self.retries
        elif not self.is_just_id:
            held.count += 1
        consumer.active_ms = now


class Claimed:
    """The result of a claim: the entries to reply with, and the ids of deleted ones."""

    __slots__ = ("deleted", "entries", "next_id")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.deleted: list[StreamId] = []
        self.next_id: StreamId = ID_MIN

    def reply(self, client: Client, is_just_id: bool) -> Iterator[None]:
        """Reply with the entries, or with their ids."""
        out = client.out
        reply.array(out, len(self.entries))
        for number, entry in enumerate(self.entries, 1):
            if is_just_id:
                reply_id(out, entry[:2])
            else:
                reply_entry(out, entry)
            if number % client.slice_items == 0:
                yield


@COMMANDS.declare(
    "xclaim",
    'key group consumer min-idle-time "ID"... [IDLE ms:integer] [TIME unix-time-milliseconds]'
    " [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID:lastid lastid]",
    "write fast sliced",
    tips="nondeterministic_output",
    keys="RW update",
    summary="Gives pending entries to a consumer.",
    complexity="O(log N) for each id, where N is the number of pending entries.",
)
def xclaim(client: Client, args: list[bytes]) -> None:
    """Give pending entries of this region to a consumer (STM-21)."""
    place = find_group(client, args[1], args[2])
    asked = Claim(args[4], b"XCLAIM")
    ids: list[StreamId] = []
    while len(ids) + 5 < len(args) and args[len(ids) + 5][:1].isdigit():
        try:
            ids.append(parse_id(args[len(ids) + 5]))
        except CommandError:
            break
    asked.parse(args, len(ids) + 5, client.db.now)
    slicing.run(client, args, len(ids), claim_steps(client, place, args[3], asked, ids))


def claim_steps(
    client: Client, place: GroupPlace, name: bytes, asked: Claim, ids: list[StreamId]
) -> Iterator[None]:
    """Claim entries, and reply with them."""
    group, now, found = place.group, client.db.now, Claimed()
    if asked.last_id > group.last_id:
        group.floor = group.last_id = asked.last_id
    consumer = group.consumer(name, now)
    consumer.seen_ms = now
    for number, last in enumerate(ids, 1):
        held = group.pending.get(last)
        entries = place.stream.at_id(last)
        if not entries:
            if held is not None:
                group.drop_pending(last)
                found.deleted.append(last)
        elif held is not None:
            if not asked.idle_ms or now - held.delivered_ms >= asked.idle_ms:
                asked.claim(held, last, consumer, now)
                found.entries += entries
        elif asked.forces:
            group.deliver(last, consumer, now)
            asked.claim(group.pending.by_id[last], last, consumer, now)
            found.entries += entries
        if number % client.slice_items == 0:
            yield
    if found.deleted:
        stream_groups.send_acks(client.db, place)
    yield from found.reply(client, asked.is_just_id)


@COMMANDS.declare(
    "xautoclaim",
    "key group consumer min-idle-time start:string [COUNT count] [JUSTID]",
    "write fast sliced",
    keys="RW delete",
    tips="nondeterministic_output",
    since="6.2.0",
    summary="Gives pending entries that were idle for long to a consumer.",
    complexity="O(N) where N is the number of pending entries visited, at most ten for each given.",
    history=("7.0.0 deleted entries",),
)
def xautoclaim(client: Client, args: list[bytes]) -> None:
    """Give idle pending entries of this region to a consumer (STM-21)."""
    asked = Claim(args[4], b"XAUTOCLAIM")
    start = parse_start(args[5])
    index = 6
    while index < len(args):
        if arguments.is_word(args[index], b"COUNT") and index + 1 < len(args):
            index += 1
            asked.count = parse_count(args[index])
        elif arguments.is_word(args[index], b"JUSTID"):
            asked.is_just_id = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    place = find_group(client, args[1], args[2])
    items = min(len(place.group.pending), asked.count * ATTEMPTS)
    slicing.run(client, args, items, autoclaim_steps(client, place, args[3], asked, start))


def parse_count(argument: bytes) -> int:
    """Return the COUNT of XAUTOCLAIM. Raises CommandError."""
    count = arguments.integer(argument, COUNT_NOT_POSITIVE)
    if not 1 <= count <= COUNT_MAX:
        raise CommandError(COUNT_NOT_POSITIVE)
    return count


def autoclaim_steps(
    client: Client, place: GroupPlace, name: bytes, asked: Claim, start: StreamId
) -> Iterator[None]:
    """Claim idle entries, and reply with the next start, the entries, and deleted ones."""
    group, now, found = place.group, client.db.now, Claimed()
    consumer = group.consumer(name, now)
    consumer.seen_ms = now
    attempts = asked.count * ATTEMPTS
    left = asked.count
    ids: list[StreamId] = list(islice(group.pending.ids_from(start), attempts + 1))
    for visited, last in enumerate(ids):
        if visited == attempts or left == 0:
            found.next_id = last
            break
        held = group.pending.by_id[last]
        entries = place.stream.at_id(last)
        if not entries:
            group.drop_pending(last)
            found.deleted.append(last)
            left -= 1
        elif not asked.idle_ms or now - held.delivered_ms >= asked.idle_ms:
            asked.claim(held, last, consumer, now)
            found.entries += entries
            left -= 1
        if visited % client.slice_items == client.slice_items - 1:
            yield
    if found.deleted:
        stream_groups.send_acks(client.db, place)
    reply.array(client.out, 3)
    reply_id(client.out, found.next_id)
    yield from found.reply(client, asked.is_just_id)
    reply.array(client.out, len(found.deleted))
    for last in found.deleted:
        reply_id(client.out, last)
