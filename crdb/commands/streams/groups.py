"""XGROUP and XACK: the consumer groups of streams.

That a group was created or destroyed is replicated, and a removal wins over everything that is
concurrent with it (rules STM-13, STM-14, STM-17). Consumers and positions belong to this region
(rules STM-20, STM-22). An acknowledgement is sent once no earlier entry is pending (rule STM-18).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.commands.streams.stream_ids import parse_bound, parse_id
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import CommandError, printable
from crdb.resp import reply
from crdt.types.components.stream_groups import ID_MIN, UNKNOWN, Group, StreamId
from crdt.types.stream import Stream
from crdt.writes import stream_groups
from crdt.writes.stream_groups import GroupPlace

COMMANDS: Final[CommandFamily] = CommandFamily("stream", since="5.0.0")
XGROUP: Final = COMMANDS.container(
    "xgroup", summary="A container for commands about consumer groups.", categories="-stream"
)

NO_SUCH_STREAM: Final = (
    b"ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use"
    b" the MKSTREAM option to create an empty stream automatically."
)
NO_SUCH_GROUP: Final = b"NOGROUP No such consumer group '%b' for key name '%b'"
NO_KEY_OR_GROUP: Final = b"NOGROUP No such key '%b' or consumer group '%b'"
GROUP_EXISTS: Final = b"BUSYGROUP Consumer Group name already exists"
ENTRIES_READ_NEGATIVE: Final = b"ERR value for ENTRIESREAD must be positive or -1"
UNKNOWN_SUBCOMMAND: Final = (
    b"ERR unknown subcommand or wrong number of arguments for '%b'. Try %b HELP."
)


def wrong_subcommand(args: list[bytes]) -> CommandError:
    """Return the error for options that a subcommand does not have."""
    return CommandError(UNKNOWN_SUBCOMMAND % (printable(args[1]), args[0].upper()))


def group_for_write(client: Client, key: bytes, name: bytes) -> GroupPlace:
    """Return a group for a subcommand of XGROUP. Raises CommandError if it does not exist."""
    value = read_typed_for_write(client.db, key, Stream)
    if value is None:
        raise CommandError(NO_SUCH_STREAM)
    group = value.group(name)
    if group is None:
        raise CommandError(NO_SUCH_GROUP % (printable(name), printable(key)))
    return GroupPlace(key, name, value, group)


def find_group(client: Client, key: bytes, name: bytes) -> GroupPlace:
    """Return a group for commands on pending entries. Raises CommandError if it does not exist."""
    value = read_typed(client.db, key, Stream)
    group = None if value is None else value.group(name)
    if value is None or group is None:
        raise CommandError(NO_KEY_OR_GROUP % (printable(key), printable(name)))
    return GroupPlace(key, name, value, group)


# -- groups ----------------------------------------------------------------------------------


def parse_options(args: list[bytes], may_create: bool) -> tuple[bool, int]:
    """Return whether MKSTREAM is given, and the number of ENTRIESREAD. Raises CommandError."""
    creates, entries_read = False, UNKNOWN
    index = 5
    while index < len(args):
        if may_create and arguments.is_word(args[index], b"MKSTREAM"):
            creates = True
            index += 1
        elif arguments.is_word(args[index], b"ENTRIESREAD") and index + 1 < len(args):
            entries_read = arguments.integer(args[index + 1])
            if entries_read < UNKNOWN:
                raise CommandError(ENTRIES_READ_NEGATIVE)
            index += 2
        else:
            raise wrong_subcommand(args)
    return creates, entries_read


@XGROUP.declare(
    "create",
    "key group <id-selector: id | $:new-id> [MKSTREAM] [ENTRIESREAD:entries-read"
    " entries-read:integer]",
    "write denyoom",
    keys="RW insert",
    summary="Creates a consumer group.",
    history=("7.0.0 the number of entries read",),
)
def create(client: Client, args: list[bytes]) -> None:
    """Create a group in all regions. A concurrent removal of it wins (STM-14)."""
    creates, entries_read = parse_options(args, True)
    value = read_typed_for_write(client.db, args[2], Stream)
    if value is None and not creates:
        raise CommandError(NO_SUCH_STREAM)
    if args[4] == b"$":
        start = ID_MIN if value is None else value.last_id()
    else:
        start = parse_id(args[4])
    if value is not None and value.group(args[3]) is not None:
        raise CommandError(GROUP_EXISTS)
    stream_groups.create(client.db, args[2], args[3], start, entries_read)
    reply.ok(client.out)


@XGROUP.declare(
    "setid",
    "key group <id-selector: id | $:new-id> [ENTRIESREAD:entriesread entriesread:integer]",
    "write",
    keys="RW update",
    summary="Sets the position of a consumer group.",
    history=("7.0.0 the number of entries read",),
)
def setid(client: Client, args: list[bytes]) -> None:
    """Set the position of a group in this region only (STM-22)."""
    _, entries_read = parse_options(args, False)
    place = group_for_write(client, args[2], args[3])
    last = place.stream.last_id() if args[4] == b"$" else parse_bound(args[4], 0)
    place.group.set_position(last, entries_read)
    reply.ok(client.out)


@XGROUP.declare(
    "destroy",
    "key group",
    "write sliced",
    keys="RW delete",
    summary="Destroys a consumer group.",
    complexity="O(N) where N is the number of pending entries of the group.",
)
def destroy(client: Client, args: list[bytes]) -> None:
    """Destroy a group in all regions, whatever happens to it concurrently (STM-14)."""
    value = read_typed_for_write(client.db, args[2], Stream)
    if value is None:
        raise CommandError(NO_SUCH_STREAM)
    group = value.group(args[3])
    pending = 0 if group is None else len(group.pending)
    slicing.run(client, args, pending, destroy_steps(client, args, group))


def destroy_steps(client: Client, args: list[bytes], group: Group | None) -> Iterator[None]:
    """Free the pending entries of a group, and destroy it."""
    if group is not None:
        yield from drop_pending(client, group, list(group.consumers))
    reply.integer(client.out, stream_groups.destroy(client.db, args[2], args[3]))


def drop_pending(client: Client, group: Group, names: list[bytes]) -> Iterator[None]:
    """Remove the pending entries of some consumers in slices, but leave the last slices."""
    for name in names:
        pending = group.consumers[name].pending
        while len(pending) > client.slice_items:
            for _ in range(client.slice_items):
                group.drop_pending(pending.last())
            yield


@XGROUP.declare(
    "createconsumer",
    "key group consumer",
    "write denyoom",
    keys="RW insert",
    since="6.2.0",
    summary="Creates a consumer of a group.",
)
def createconsumer(client: Client, args: list[bytes]) -> None:
    """Create a consumer of this region (STM-20)."""
    group = group_for_write(client, args[2], args[3]).group
    is_new = args[4] not in group.consumers
    group.consumer(args[4], client.db.now)
    reply.integer(client.out, is_new)


@XGROUP.declare(
    "delconsumer",
    "key group consumer",
    "write sliced",
    keys="RW delete",
    summary="Removes a consumer from a group.",
)
def delconsumer(client: Client, args: list[bytes]) -> None:
    """Remove a consumer of this region, and its pending entries (STM-22)."""
    group = group_for_write(client, args[2], args[3]).group
    consumer = group.consumers.get(args[4])
    pending = 0 if consumer is None else len(consumer.pending)
    slicing.run(client, args, pending, drop_steps(client, group, args[4], pending))


def drop_steps(client: Client, group: Group, name: bytes, pending: int) -> Iterator[None]:
    """Remove a consumer. Reply with the number of its pending entries."""
    if name in group.consumers:
        yield from drop_pending(client, group, [name])
        group.drop_consumer(name)
    reply.integer(client.out, pending)


XGROUP.declare_help()


# -- acknowledgements ------------------------------------------------------------------------


@COMMANDS.declare(
    "xack",
    'key group "ID"...',
    "write fast sliced",
    keys="RW update",
    summary="Acknowledges entries that were delivered to a consumer group.",
    complexity="O(log N) for each id, where N is the number of pending entries.",
)
def xack(client: Client, args: list[bytes]) -> None:
    """Acknowledge entries. Other regions learn of it once no earlier one is pending (STM-18)."""
    value = read_typed(client.db, args[1], Stream)
    group = None if value is None else value.group(args[2])
    if value is None or group is None:
        client.out.append(reply.ZERO)
        return
    ids = [parse_id(each) for each in args[3:]]
    place = GroupPlace(args[1], args[2], value, group)
    slicing.run(client, args, len(ids), ack_steps(client, place, ids))


def ack_steps(client: Client, place: GroupPlace, ids: list[StreamId]) -> Iterator[None]:
    """Acknowledge entries. Reply with the number of those that were pending."""
    done = 0
    for start in range(0, len(ids), client.slice_items):
        if start:
            yield
        done += stream_groups.acknowledge(client.db, place, ids[start : start + client.slice_items])
    reply.integer(client.out, done)
