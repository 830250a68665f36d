"""MULTI, EXEC, DISCARD, WATCH, UNWATCH.

Everything that one EXEC writes becomes one operation, applied without interleaving in every region
(rule TXN-2, D-16): nothing from elsewhere can come in between, since EXEC runs in one go.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.clients.watch import discard
from crdb.engine.command import Command
from crdb.engine.dispatch import call
from crdb.engine.errors import CommandError
from crdb.engine.session import IN_TRANSACTION, KILLED
from crdb.resp import reply

NESTED: Final = b"ERR MULTI calls can not be nested"
WATCH_INSIDE: Final = b"ERR WATCH inside MULTI is not allowed"
EXEC_WITHOUT: Final = b"ERR EXEC without MULTI"
DISCARD_WITHOUT: Final = b"ERR DISCARD without MULTI"
ABORTED: Final = b"EXECABORT Transaction discarded because of previous errors."


def multi(client: Client, _args: list[bytes]) -> None:
    """Queue what follows until EXEC."""
    if client.flags & IN_TRANSACTION:
        raise CommandError(NESTED)
    client.flags |= IN_TRANSACTION
    reply.ok(client.out)


def exec_(client: Client, _args: list[bytes]) -> None:
    """Run the queue, unless a request in it was refused or a watched key has changed."""
    if not client.flags & IN_TRANSACTION:
        raise CommandError(EXEC_WITHOUT)
    watching = client.instance.watching
    queue = client.queue
    spoiled, dirty = client.spoiled, client.dirty or watching.expired(client)
    if spoiled or dirty:
        discard(client, watching)
        if spoiled:
            raise CommandError(ABORTED)
        reply.null_array(client.out, client.protocol)
        return
    watching.unwatch(client)
    reply.array(client.out, len(queue))
    client.in_exec = True
    run_queue(client, queue)
    client.in_exec = False
    discard(client, watching)


def run_queue(client: Client, queue: list[list[bytes]]) -> None:
    """Run what was queued. A client whose replies exceed its output limit on the way is closed, and
    gets none of them. The rest of the queue still runs: a transaction is carried out as a whole."""
    out = client.out
    counted, size = 0, client.output_bytes
    commands = client.instance.commands
    for args in queue:
        call(client, commands.require(args), args)
        if client.flags & KILLED:
            out.clear()
            continue
        while counted < len(out):
            size += len(out[counted])
            counted += 1
        if size > client.output_limit:
            check_output(client, size)


def check_output(client: Client, size: int) -> None:
    """Close a client if `size` bytes of replies are too many. Those in `out` are counted later."""
    before = client.output_bytes
    client.output_bytes = size
    client.instance.check_output(client)
    client.output_bytes = before


def discard_(client: Client, _args: list[bytes]) -> None:
    """Forget the queue."""
    if not client.flags & IN_TRANSACTION:
        raise CommandError(DISCARD_WITHOUT)
    discard(client, client.instance.watching)
    reply.ok(client.out)


def watch(client: Client, args: list[bytes]) -> None:
    """Let the next EXEC fail if one of the keys changes."""
    if client.flags & IN_TRANSACTION:
        raise CommandError(WATCH_INSIDE)
    if not client.dirty:
        for key in args[1:]:
            client.instance.watching.watch(client, key)
    reply.ok(client.out)


def unwatch(client: Client, _args: list[bytes]) -> None:
    """Watch nothing any more."""
    client.instance.watching.unwatch(client)
    reply.ok(client.out)


COMMON: Final = "noscript loading stale"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "multi",
        multi,
        1,
        f"{COMMON} fast allow_busy unqueued",
        group="transactions",
        since="1.2.0",
        summary="Starts a transaction.",
        complexity="O(1)",
    ),
    Command(
        "exec",
        exec_,
        1,
        f"{COMMON} skip_slowlog unqueued",
        group="transactions",
        since="1.2.0",
        summary="Executes all commands in a transaction.",
        complexity="Depends on commands in the transaction",
    ),
    Command(
        "discard",
        discard_,
        1,
        f"{COMMON} fast allow_busy unqueued",
        group="transactions",
        since="2.0.0",
        summary="Discards a transaction.",
        complexity="O(N), when N is the number of queued commands",
    ),
    Command(
        "watch",
        watch,
        -2,
        f"{COMMON} fast allow_busy unqueued",
        keys=(1, -1, 1),
        group="transactions",
        since="2.2.0",
        summary="Monitors changes to keys to determine the execution of a transaction.",
        complexity="O(1) for every key.",
    ),
    Command(
        "unwatch",
        unwatch,
        1,
        f"{COMMON} fast allow_busy",
        group="transactions",
        since="2.2.0",
        summary="Forgets about watched keys of a transaction.",
        complexity="O(1)",
    ),
)
