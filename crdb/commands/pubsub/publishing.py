"""PUBLISH, SPUBLISH, and PUBSUB, which reports who subscribes.

A message is delivered to the subscribers of this region, and crosses to all other regions as an
effect that changes nothing (rules PUB-1 to PUB-5). The reply counts the receivers in this region.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdb.engine.command import DENY_LOADING, WRITE
from crdb.engine.glob import compile_glob
from crdb.engine.pubsub.messages import CHANNEL, SHARD_CHANNEL
from crdb.resp import reply
from crdt.structures.pieces import in_pieces
from crdt.writes import message

COMMANDS: Final[CommandFamily] = CommandFamily("pubsub", since="2.0.0")
PUBSUB: Final = COMMANDS.container(
    "pubsub", since="2.8.0", summary="A container for publish/subscribe commands."
)
PUBSUB.declare_help(since="6.2.0")

FLAGS: Final = "pubsub loading stale"
SHARD_SINCE: Final = "7.0.0"


@COMMANDS.declare(
    "publish",
    "channel message",
    "pubsub loading stale fast may_replicate sliced",
    channels="names",
    summary="Publishes a message to a channel, in all regions.",
    complexity="O(N+M) for N receivers and M patterns.",
)
def publish(client: Client, args: list[bytes]) -> None:
    """Publish to the subscribers of a channel, and of the patterns that match it."""
    hub = client.instance.hub
    if hub.is_full():
        client.wait_for(args, hub.wait_for_room())
    elif hub.subscribers.patterns() > client.slice_items:
        client.hand_over(args, publish_in_slices(client, args))
    else:
        send_to_regions(client, CHANNEL, args)
        reply.integer(client.out, hub.publish(CHANNEL, args[1], args[2], client))


def publish_in_slices(client: Client, args: list[bytes]) -> Iterator[None]:
    """Publish while there are many patterns, of which each slice compares some."""
    hub = client.instance.hub
    patterns = list(hub.subscribers.globs)
    send_to_regions(client, CHANNEL, args)
    count = hub.publish_to_channel(CHANNEL, args[1], args[2], client)
    for index, piece in enumerate(in_pieces(patterns, client.slice_items)):
        if index:
            yield
        count = hub.publish_to_patterns(list(piece), args[1], args[2], client, count)
    reply.integer(client.out, count)


@COMMANDS.declare(
    "spublish",
    "shardchannel message",
    "pubsub loading stale fast may_replicate sliced",
    channels="names",
    since=SHARD_SINCE,
    summary="Publishes a message to a shard channel, in all regions.",
    complexity="O(N) for N receivers.",
    shard_channels=0,
)
def spublish(client: Client, args: list[bytes]) -> None:
    """Publish to the subscribers of a shard channel (D-17: in all regions, like PUBLISH)."""
    hub = client.instance.hub
    if hub.is_full():
        client.wait_for(args, hub.wait_for_room())
        return
    send_to_regions(client, SHARD_CHANNEL, args)
    reply.integer(client.out, hub.publish(SHARD_CHANNEL, args[1], args[2], client))


def send_to_regions(client: Client, kind: int, args: list[bytes]) -> None:
    """Send a message to all other regions, unless this instance may not write now: a follower, or a
    region that recovers, delivers it to its own subscribers only."""
    instance = client.instance
    is_refused = WRITE in instance.refusals or DENY_LOADING in instance.refusals
    if not is_refused and instance.journal_error is None:
        message.publish(client.db, kind, args[1], args[2])


@PUBSUB.declare(
    "channels",
    "[pattern]",
    f"{FLAGS} sliced",
    summary="Lists the channels that somebody subscribes to.",
    complexity="O(N) for N channels.",
)
def pubsub_channels(client: Client, args: list[bytes]) -> None:
    list_channels(client, args, CHANNEL)


@PUBSUB.declare(
    "shardchannels",
    "[pattern]",
    f"{FLAGS} sliced",
    since=SHARD_SINCE,
    summary="Lists the shard channels that somebody subscribes to.",
    complexity="O(N) for N shard channels.",
)
def pubsub_shardchannels(client: Client, args: list[bytes]) -> None:
    list_channels(client, args, SHARD_CHANNEL)


def list_channels(client: Client, args: list[bytes], kind: int) -> None:
    """Reply with the channels of a kind that match the pattern, if there is one."""
    names = list(client.instance.hub.subscribers.by_kind[kind])
    pattern = args[2] if len(args) > 2 else None
    slicing.run(client, args, len(names), reply_matching(client, names, pattern))


def reply_matching(client: Client, names: list[bytes], pattern: bytes | None) -> Iterator[None]:
    """Reply with those of `names` that match `pattern`, in slices if they are many."""
    if pattern is not None:
        glob = compile_glob(pattern)
        found: list[bytes] = []
        for piece in in_pieces(names, client.slice_items):
            found += [name for name in piece if glob.fullmatch(name)]
            yield
        names = found
    reply.array(client.out, len(names))
    yield from slicing.reply_bulks(client, names)


@PUBSUB.declare(
    "numsub",
    "[channel...]",
    FLAGS,
    summary="Counts the subscribers of channels.",
    complexity="O(N) for N channels.",
)
def pubsub_numsub(client: Client, args: list[bytes]) -> None:
    count_subscribers(client, args, CHANNEL)


@PUBSUB.declare(
    "shardnumsub",
    "[shardchannel...]",
    FLAGS,
    since=SHARD_SINCE,
    summary="Counts the subscribers of shard channels.",
    complexity="O(N) for N shard channels.",
)
def pubsub_shardnumsub(client: Client, args: list[bytes]) -> None:
    count_subscribers(client, args, SHARD_CHANNEL)


def count_subscribers(client: Client, args: list[bytes], kind: int) -> None:
    """Reply with each name and the number of its subscribers."""
    subscribers = client.instance.hub.subscribers
    reply.array(client.out, 2 * (len(args) - 2))
    for name in args[2:]:
        reply.bulk(client.out, name)
        reply.integer(client.out, subscribers.count(kind, name))


@PUBSUB.declare(
    "numpat",
    "",
    FLAGS,
    summary="Counts the patterns that somebody subscribes to.",
)
def pubsub_numpat(client: Client, _args: list[bytes]) -> None:
    reply.integer(client.out, client.instance.hub.subscribers.patterns())
