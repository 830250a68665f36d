"""A client's bytes in, its replies out: the loop that every request passes through.

The common request, a known command of a client in no special state, costs one look into the table,
one comparison of its arity and the handler itself. Everything else goes to `dispatch`. Calls and
their times are counted per batch where possible.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from crdb.engine.client import Client
from crdb.engine.clients.crash_guard import contain_crash
from crdb.engine.command import TIMED, Command
from crdb.engine.execution.dispatch import call, dispatch, handle, resume
from crdb.engine.session import BLOCKED, CLOSING, POSTPONED, WORKING
from crdb.resp import reply
from crdb.resp.errors import ProtocolError
from crdt.embed.replica import RUN_BYTES_MAX

BATCH_MAX: Final = 4096
"""Requests of one client before other clients are served."""
BATCH_SECONDS_MAX: Final = 0.002
"""A batch that took longer ends, so that other clients are served."""
UNTIMED_MAX: Final = 8
"""The clock is read at least once in so many requests. A power of two."""
SHORT_ARGUMENTS_MAX: Final = 16
"""A request of more arguments may take long, whatever its command is."""
STOP: Final = BLOCKED | CLOSING | POSTPONED | WORKING


def receive(client: Client, data: bytes) -> bytes:
    """Run the requests in `data`. Return all replies; for tests and for use without sockets. A
    command in slices runs to its end."""
    run(client, data)
    instance = client.instance
    slices = instance.slices
    while client in instance.woken or client.flags & WORKING or slices.is_preparing(client):
        if client in instance.woken:
            instance.woken.remove(client)
            run(client, b"")
        else:
            slices.run_slice()
    replies = b"".join(client.out)
    client.out.clear()
    client.output_bytes = client.counted = 0
    return replies


def run(client: Client, data: bytes) -> None:
    """Run the requests in `data`, and those left from before. Replies go to `client.out`.

    Stops at a command that blocks, at a request that closes the connection, after BATCH_MAX
    requests, and soon after BATCH_SECONDS_MAX. If there may be more, the session is put into
    `instance.woken` to be run again with no data.
    """
    instance = client.instance
    if data:
        client.received_bytes += len(data)
        instance.statistics.input_bytes += len(data)
        client.active_at = instance.now
        if instance.statistics.input_bytes >= instance.memory.sample_at_bytes:
            instance.sample_memory()
    if client.db.has_changes():
        instance.serve_dirty_keys()
    if client.db.has_unsettled_keys() is not instance.slices.is_unsettled:
        instance.combine_guards()
    instance.statistics.ran.clear()
    if client.postponed is not None and client.flags & STOP == 0:
        contain_crash(client, instance.report, lambda: resume(client))
    contain_crash(client, instance.report, lambda: run_batch(client, data))
    client.db.pack_recent()
    if client.parser.pending > instance.config.request_bytes_max:
        instance.statistics.dropped_query += 1
        client.kill()


def run_batch(client: Client, data: bytes) -> bool:
    """Parse `data` and run the requests that are complete. Return True, for `contain_crash`.

    The commands that ran since the clock was read are in `statistics.ran`, except for the last
    `runs` runs of `latest`.
    """
    parser = client.parser
    parser.feed(data)
    instance, db = client.instance, client.db
    by_name = instance.commands.by_name
    timing = instance.timing
    latest: Command | None = None
    latest_args: list[bytes] = []
    command: Command | None = None
    name = b""
    runs: i64 = 0
    count: i64 = 0
    most: i64 = BATCH_MAX
    began = timing.clock()
    ends = began + BATCH_SECONDS_MAX
    try:
        while count < most and client.flags & STOP == 0 and (args := parser.next()) is not None:
            count += 1
            if args[0] is not name:  # the parser returns the same object for the same name
                name = args[0]
                command = by_name.get(name)
            if command is not None and not timing.times_each and is_short(client, command, args):
                if latest is not command:
                    if latest is not None:
                        instance.statistics.ran.append((latest.number, runs))
                    latest, runs = command, 0
                latest_args = args
                runs += 1
                handle(client, command, args)
                if count & (UNTIMED_MAX - 1) == 0 and timing.clock() >= ends:
                    most = count
            else:
                if latest is not None:
                    count_runs(client, latest, latest_args, runs, timing.clock() - began)
                    latest, runs = None, 0
                began = run_timed(client, command, args)
                most = count if began >= ends else most
            if db.has_changes() or db.pending_bytes() >= RUN_BYTES_MAX:
                instance.after_command(client)
            if client.count_output():
                instance.check_output(client)
    except ProtocolError as fault:
        hang_up(client, fault)
    if client.flags & (WORKING | POSTPONED):
        runs -= 1  # the latest is counted at its end
    if latest is not None:
        count_runs(client, latest, latest_args, runs, timing.clock() - began)
    if count == most:
        instance.wake(client)  # more requests may be complete
    return True


def is_plain(client: Client, command: Command, args: list[bytes]) -> bool:
    """Return whether a request may run without asking the guards."""
    return (
        client.flags == 0
        and command.bits & client.instance.guarded_bits == 0
        and (len(args) == command.arity or command.takes(len(args)))
    )


def is_short(client: Client, command: Command, args: list[bytes]) -> bool:
    """Return whether a request may run without asking the guards and without being timed."""
    count = len(args)
    return (
        client.flags == 0
        and command.bits & (TIMED | client.instance.guarded_bits) == 0
        and count <= SHORT_ARGUMENTS_MAX
        and (count == command.arity or command.takes(count))
    )


def run_timed(client: Client, command: Command | None, args: list[bytes]) -> float:
    """Run one request by itself. Return the clock after it."""
    if command is not None and is_plain(client, command, args):
        client.last_command = command.full_name
        return call(client, command, args)
    dispatch(client, args)
    return client.instance.timing.clock()


def count_runs(
    client: Client, command: Command, args: list[bytes], runs: int, seconds: float
) -> None:
    """Count short commands that took `seconds` together. The last of them ran `runs` times.

    If they took long although they are short, the next ones are timed each by itself.
    """
    client.last_command = command.full_name
    instance = client.instance
    statistics = instance.statistics
    if runs <= 0:  # it is counted at its end
        if statistics.ran:
            statistics.charge(seconds)
        return
    if seconds >= instance.timing.outlier_seconds:
        if runs == 1 and not statistics.ran:
            instance.timing.observe(client, command, args, seconds, instance.wall // 1000)
            return
        instance.timing.suspect(instance.now)
    if not statistics.ran:
        statistics.count_calls(command.number, runs, seconds)
        return
    statistics.ran.append((command.number, runs))
    statistics.charge(seconds)


def hang_up(client: Client, fault: ProtocolError) -> None:
    """Reply with a protocol error and close, as the next request cannot be found."""
    mark = len(client.out)
    reply.error(client.out, fault.text)
    client.mute(mark)
    client.instance.statistics.count_error(fault.text)
    client.close_after_reply()
