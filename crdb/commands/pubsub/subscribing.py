"""SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.

Each name gets a reply of its own, which is a push: CLIENT REPLY does not drop it. It holds the
number of channels and patterns that the client subscribes to afterwards, or of shard channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.pubsub.messages import CHANNEL, PATTERN, SHARD_CHANNEL
from crdb.engine.session import KILLED
from crdb.resp import reply
from crdt.structures.pieces import in_pieces

COMMANDS: Final[CommandFamily] = CommandFamily("pubsub", since="2.0.0")

SUBSCRIBE_WORDS: Final = (b"subscribe", b"ssubscribe", b"psubscribe")
UNSUBSCRIBE_WORDS: Final = (b"unsubscribe", b"sunsubscribe", b"punsubscribe")
"""The first words of replies, by the kind of the names."""
INSIDE_EXEC: Final = b"ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
SHARD_SINCE: Final = "7.0.0"


@COMMANDS.declare(
    "subscribe",
    "channel...",
    "pubsub noscript loading stale sliced",
    channels="names",
    summary="Subscribes to channels.",
    complexity="O(N) for N channels.",
)
def subscribe(client: Client, args: list[bytes]) -> None:
    slicing.run(client, args, len(args), subscribe_each(client, args[1:], CHANNEL))


@COMMANDS.declare(
    "psubscribe",
    "pattern...",
    "pubsub noscript loading stale sliced",
    channels="patterns",
    summary="Subscribes to all channels whose names match patterns.",
    complexity="O(N) for N patterns.",
)
def psubscribe(client: Client, args: list[bytes]) -> None:
    slicing.run(client, args, len(args), subscribe_each(client, args[1:], PATTERN))


@COMMANDS.declare(
    "ssubscribe",
    "shardchannel...",
    "pubsub noscript loading stale sliced",
    channels="names",
    since=SHARD_SINCE,
    summary="Subscribes to shard channels.",
    complexity="O(N) for N shard channels.",
    shard_channels=-1,
)
def ssubscribe(client: Client, args: list[bytes]) -> None:
    if client.in_exec:
        raise CommandError(INSIDE_EXEC)
    slicing.run(client, args, len(args), subscribe_each(client, args[1:], SHARD_CHANNEL))


def subscribe_each(client: Client, names: list[bytes], kind: int) -> Iterator[None]:
    """Subscribe to names, in slices if they are many. Reply for each of them."""
    instance = client.instance
    subscribers = instance.hub.subscribers
    instance.hub.catch_up(client)
    for index, piece in enumerate(in_pieces(names, client.slice_items)):
        if index:
            yield
        for name in piece:
            if not client.flags & KILLED:
                subscribers.subscribe(client, kind, name)
            push_count(client, kind, SUBSCRIBE_WORDS[kind], name)
        instance.limit_output(client)


@COMMANDS.declare(
    "unsubscribe",
    "[channel...]",
    "pubsub noscript loading stale sliced",
    summary="Ends subscriptions to channels, or to all of them.",
    complexity="O(N) for N channels.",
)
def unsubscribe(client: Client, args: list[bytes]) -> None:
    end_subscriptions(client, args, CHANNEL)


@COMMANDS.declare(
    "punsubscribe",
    "[pattern...]",
    "pubsub noscript loading stale sliced",
    summary="Ends subscriptions to patterns, or to all of them.",
    complexity="O(N) for N patterns.",
)
def punsubscribe(client: Client, args: list[bytes]) -> None:
    end_subscriptions(client, args, PATTERN)


@COMMANDS.declare(
    "sunsubscribe",
    "[shardchannel...]",
    "pubsub noscript loading stale sliced",
    since=SHARD_SINCE,
    summary="Ends subscriptions to shard channels, or to all of them.",
    complexity="O(N) for N shard channels.",
    shard_channels=-1,
)
def sunsubscribe(client: Client, args: list[bytes]) -> None:
    end_subscriptions(client, args, SHARD_CHANNEL)


def end_subscriptions(client: Client, args: list[bytes], kind: int) -> None:
    """End the subscriptions to names; to all of a kind without any. Reply for each of them, or once
    if there are none."""
    names = args[1:]
    if not names and client.subscriptions is not None:
        names = client.subscriptions.names(kind)
    if names:
        slicing.run(client, args, len(names), unsubscribe_each(client, names, kind))
    else:
        push_count(client, kind, UNSUBSCRIBE_WORDS[kind], None)


def unsubscribe_each(client: Client, names: list[bytes], kind: int) -> Iterator[None]:
    """End subscriptions, in slices if they are many. Reply for each of them."""
    instance = client.instance
    subscribers = instance.hub.subscribers
    instance.hub.catch_up(client)
    for index, piece in enumerate(in_pieces(names, client.slice_items)):
        if index:
            yield
        for name in piece:
            subscribers.unsubscribe(client, kind, name)
            push_count(client, kind, UNSUBSCRIBE_WORDS[kind], name)
    instance.limit_output(client)


def push_count(client: Client, kind: int, word: bytes, name: bytes | None) -> None:
    """Reply that a subscription has begun or ended, and how many there are now."""
    if kind == SHARD_CHANNEL:
        count = client.subscription_count(SHARD_CHANNEL)
    else:
        count = client.subscription_count(CHANNEL) + client.subscription_count(PATTERN)
    out: list[bytes] = []
    reply.push_header(out, client.protocol, 3)
    reply.bulk(out, word)
    reply.bulk_or_null(out, client.protocol, name)
    reply.integer(out, count)
    client.push(b"".join(out))
