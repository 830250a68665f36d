"""A client's bytes in, its replies out: the loop that every request passes through.

The common request, a known command of a client in no special state, costs one look into the table,
one comparison of its arity and the handler itself. Everything else goes to `calls.dispatch`. What
can be counted per batch is.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from crdb.resp import reply
from crdb.resp.errors import ProtocolError
from crdb.server.calls import dispatch, handle
from crdb.server.client import Client
from crdb.server.isolation import isolated
from crdb.server.registry import TABLE
from crdb.server.session import BLOCKED, CLOSING
from crdb.server.table import CONTAINER, WRITE, Command

BATCH_MAX: Final = 4096
"""Requests of one client before others get their turn."""
STOP: Final = BLOCKED | CLOSING


def receive(client: Client, data: bytes) -> bytes:
    """Everything that `client` is owed after `data`; for tests and for use without sockets."""
    run(client, data)
    while client in client.instance.woken:
        client.instance.woken.remove(client)
        run(client, b"")
    replies = b"".join(client.out)
    client.out.clear()
    client.output_bytes = 0
    return replies


def run(client: Client, data: bytes) -> None:
    """Carry out the requests in `data`, and those left from before; replies go to `client.out`.

    Stops at a command that blocks, at a request that closes the connection, and after BATCH_MAX
    requests; then the session is put into `instance.woken` to be run again with no data.
    """
    instance = client.instance
    instance.statistics.ran.clear()
    if data:
        client.parser.feed(data)
        client.received_bytes += len(data)
        instance.statistics.input_bytes += len(data)
        client.active_at = instance.now
        if instance.statistics.input_bytes >= instance.memory.look_at:
            instance.memory.sample(instance.statistics.input_bytes)
    if client.db.touched:
        instance.serve_touched()
    isolated(client, instance.report, lambda: run_batch(client))
    instance.statistics.settle()
    if client.parser.pending > instance.config.request_bytes_max:
        instance.statistics.dropped_query += 1
        client.kill()


def run_batch(client: Client) -> bool:
    """The loop itself. True when there is nothing more to do for now."""
    instance = client.instance
    touched = client.db.touched
    parser = client.parser
    out = client.out
    statistics = instance.statistics
    memory = instance.memory
    latest: Command | None = None
    output_bytes: i64 = client.output_bytes
    output_limit: i64 = client.output_limit
    counted: i64 = 0
    count: i64 = 0
    try:
        while client.gate & STOP == 0 and count < BATCH_MAX:
            args = parser.next()
            if args is None:
                break
            count += 1
            command = TABLE.get(args[0])
            if (
                command is None
                or client.gate != 0
                or command.bits & CONTAINER
                or (len(args) != command.arity and not command.takes(len(args)))
                or memory.denied_bits & command.bits
                or (instance.refuse_writes is not None and command.bits & WRITE)
            ):
                latest = None
                dispatch(client, args)
            else:
                latest = command
                statistics.note(command.number)
                handle(client, command, args)
            if touched:
                instance.serve_touched()
            while counted < len(out):
                output_bytes += len(out[counted])
                counted += 1
            if output_bytes > output_limit:
                client.output_bytes = output_bytes
                instance.check_output(client)
    except ProtocolError as fault:
        hang_up(client, fault)
    if count == BATCH_MAX:
        instance.wake(client)
    if latest is not None:
        client.last_command = latest.full_name
    client.output_bytes = output_bytes
    statistics.commands += count
    return True


def hang_up(client: Client, fault: ProtocolError) -> None:
    """Nobody knows where the next request begins: say why, and close."""
    mark = len(client.out)
    reply.error(client.out, fault.text)
    client.mute(mark)
    client.instance.statistics.count_error(fault.text)
    client.close_after_reply()
