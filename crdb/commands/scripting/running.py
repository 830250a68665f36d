"""Run a script: in one go, or in slices if it takes long.

A short script ends in its first slice, and costs no more than its commands. A longer one becomes a
work of `slices`: it has all keys to itself, other regions' operations wait, and its effects become
one operation at its end. So it is atomic here and elsewhere, and its code never travels (rules
LUA-1, TXN-2).

After `busy-reply-threshold` other clients get BUSY instead of waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from crdb.commands.scripting.calls import Calls
from crdb.engine.client import Client
from crdb.engine.command import DENY_BUSY, DENY_STALE
from crdb.engine.errors import CommandError, one_line
from crdb.engine.events.script_events import SlowScriptEvent
from crdb.engine.instance import Instance
from crdb.engine.scripting.numbers_for_lua import to_int64
from crdb.engine.scripting.scripting import ScriptRun
from crdb.engine.scripting.shebang import ALLOW_OOM, ALLOW_STALE, COMPATIBLE, NO_WRITES
from crdb.engine.session import RESTRICTED
from crdb.resp import reply

BUSY_EVAL: Final = (
    b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
)
BUSY_FUNCTION: Final = (
    b"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
)
STALE: Final = (
    b"MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no'"
    b" and 'allow-stale' flag is not set on the script."
)
READ_ONLY: Final = b"READONLY Can not run script with write flag on readonly replica"
WRITES_IN_RO: Final = b"ERR Can not execute a script with write flag using *_ro command."
NEEDS_MEMORY: Final = (
    b"OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
)
KEYS_TOO_MANY: Final = b"ERR Number of keys can't be greater than number of args"
KEYS_NEGATIVE: Final = b"ERR Number of keys can't be negative"


def calls_of(instance: Instance) -> Calls:
    """Return the host of the scripts of an instance, which has the interpreter."""
    scripting = instance.scripting
    calls = scripting.calls
    if calls is None:
        calls = scripting.calls = Calls(instance)
        scripting.state = calls.state
    assert isinstance(calls, Calls)
    return calls


def check_key_count(args: list[bytes], count: int) -> int:
    """Return the number of keys. Raises CommandError if there are not so many arguments."""
    if count > len(args) - 3:
        raise CommandError(KEYS_TOO_MANY)
    if count < 0:
        raise CommandError(KEYS_NEGATIVE)
    return count


def prepare(client: Client, run: ScriptRun, flags: int, is_read_only: bool) -> None:
    """Check whether a script with these flags may run now, and set what it may do. Raises
    CommandError. A script without flags is checked at each of its commands."""
    instance = client.instance
    oom_error = instance.memory.refusal() if instance.memory.denied_bits else None
    run.oom_error = oom_error
    run.is_read_only = is_read_only
    run.started_at = instance.now
    if flags & COMPATIBLE:
        if instance.refused_bits & DENY_STALE:
            raise CommandError(instance.refusals[DENY_STALE])
        return
    run.is_read_only = is_read_only or flags & NO_WRITES != 0
    run.allows_oom = flags & ALLOW_OOM != 0
    if instance.refused_bits & DENY_STALE and not flags & ALLOW_STALE:
        raise CommandError(STALE)
    if not flags & NO_WRITES:
        refusal = instance.refuse_writes or instance.journal_error
        if refusal is not None:
            raise CommandError(READ_ONLY if refusal.startswith(b"READONLY") else refusal)
        if is_read_only:
            raise CommandError(WRITES_IN_RO)
        if oom_error is not None and not flags & ALLOW_OOM:
            raise CommandError(NEEDS_MEMORY)


def start(client: Client, args: list[bytes], run: ScriptRun) -> None:
    """Run a script. Its reply is appended now, or at the end of its last slice."""
    instance = client.instance
    slices = instance.slices
    if client.in_exec or slices.works or slices.is_running:
        client.hand_over(args, run_in_slices(client, run))
        return
    if instance.monitors.sessions:
        instance.monitors.feed(client, [], args)
    seq = instance.keyspace.seq
    slices.is_running = True
    try:
        is_ended = begin(instance, run)
    finally:
        slices.is_running = False
    if is_ended:
        finish(client, run)
    else:
        steps = continue_in_slices(client, run)
        next(steps)
        slices.adopt(client, args, steps, seq)


def begin(instance: Instance, run: ScriptRun) -> bool:
    """Run the first slice of a script. Return whether it has ended."""
    client = calls_of(instance).client
    client.protocol = 2
    client.user = run.session.user
    client.flags = client.flags & ~RESTRICTED | run.session.flags & RESTRICTED
    return instance.scripting.begin(run)


def run_in_slices(client: Client, run: ScriptRun) -> Iterator[None]:
    """Run a script from its beginning."""
    instance = client.instance
    if instance.monitors.sessions:
        instance.monitors.feed(client, [], run.args)
    if begin(instance, run):
        finish(client, run)
        return
    yield from continue_in_slices(client, run)


def continue_in_slices(client: Client, run: ScriptRun) -> Iterator[None]:
    """Run the other slices of a script, from the second step on. If its work ends before, so does
    the script (`Instance.abandon_script`)."""
    instance = client.instance
    is_ended = False
    try:
        while not is_ended:
            yield
            note_time(instance, run)
            is_ended = instance.scripting.resume()
    finally:
        if run.is_busy:
            instance.refuse(DENY_BUSY, None)
    finish(client, run)


def note_time(instance: Instance, run: ScriptRun) -> None:
    """Let others get BUSY from now on if a script has run for long."""
    threshold = instance.config.busy_reply_ms
    duration = instance.now - run.started_at
    if run.is_busy or threshold <= 0 or duration < threshold:
        return
    run.is_busy = True
    instance.refuse(DENY_BUSY, BUSY_EVAL if run.is_eval else BUSY_FUNCTION)
    instance.report(
        SlowScriptEvent(
            script=run.name.decode("latin-1"),
            ms=duration,
            how="SCRIPT KILL" if run.is_eval else "FUNCTION KILL",
        )
    )


def finish(client: Client, run: ScriptRun) -> None:
    """Append the reply of a script that has ended."""
    script_client = client.instance.scripting.calls.client
    if script_client.flags & ~RESTRICTED:  # a bug in a command: its client is closed
        script_client.flags = 0
        client.close_after_reply()
    script_client.drop_replies()
    result: Any = run.results
    run.results = None
    if isinstance(result, bytes):
        reply.bulk(client.out, result)
    elif result is None or isinstance(result, bool):
        reply_truth(client, result, script_client.protocol)
    elif isinstance(result, int | float):
        reply.integer(client.out, to_int64(result))
    elif result[0] is None:
        client.out.append(result[1])
    else:
        refuse(client, run, result)


def reply_truth(client: Client, value: bool | None, protocol: int) -> None:
    """Reply with a boolean or null, the result of a script that has chosen a version of the
    protocol. Version 2 has no booleans: false is null there, and true is 1."""
    if protocol == 3 and value is not None:
        reply.boolean(client.out, client.protocol, value)
    elif value:
        client.out.append(reply.ONE)
    else:
        reply.null(client.out, client.protocol)


def refuse(client: Client, run: ScriptRun, result: tuple[Any, ...]) -> None:
    """Reply with the error of a script, and with its place if it was raised."""
    text: bytes = result[1].partition(b"\x00")[0].strip(b"\r\n")
    if len(result) == 2:
        text = b"ERR Error running script %b, %b" % (run.name, text[:100])
    elif len(result) > 3 and result[3] is not None:
        text += b" script: %b, on %b:%d." % (run.name, result[3], result[4])
    text = one_line(text)
    if len(result) > 2 and result[2]:
        reply.error(client.out, text)
        return
    raise CommandError(text)


def caller(
    instance: Instance, function: Any, count: int, args: list[bytes], *, is_eval: bool
) -> Callable[[], Any]:
    """Return what runs a function of Lua with `count` keys and other arguments."""
    state = calls_of(instance).state

    def call() -> Any:
        return state.run(function, count, args, is_eval)

    return call
