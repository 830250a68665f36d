"""The way of a command from request to reply: the guards, then the handler.

For a client in no special state the executor skips most of this. EXEC also runs its queue through
`call`.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.clients.watch import discard
from crdb.engine.command import LOCKABLE, MAY_REPLICATE, SLICED, UNQUEUED, WRITE, Command
from crdb.engine.errors import MEMORY_EXHAUSTED, CommandError
from crdb.engine.events.operator_events import CrossProtocolEvent
from crdb.engine.execution.guards import bits_of, check_guards
from crdb.engine.execution.reach import reach_of_request
from crdb.engine.execution.slices import MustWait
from crdb.engine.session import (
    ALOUD,
    BLOCKED,
    IN_TRANSACTION,
    MUTED,
    PAUSED,
    POSTPONED,
    SKIP_NEXT,
    SKIPPING,
    TRACKING,
    WORKING,
)
from crdb.resp import reply

CROSS_PROTOCOL: Final = frozenset({b"host:", b"post"})
"""The first words of HTTP requests, which a web page could send without its reader's knowledge."""
CLIENT_REPLY: Final = b"client|reply"
REPLY_MODES: Final[dict[bytes, int]] = {b"OFF": MUTED, b"ON": ALOUD}
QUEUE_PART: Final = 10
"""A queue of more requests than this part of a slice is long: EXEC runs it in slices. So it does if
a request in it has as many arguments. The keys of a long queue are collected while it is filled."""


def dispatch(client: Client, args: list[bytes]) -> None:
    """Run, queue or refuse one request."""
    mark = len(client.out)
    name = args[0].lower()
    if name in CROSS_PROTOCOL:
        client.instance.report(CrossProtocolEvent(address=client.address.decode()))
        client.kill()
        return
    try:
        command = client.instance.commands.require(args)
    except CommandError as refusal:
        reject(client, name, refusal.text)
    else:
        client.last_command = command.full_name
        run_guarded(client, command, args)
    if client.flags & POSTPONED:
        return
    if client.flags & TRACKING and not client.flags & IN_TRANSACTION:
        client.instance.tracking.end_command(client, name)
    if not client.flags & BLOCKED:
        client.mute(mark)
    if client.pushes and not client.flags & WORKING:
        client.flush_pushes()
    if client.flags & SKIP_NEXT and not client.flags & WORKING:
        client.flags = client.flags & ~SKIP_NEXT | SKIPPING


def run_guarded(client: Client, command: Command, args: list[bytes]) -> None:
    """Refuse a command, let it wait for the end of a CLIENT PAUSE or of a command in slices, queue
    it for EXEC, or run it."""
    error = check_guards(client, command, args)
    if error is not None:
        client.instance.statistics.rejected[command.number] += 1
        reject(client, args[0].lower(), error)
    elif client.flags & PAUSED and must_wait(client, command):
        client.postponed = args
        client.flags |= POSTPONED
    elif client.flags & IN_TRANSACTION and not command.bits & UNQUEUED:
        enqueue(client, command, args)
    elif (
        client.instance.slices.works
        and command.bits & LOCKABLE
        and client.instance.slices.delays(client, command, args)
    ):
        client.instance.slices.postpone(client, args)
    elif command.bits & LOCKABLE and client.instance.slices.settles_first(client, command, args):
        pass  # it is kept
    else:
        call(client, command, args)
        if client.flags & TRACKING and not client.flags & POSTPONED:
            steps = client.instance.tracking.remember_in_slices(client, command, args)
            client.instance.slices.finish_with(client, steps)


def must_wait(client: Client, command: Command) -> bool:
    """Return whether a request must wait for the end of a CLIENT PAUSE."""
    writes = bits_of(client, command) & (WRITE | MAY_REPLICATE) != 0
    return client.instance.pause.holds(command.full_name, writes=writes)


def resume(client: Client) -> bool:
    """Run the request that waited for the end of a CLIENT PAUSE or of a command in slices."""
    args = client.postponed
    assert args is not None
    client.postponed = None
    dispatch(client, args)
    return True


def reject(client: Client, name: bytes, text: bytes) -> None:
    """Refuse a request before it runs. An open transaction will fail at EXEC."""
    client.instance.statistics.count_error(text)
    if name == b"exec":
        discard(client, client.instance.watching)
        text = b"EXECABORT Transaction discarded because of: " + text.removeprefix(b"ERR ")
    elif client.flags & IN_TRANSACTION:
        client.spoiled = True
    reply.error(client.out, text)


def enqueue(client: Client, command: Command, args: list[bytes]) -> None:
    """Keep a request for EXEC. A client that queues without end is closed."""
    client.queue.append(args)
    client.queue_bytes += sum(map(len, args)) + 64 * len(args)
    client.queued_bits |= command.bits
    if command.full_name == CLIENT_REPLY:
        client.queued_mode = REPLY_MODES.get(args[2].upper(), client.queued_mode)
    short = client.slice_items // QUEUE_PART
    if len(args) > short:
        client.queued_bits |= SLICED
    if len(client.queue) > short:
        collect_keys(client, command, args)
    reply.queued(client.out)
    if client.queue_bytes > client.instance.config.request_bytes_max:
        client.instance.statistics.dropped_query += 1
        client.kill()


def collect_keys(client: Client, command: Command, args: list[bytes]) -> None:
    """Add the keys of a request that was queued to those of its queue, which has become long. The
    empty key stands for commands that concern keys without naming them."""
    keys = client.queued_keys
    requests = [(command, args)]
    if not keys:
        requests = [(client.instance.commands.require(each), each) for each in client.queue]
    for each, request in requests:
        reach = reach_of_request(each, request)
        keys |= reach.keys
        if reach.is_whole:
            keys.add(b"")


def call(client: Client, command: Command, args: list[bytes]) -> float:
    """Run the handler, count the call, and pass it to the monitors. Return the clock."""
    instance = client.instance
    instance.keyspace.set_marking(not client.no_touch or command.name == b"touch")
    timing = instance.timing
    began = timing.clock()
    if command.bits & instance.key_events.bits:
        handle_observed(client, command, args)
    else:
        handle(client, command, args)
    ended = timing.clock()
    took = ended - began
    instance.keyspace.set_marking(True)
    if client.flags & (BLOCKED | WORKING | POSTPONED) and not client.in_exec:
        if client.flags & POSTPONED:
            return ended
        if client.flags & WORKING:
            instance.slices.charge(client, took)
        else:
            instance.blocked.keep_request(client, args)
            timing.observe(client, command, args, took, instance.wall // 1000)
    elif took < timing.outlier_seconds:
        instance.statistics.count_calls(command.number, 1, took)
    else:
        timing.observe(client, command, args, took, instance.wall // 1000)
    if instance.monitors.sessions:
        instance.monitors.feed(client, command.flags, args)
    return ended


def handle_observed(client: Client, command: Command, args: list[bytes]) -> None:
    """Run the handler, and raise the keyspace events of what it has done."""
    events = client.instance.key_events
    seen = events.begin(command, args)
    handle(client, command, args)
    if client.nested is not None or (client.flags & WORKING and not client.in_exec):
        events.keep(seen, client)
    elif client.flags & POSTPONED and not client.in_exec:
        events.drop(seen)
    else:
        if client.flags & BLOCKED:
            events.note_blocked(client, command, args)
        events.end(seen, client)


def handle(client: Client, command: Command, args: list[bytes]) -> None:
    """Run the handler. If it refuses, or there is no memory for it, an error replaces its reply. If
    it must wait, the request is kept."""
    mark = len(client.out)
    try:
        direct = command.direct
        if direct is None:
            command.handler(client, args)
        else:
            direct.run(client, args)
    except CommandError as refusal:
        fail(client, command, mark, refusal.text)
    except MustWait:
        client.instance.slices.postpone(client, args)
    except MemoryError:
        client.drop_replies(mark)
        reply.error(client.out, MEMORY_EXHAUSTED)
        client.instance.statistics.failed[command.number] += 1
        client.instance.memory_exhausted("a command of a client")


def fail(client: Client, command: Command, mark: int, text: bytes) -> None:
    """Replace the reply that begins at `mark` by an error, and count it."""
    client.drop_replies(mark)
    reply.error(client.out, text)
    client.instance.statistics.failed[command.number] += 1
    client.instance.statistics.count_error(text)
