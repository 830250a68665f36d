"""MULTI, EXEC, DISCARD, WATCH, UNWATCH.

Everything that one EXEC writes becomes one operation, applied without interleaving in every region
(rule TXN-2, D-16). A short transaction runs to its end without giving up control. A long one, or
one with a command that may take long, runs in slices, with its keys to itself (see
`crdb.engine.execution.slices`). So nothing can come in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared.slicing import must_settle, run
from crdb.engine.client import Client
from crdb.engine.clients.watch import discard
from crdb.engine.command import SLICED, WHOLE, Command
from crdb.engine.errors import MEMORY_EXHAUSTED, CommandError
from crdb.engine.execution.dispatch import QUEUE_PART, call, fail
from crdb.engine.execution.slices import run_step
from crdb.engine.session import IN_TRANSACTION, KILLED, RESTRICTED, TRACKING
from crdb.resp import reply
from crdt.structures.pieces import in_pieces

COMMANDS: Final[CommandFamily] = CommandFamily("transactions")


NESTED: Final = b"ERR MULTI calls can not be nested"
WATCH_INSIDE: Final = b"ERR WATCH inside MULTI is not allowed"
EXEC_WITHOUT: Final = b"ERR EXEC without MULTI"
DISCARD_WITHOUT: Final = b"ERR DISCARD without MULTI"
DONE: Final[list[bytes]] = []
"""Takes the place of a queued request that has run."""
ABORTED: Final = b"EXECABORT Transaction discarded because of previous errors."


@COMMANDS.declare(
    "multi",
    "",
    "noscript loading stale fast allow_busy unqueued",
    since="1.2.0",
    summary="Starts a transaction.",
)
def multi(client: Client, _args: list[bytes]) -> None:
    if client.flags & IN_TRANSACTION:
        raise CommandError(NESTED)
    client.flags |= IN_TRANSACTION
    reply.ok(client.out)


@COMMANDS.declare(
    "exec",
    "",
    "noscript loading stale skip_slowlog unqueued",
    since="1.2.0",
    summary="Executes the queued commands of a transaction.",
    complexity="Depends on commands in the transaction",
)
def exec_(client: Client, args: list[bytes]) -> None:
    """Run the queue, unless a request in it was refused or a watched key has changed."""
    if not client.flags & IN_TRANSACTION:
        raise CommandError(EXEC_WITHOUT)
    watching = client.instance.watching
    queue = client.queue
    is_long = len(client.watched) > client.slice_items
    if client.spoiled:
        discard(client, watching)
        raise CommandError(ABORTED)
    if client.dirty or (not is_long and watching.expired(client)):
        abort(client)
        return
    if client.queued_bits & WHOLE and must_settle(client, args):
        return
    if is_long:
        client.hand_over(args, check_and_run(client, queue))
    elif len(queue) > client.slice_items // QUEUE_PART or client.queued_bits & SLICED:
        client.hand_over(args, run_queue(client, queue))
    else:
        for _ in run_queue(client, queue):
            pass  # it is short, so it ends in this turn


def abort(client: Client) -> None:
    """Reply that a watched key has changed, and leave the transaction."""
    discard(client, client.instance.watching)
    reply.null_array(client.out, client.protocol)


def check_and_run(client: Client, queue: list[list[bytes]]) -> Iterator[None]:
    """Run the queued requests, in slices, unless one of many watched keys has expired."""
    watching = client.instance.watching
    for piece in in_pieces(client.watched, client.slice_items):
        if any(watching.is_expired(key, client.watched[key]) for key in piece):
            abort(client)
            return
        yield
    yield from run_queue(client, queue)


def run_queue(client: Client, queue: list[list[bytes]]) -> Iterator[None]:
    """Run the queued requests, in slices.

    A client whose replies exceed its output limit on the way is closed and gets none of them. The
    rest of the queue still runs, since a transaction is carried out as a whole.
    """
    instance = client.instance
    instance.watching.unwatch(client)
    reply.array(client.out, len(queue))
    client.in_exec = True
    client.apply_queued_mode()
    left = client.slice_items
    for index, args in enumerate(queue):
        if left <= 0:
            yield
            left = client.slice_items
        command = instance.commands.require(args)
        if not (client.flags & RESTRICTED and refuse(client, command, args)):
            call(client, command, args)
            if client.flags & TRACKING:
                track_reads(client, command, args)
        left -= len(args)
        if client.nested is not None:
            steps, client.nested = client.nested, None
            for _ in run_nested(client, command, steps):
                yield
            instance.key_events.finish(client)
            left = 0
        queue[index] = DONE  # frees the request
        client.apply_queued_mode()
        if client.flags & KILLED:
            client.drop_replies()
        elif client.count_output():
            instance.check_output(client)
    client.in_exec = False
    discard(client, instance.watching)


def refuse(client: Client, command: Command, args: list[bytes]) -> bool:
    """Reply with an error if the client may no longer make a request of its queue (ACL-19). Return
    whether that is so."""
    error = client.instance.access.refuse_in_exec(client, command, args)
    if error is not None:
        client.instance.statistics.rejected[command.number] += 1
        client.instance.statistics.count_error(error)
        reply.error(client.out, error)
    return error is not None


def track_reads(client: Client, command: Command, args: list[bytes]) -> None:
    """Remember the keys that a queued command has read, at the end of its slices if it has any."""
    steps = client.instance.tracking.remember_in_slices(client, command, args)
    if client.nested is not None:
        client.nested = chain(client.nested, steps)
        return
    for _ in steps:
        pass


def run_nested(client: Client, command: Command, steps: Iterator[None]) -> Iterator[None]:
    """Run a command of the queue in slices. One that fails after a part of its reply closes the
    connection. The rest of the queue still runs."""
    has_replied = False
    while True:
        mark = len(client.out)
        try:
            if not run_step(steps):
                return
        except CommandError as refusal:
            fail(client, command, mark, refusal.text)
        except MemoryError:
            fail(client, command, mark, MEMORY_EXHAUSTED)
            client.instance.memory_exhausted("a command of a client")
        else:
            has_replied = has_replied or len(client.out) > mark
            yield
            continue
        if has_replied:
            client.instance.kill(client)
        return


@COMMANDS.declare(
    "discard",
    "",
    "noscript loading stale fast allow_busy unqueued",
    since="2.0.0",
    summary="Discards the queued commands of a transaction.",
    complexity="O(N), when N is the number of queued commands",
)
def discard_(client: Client, _args: list[bytes]) -> None:
    if not client.flags & IN_TRANSACTION:
        raise CommandError(DISCARD_WITHOUT)
    discard(client, client.instance.watching)
    reply.ok(client.out)


@COMMANDS.declare(
    "watch",
    "key...",
    "noscript loading stale fast allow_busy unqueued sliced",
    keys="RO",
    since="2.2.0",
    summary="Watches keys: the next transaction is executed only if they do not change.",
    complexity="O(1) for every key.",
)
def watch(client: Client, args: list[bytes]) -> None:
    if client.flags & IN_TRANSACTION:
        raise CommandError(WATCH_INSIDE)
    run(client, args, len(args), watch_each(client, args))


def watch_each(client: Client, args: list[bytes]) -> Iterator[None]:
    """Watch the keys in the arguments, in slices if they are many."""
    for start in range(1, len(args), client.slice_items):
        if start > 1:
            yield
        if not client.dirty:
            for key in args[start : start + client.slice_items]:
                client.instance.watching.watch(client, key)
    reply.ok(client.out)


@COMMANDS.declare(
    "unwatch",
    "",
    "noscript loading stale fast allow_busy",
    since="2.2.0",
    summary="Forgets the watched keys of a transaction.",
)
def unwatch(client: Client, _args: list[bytes]) -> None:
    client.instance.watching.unwatch(client)
    reply.ok(client.out)
