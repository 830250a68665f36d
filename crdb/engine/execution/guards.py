"""Guards: the reasons to refuse a command, in the order of `processCommand` of Redis 7.2.

A guard is a function of the client, the command and its arguments. It returns the error that the
client gets, or None if it lets the command pass. The first error counts. EXEC also gets the errors
of the commands that it would run, so a transaction is refused as a whole.

========================  ==========================  ============================================
guard                     error                       refuses
========================  ==========================  ============================================
`guard_arity`             ERR wrong number of ...     too few or too many arguments
`guard_authentication`    NOAUTH                      commands without the flag `no_auth`, before
                                                      the client has given the password
`guard_transaction`       ERR Command not allowed ... commands with the flag `no_multi`, in MULTI
`guard_permission`        NOPERM                      requests that the user of the client may not
                                                      make (ACL-9)
`guard_memory`            OOM                         commands with the flag `denyoom`, and those
                                                      that would be queued, while memory is full
`guard_journal`           MISCONF                     writes, after the journal could not be written
`guard_writes`            READONLY, STALE             writes, while this instance follows another,
                                                      or has restarted and not caught up (STL-1)
`guard_subscriber`        ERR Can't execute ...       all but a few commands, for a client that
                                                      subscribes and uses RESP2
`guard_source`            MASTERDOWN                  commands without the flag `stale`, while a
                                                      source is out of reach
`guard_loading`           LOADING                     commands without the flag `loading`, while
                                                      the instance recovers its data (STL-1)
`guard_script`            BUSY                        commands without the flag `allow_busy`, while
                                                      a script has run for too long
========================  ==========================  ============================================

A name that is not in the table is refused before the first guard (`CommandTable.require`). CLIENT
PAUSE delays commands and refuses none, so `dispatch` looks at it after the last guard.

The fast path calls no guard. It compares the arity itself, and asks for the state of the client
(`Session.flags`, 0 for a client in no special state) and for one integer of the instance,
`guarded_bits`: the bits of those commands that a guard refuses now, or may refuse. Whatever changes
one of them calls `Instance.combine_guards`. A command with one of these bits passes all guards
before it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import (
    DENY_BUSY,
    DENY_LOADING,
    DENY_STALE,
    NO_MULTI,
    UNQUEUED,
    WITHOUT_AUTH,
    WRITE,
    Command,
)
from crdb.engine.errors import NO_AUTH, NOT_IN_TRANSACTION, wrong_arity
from crdb.engine.metrics.memory import DENY_OOM
from crdb.engine.session import IN_TRANSACTION, RESTRICTED, SUBSCRIBED, UNAUTHENTICATED

OF_SUBSCRIBERS: Final = frozenset(
    {
        *(b"subscribe", b"psubscribe", b"ssubscribe", b"unsubscribe", b"punsubscribe"),
        *(b"sunsubscribe", b"ping", b"quit", b"reset"),
    }
)
"""The commands of a client that subscribes and uses RESP2."""
NOT_SUBSCRIBED: Final = (
    b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
    b"allowed in this context"
)

Guard = Callable[[Client, Command, list[bytes]], bytes | None]
"""Returns the error for a command, or None if it may pass."""


def check_guards(client: Client, command: Command, args: list[bytes]) -> bytes | None:
    """Return the error of the first guard that refuses a command, or None if all let it pass."""
    for guard in GUARDS:
        error = guard(client, command, args)
        if error is not None:
            return error
    return None


def guard_arity(_client: Client, command: Command, args: list[bytes]) -> bytes | None:
    """Refuse a wrong number of arguments."""
    return None if command.takes(len(args)) else wrong_arity(command.full_name)


def guard_authentication(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse a client that has not given the password."""
    is_refused = client.flags & UNAUTHENTICATED and not command.bits & WITHOUT_AUTH
    return NO_AUTH if is_refused else None


def guard_transaction(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse what may not be queued."""
    is_refused = client.flags & IN_TRANSACTION and command.bits & NO_MULTI
    return NOT_IN_TRANSACTION if is_refused else None


def guard_permission(client: Client, command: Command, args: list[bytes]) -> bytes | None:
    """Refuse what the user of the client may not do. Users who may do everything cost nothing: the
    flag is one of those that the fast path compares with 0."""
    if not client.flags & RESTRICTED:
        return None
    return client.instance.access.refuse(client, command, args)


def guard_memory(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse what may need memory while memory is full. As in Redis, nothing is queued then."""
    memory = client.instance.memory
    if not memory.denied_bits:
        return None
    would_queue = client.flags & IN_TRANSACTION and not command.bits & UNQUEUED
    is_refused = would_queue or bits_of(client, command) & DENY_OOM
    return memory.refusal() if is_refused else None


def guard_journal(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse writes that could not be made durable."""
    error = client.instance.journal_error
    if error is None or not bits_of(client, command) & WRITE:
        return None
    return error


def guard_writes(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse writes where they are refused."""
    return refusal_of(client, command, WRITE)


def guard_subscriber(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse what a client cannot do while it subscribes: in RESP2 it could not tell a message from
    a reply."""
    if not client.flags & SUBSCRIBED or client.protocol != 2 or command.name in OF_SUBSCRIBERS:
        return None
    return NOT_SUBSCRIBED % command.full_name


def guard_source(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse commands that need data while a source is out of reach."""
    return refusal_of(client, command, DENY_STALE)


def guard_loading(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse commands that need data while the instance has not got its data back."""
    return refusal_of(client, command, DENY_LOADING)


def guard_script(client: Client, command: Command, _args: list[bytes]) -> bytes | None:
    """Refuse most commands while a script has run for longer than `busy-reply-threshold`."""
    instance = client.instance
    is_refused = instance.refused_bits & DENY_BUSY and command.bits & DENY_BUSY
    return instance.refusals[DENY_BUSY] if is_refused else None


def refusal_of(client: Client, command: Command, bit: int) -> bytes | None:
    """Return the error that the instance has for commands with `bit`, if this is such a command."""
    instance = client.instance
    if not instance.refused_bits & bit or not bits_of(client, command) & bit:
        return None
    return instance.refusals[bit]


def bits_of(client: Client, command: Command) -> int:
    """Return the flags of a command; for EXEC those of all that it would run."""
    return client.queued_bits if command.name == b"exec" else command.bits


GUARDS: Final[tuple[Guard, ...]] = (
    guard_arity,
    guard_authentication,
    guard_transaction,
    guard_permission,
    guard_memory,
    guard_journal,
    guard_writes,
    guard_subscriber,
    guard_source,
    guard_loading,
    guard_script,
)
