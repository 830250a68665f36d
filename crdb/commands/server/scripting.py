"""FUNCTION and SCRIPT of a server without scripts. They reply as for an empty library.

Loading is refused. EVAL and similar commands are unknown until there are scripts.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("scripting")
FUNCTION: Final = COMMANDS.container(
    "function", since="7.0.0", summary="A container for function commands."
)
SCRIPT: Final = COMMANDS.container(
    "script", since="2.6.0", summary="A container for script commands."
)
FUNCTION.declare_help()
SCRIPT.declare_help(since="5.0.0")


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


def check_mode(args: list[bytes], text: bytes) -> None:
    """Raise CommandError unless there is at most one argument, SYNC or ASYNC."""
    if len(args) == 3 and args[2].upper() not in {b"SYNC", b"ASYNC"}:
        raise CommandError(text)


@FUNCTION.declare(
    "flush",
    "[flush-type: ASYNC | SYNC]",
    "write noscript",
    summary="Deletes all libraries.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def function_flush(client: Client, args: list[bytes]) -> None:
    if len(args) > 3:
        raise CommandError(TOO_MANY % args[1])
    check_mode(args, WRONG_FLUSH)
    reply.ok(client.out)


@FUNCTION.declare(
    "list",
    "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    "noscript",
    summary="Returns all libraries.",
    tips="nondeterministic_output_order",
)
def function_list(client: Client, args: list[bytes]) -> None:
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


@FUNCTION.declare(
    "stats",
    "",
    "noscript allow_busy",
    summary="Returns the function that runs; there is none.",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
)
def function_stats(client: Client, _args: list[bytes]) -> None:
    """Reply that nothing runs and that there is no engine."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"running_script")
    reply.null(out, protocol)
    reply.bulk(out, b"engines")
    reply.map_header(out, protocol, 0)


@FUNCTION.declare(
    "dump",
    "",
    "noscript",
    summary="Returns a dump of all libraries; there are none.",
)
def function_dump(client: Client, _args: list[bytes]) -> None:
    reply.bulk(client.out, EMPTY_DUMP)


@FUNCTION.declare(
    "restore",
    "serialized-value [policy: FLUSH | APPEND | REPLACE]",
    "write denyoom noscript",
    summary="Restores libraries; only an empty dump is accepted.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def function_restore(client: Client, args: list[bytes]) -> None:
    """Accept an empty dump only."""
    if args[2] != EMPTY_DUMP:
        raise CommandError(NO_FUNCTIONS % args[1].upper())
    reply.ok(client.out)


@FUNCTION.declare(
    "delete",
    "library-name",
    "write noscript",
    summary="Deletes a library.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def function_delete(_client: Client, _args: list[bytes]) -> None:
    raise CommandError(NO_LIBRARY)


@FUNCTION.declare(
    "load",
    "[REPLACE] function-code",
    "write denyoom noscript",
    summary="Refused: functions are not supported.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def function_load(_client: Client, args: list[bytes]) -> None:
    raise CommandError(NO_FUNCTIONS % args[1].upper())


@FUNCTION.declare(
    "kill",
    "",
    "noscript allow_busy",
    summary="Stops the running function; there is none.",
    tips="request_policy:all_shards response_policy:one_succeeded",
)
@SCRIPT.declare(
    "kill",
    "",
    "noscript allow_busy",
    summary="Stops the running script; there is none.",
    tips="request_policy:all_shards response_policy:one_succeeded",
)
def kill(_client: Client, _args: list[bytes]) -> None:
    """Refuse, since nothing runs."""
    raise CommandError(NOT_BUSY)


@SCRIPT.declare(
    "exists",
    "sha1...",
    "noscript",
    summary="Returns which scripts exist.",
    tips="request_policy:all_shards response_policy:agg_logical_and",
)
def script_exists(client: Client, args: list[bytes]) -> None:
    """Reply 0 for each script."""
    reply.array(client.out, len(args) - 2)
    for _ in args[2:]:
        reply.integer(client.out, 0)


@SCRIPT.declare(
    "flush",
    "[flush-type: ASYNC | SYNC]",
    "noscript",
    summary="Deletes all scripts; there are none.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
    history=("6.2.0 argument `flush-type`",),
)
def script_flush(client: Client, args: list[bytes]) -> None:
    if len(args) > 3:
        raise CommandError(WRONG_SCRIPT_FLUSH)
    check_mode(args, WRONG_SCRIPT_FLUSH)
    reply.ok(client.out)


@SCRIPT.declare(
    "debug",
    "<mode: YES | SYNC | NO>",
    "noscript",
    since="3.2.0",
    summary="Refused: scripts are not supported.",
)
@SCRIPT.declare(
    "load",
    "script",
    "noscript stale",
    summary="Refused: scripts are not supported.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def script_load(_client: Client, args: list[bytes]) -> None:
    raise CommandError(NO_SCRIPTS % args[1].upper())
