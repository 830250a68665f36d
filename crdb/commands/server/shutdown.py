"""SHUTDOWN, and the commands that save, which are refused: data lives in memory only."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.command import DENY_BUSY
from crdb.engine.errors import SYNTAX, CommandError
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")


NOT_SAVED: Final = b"ERR %b is not supported by crdb: data lives in memory only"
NOTHING_TO_ABORT: Final = b"ERR No shutdown in progress."
CANNOT_STOP: Final = b"ERR this instance cannot be stopped by a client"
LAST_COPY: Final = (
    b"ERR Errors trying to SHUTDOWN: no other region is known to hold everything that this one"
    b" holds, so it would be lost. Use SHUTDOWN NOSAVE, NOW or FORCE to stop nevertheless."
)
WORDS: Final = frozenset({b"abort", b"force", b"nosave", b"now", b"save"})


@COMMANDS.declare(
    "shutdown",
    "[save-selector: NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
    "admin noscript loading stale no_multi allow_busy",
    summary="Stops the process if another region holds everything, or unconditionally.",
    complexity="O(N) where N is the number of regions.",
    history=("7.0.0 options `NOW`, `FORCE` and `ABORT`",),
)
def shutdown(client: Client, args: list[bytes]) -> None:
    """Stop the process as SIGTERM does.

    It is refused unless another process is known to hold everything that this region holds. NOSAVE,
    NOW and FORCE skip this check.
    """
    words = {argument.lower() for argument in args[1:]}
    is_abort = b"abort" in words
    if not words <= WORDS or (is_abort and len(words) > 1) or {b"save", b"nosave"} <= words:
        raise CommandError(SYNTAX)
    if is_abort:
        raise CommandError(NOTHING_TO_ABORT)
    if b"save" in words:
        raise CommandError(NOT_SAVED % b"SHUTDOWN SAVE")
    instance = client.instance
    busy = instance.refusals.get(DENY_BUSY)
    if busy is not None and b"nosave" not in words:
        raise CommandError(busy)
    stop = instance.surroundings.request_stop
    if stop is None:
        raise CommandError(CANNOT_STOP)
    if not words and instance.keyspace.size() and not instance.surroundings.count_copies():
        raise CommandError(LAST_COPY)
    client.close_after_reply()
    stop(f"SHUTDOWN from {client.address.decode()}")


@COMMANDS.declare(
    "bgrewriteaof",
    "",
    "admin noscript no_async_loading",
    summary="Refused: nothing is written to disk.",
)
@COMMANDS.declare(
    "bgsave",
    "[SCHEDULE]",
    "admin noscript no_async_loading",
    summary="Refused: nothing is written to disk.",
    history=("3.2.2 option `SCHEDULE`",),
)
@COMMANDS.declare(
    "save",
    "",
    "admin noscript no_async_loading no_multi",
    summary="Refused: nothing is written to disk.",
)
def save(_client: Client, args: list[bytes]) -> None:
    """Refuse, since nothing is written to disk."""
    raise CommandError(NOT_SAVED % args[0].upper())


@COMMANDS.declare(
    "lastsave",
    "",
    "loading stale fast",
    summary="Returns 0: nothing was ever saved.",
    categories="admin dangerous",
    tips="nondeterministic_output",
)
def lastsave(client: Client, _args: list[bytes]) -> None:
    """Reply 0, since nothing was ever saved."""
    reply.integer(client.out, 0)
