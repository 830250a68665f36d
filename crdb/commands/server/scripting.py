"""FUNCTION and SCRIPT of a server without scripts: what is true of an empty library.

Loading is refused. EVAL and its kin are unknown commands until there are scripts.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command, Handler
from crdb.engine.errors import CommandError
from crdb.engine.help import send_help
from crdb.resp import reply

NO_FUNCTIONS: Final = b"ERR FUNCTION %b is not supported by crdb: there are no scripts yet"
NO_SCRIPTS: Final = b"ERR SCRIPT %b is not supported by crdb: there are no scripts yet"
WRONG_FLUSH: Final = b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option"
WRONG_SCRIPT_FLUSH: Final = b"ERR SCRIPT FLUSH only support SYNC|ASYNC option"
TOO_MANY: Final = (
    b"ERR unknown subcommand or wrong number of arguments for '%b'. Try FUNCTION HELP."
)
NO_LIBRARY: Final = b"ERR Library not found"
NOT_BUSY: Final = b"NOTBUSY No scripts in execution right now."
LIBRARY_NAME_MISSING: Final = b"ERR library name argument was not given"
EMPTY_DUMP: Final = b"\x0b\x004D\xe13\xf2\xe0KS"
"""The reply of Redis 7.2 to FUNCTION DUMP without libraries: version 11 and a checksum."""
FUNCTION_HELP: Final = (
    "DELETE <library-name>",
    "    Delete a library; there is none.",
    "DUMP",
    "    Return the libraries as a payload; there are none.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all libraries; there are none.",
    "KILL",
    "    End the function that runs; none does.",
    "LIST [LIBRARYNAME <pattern>] [WITHCODE]",
    "    Return the libraries; there are none.",
    "LOAD [REPLACE] <function-code>",
    "    Refused: there are no scripts yet.",
    "RESTORE <payload> [FLUSH|APPEND|REPLACE]",
    "    Take what FUNCTION DUMP returned here.",
    "STATS",
    "    Return which function runs, and the engines; there are none.",
)
SCRIPT_HELP: Final = (
    "DEBUG (YES|SYNC|NO)",
    "    Refused: there are no scripts yet.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return which scripts are loaded: none.",
    "FLUSH [ASYNC|SYNC]",
    "    Forget all scripts; there are none.",
    "KILL",
    "    End the script that runs; none does.",
    "LOAD <script>",
    "    Refused: there are no scripts yet.",
)


def check_mode(args: list[bytes], text: bytes) -> None:
    """Raise CommandError unless there is at most one argument, SYNC or ASYNC."""
    if len(args) == 3 and args[2].upper() not in {b"SYNC", b"ASYNC"}:
        raise CommandError(text)


def function_flush(client: Client, args: list[bytes]) -> None:
    """FUNCTION FLUSH [ASYNC | SYNC]."""
    if len(args) > 3:
        raise CommandError(TOO_MANY % args[1])
    check_mode(args, WRONG_FLUSH)
    reply.ok(client.out)


def function_list(client: Client, args: list[bytes]) -> None:
    """FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]."""
    at = 2
    while at < len(args):
        word = args[at].lower()
        if word == b"libraryname":
            at += 1
            if at == len(args):
                raise CommandError(LIBRARY_NAME_MISSING)
        elif word != b"withcode":
            raise CommandError(b"ERR Unknown argument %b" % args[at])
        at += 1
    reply.array(client.out, 0)


def function_stats(client: Client, _args: list[bytes]) -> None:
    """FUNCTION STATS: nothing runs, and there is no engine."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"running_script")
    reply.null(out, protocol)
    reply.bulk(out, b"engines")
    reply.map_header(out, protocol, 0)


def function_dump(client: Client, _args: list[bytes]) -> None:
    """FUNCTION DUMP."""
    reply.bulk(client.out, EMPTY_DUMP)


def function_restore(client: Client, args: list[bytes]) -> None:
    """FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE]: only an empty payload can be taken."""
    if args[2] != EMPTY_DUMP:
        raise CommandError(NO_FUNCTIONS % args[1].upper())
    reply.ok(client.out)


def function_delete(_client: Client, _args: list[bytes]) -> None:
    """FUNCTION DELETE library."""
    raise CommandError(NO_LIBRARY)


def function_load(_client: Client, args: list[bytes]) -> None:
    """FUNCTION LOAD: refused."""
    raise CommandError(NO_FUNCTIONS % args[1].upper())


def kill(_client: Client, _args: list[bytes]) -> None:
    """FUNCTION KILL and SCRIPT KILL: nothing runs."""
    raise CommandError(NOT_BUSY)


def function_help(client: Client, _args: list[bytes]) -> None:
    """FUNCTION HELP."""
    send_help(client, b"FUNCTION", FUNCTION_HELP)


def script_exists(client: Client, args: list[bytes]) -> None:
    """SCRIPT EXISTS sha1 [sha1 ...]: none does."""
    reply.array(client.out, len(args) - 2)
    for _ in args[2:]:
        reply.integer(client.out, 0)


def script_flush(client: Client, args: list[bytes]) -> None:
    """SCRIPT FLUSH [ASYNC | SYNC]."""
    if len(args) > 3:
        raise CommandError(WRONG_SCRIPT_FLUSH)
    check_mode(args, WRONG_SCRIPT_FLUSH)
    reply.ok(client.out)


def script_load(_client: Client, args: list[bytes]) -> None:
    """SCRIPT LOAD and SCRIPT DEBUG: refused."""
    raise CommandError(NO_SCRIPTS % args[1].upper())


def script_help(client: Client, _args: list[bytes]) -> None:
    """SCRIPT HELP."""
    send_help(client, b"SCRIPT", SCRIPT_HELP)


def row(name: str, handler: Handler, arity: int, flags: str, facts: str) -> Command:
    """Return a subcommand of FUNCTION or SCRIPT. `facts` are its version and its summary."""
    since, _, summary = facts.partition(" ")
    return Command(
        name, handler, arity, flags,
        categories="scripting", group="scripting", since=since, summary=summary, complexity="O(1)",
    )  # fmt: skip


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "function", None, -2, group="scripting", since="7.0.0",
        summary="A container for function commands.",
        subcommands=(
            row("delete", function_delete, 3, "write noscript", "7.0.0 Deletes a library."),
            row("dump", function_dump, 2, "noscript", "7.0.0 Dumps all libraries; there are none."),
            row("flush", function_flush, -2, "write noscript", "7.0.0 Deletes all libraries."),
            row("help", function_help, 2, "loading stale", "7.0.0 Returns helpful text."),
            row("kill", kill, 2, "noscript allow_busy", "7.0.0 Ends a function; none runs."),
            row("list", function_list, -2, "noscript", "7.0.0 Returns all libraries."),
            row("load", function_load, -3, "write denyoom noscript", "7.0.0 Refuses a library."),
            row(
                "restore", function_restore, -3, "write denyoom noscript",
                "7.0.0 Restores libraries; only an empty dump can be.",
            ),
            row("stats", function_stats, 2, "noscript allow_busy", "7.0.0 Returns what runs."),
        ),
    ),
    Command(
        "script", None, -2, group="scripting", since="2.6.0",
        summary="A container for script commands.",
        subcommands=(
            row("debug", script_load, 3, "noscript", "3.2.0 Debugs scripts; refused."),
            row("exists", script_exists, -3, "noscript", "2.6.0 Tells which scripts exist."),
            row("flush", script_flush, -2, "noscript", "2.6.0 Forgets all scripts."),
            row("help", script_help, 2, "loading stale", "5.0.0 Returns helpful text."),
            row("kill", kill, 2, "noscript allow_busy", "2.6.0 Ends a script; none runs."),
            row("load", script_load, 3, "noscript stale", "2.6.0 Loads a script; refused."),
        ),
    ),
)  # fmt: skip
