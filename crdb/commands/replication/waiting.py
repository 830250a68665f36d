"""WAIT: block until other regions have acknowledged the writes of this region so far.

A region counts as soon as it has reported that it holds all writes that were made here before the
WAIT, by this client or by any other. So the count is never too high. It may be lower than the count
for the writes of this client alone.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared.timeouts import parse_timeout_ms
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.clients.blocking import Waiter
from crdb.engine.errors import CommandError
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("generic")


NOT_IN_REPLICAS: Final = (
    b"ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a"
    b" replica is configured to be writable (which is not the default) writes to replicas are just"
    b" local and are not propagated."
)
NO_FILE: Final = b"ERR WAITAOF is not supported by crdb: data lives in memory only"


@COMMANDS.declare(
    "wait",
    "numreplicas timeout:integer",
    since="3.0.0",
    summary="Waits until other regions have acknowledged all writes made here so far.",
    complexity="O(N) where N is the number of regions, for each attempt.",
    categories="connection -keyspace",
    tips="request_policy:all_shards response_policy:agg_min",
)
def wait(client: Client, args: list[bytes]) -> None:
    """Reply with the number of regions that have acknowledged. A timeout of 0 waits forever."""
    instance = client.instance
    count_acknowledged = instance.surroundings.count_acknowledged
    if instance.role != b"master":
        raise CommandError(NOT_IN_REPLICAS)
    wanted = arguments.integer(args[1])
    ms = parse_timeout_ms(args[2])
    written = client.db.seq
    out = client.out

    def reply_if_acknowledged() -> bool:
        count = count_acknowledged(written)
        if count >= wanted:
            reply.integer(out, count)
        return count >= wanted

    def time_out() -> None:
        reply.integer(out, count_acknowledged(written))

    if reply_if_acknowledged():
        return
    if client.in_exec:
        time_out()
        return
    deadline = instance.now + ms if ms else None
    instance.polling.add(Waiter(client, deadline, reply_if_acknowledged, time_out), instance.now)


@COMMANDS.declare(
    "waitaof",
    "numlocal numreplicas timeout:integer",
    "noscript",
    since="7.2.0",
    summary="Refused: nothing is written to disk.",
    categories="connection -keyspace",
    tips="request_policy:all_shards response_policy:agg_min",
)
def waitaof(_client: Client, _args: list[bytes]) -> None:
    raise CommandError(NO_FILE)
