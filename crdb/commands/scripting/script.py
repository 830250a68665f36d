"""SCRIPT: the scripts that EVALSHA finds, and the one that runs."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.scripting.evaluation import define
from crdb.commands.scripting.running import BUSY_EVAL, BUSY_FUNCTION
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.events.script_events import ScriptKilledEvent
from crdb.engine.scripting.lua_state import sha1_hex
from crdb.engine.scripting.scripting import KILLED
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("scripting")
SCRIPT: Final = COMMANDS.container(
    "script", since="2.6.0", summary="A container for script commands."
)
SCRIPT.declare_help(since="5.0.0")

WRONG_FLUSH: Final = b"ERR SCRIPT FLUSH only support SYNC|ASYNC option"
NO_DEBUGGER: Final = b"ERR SCRIPT DEBUG %b is not supported by crdb: there is no debugger"
NOT_BUSY: Final = b"NOTBUSY No scripts in execution right now."
UNKILLABLE: Final = (
    b"UNKILLABLE Sorry the script already executed write commands against the dataset."
    b" You can either wait the script termination or kill the server in a hard way"
    b" using the SHUTDOWN NOSAVE command."
)
DEBUG_MODE: Final = b"ERR Use SCRIPT DEBUG YES/SYNC/NO"


def kill_script(client: Client, *, is_eval: bool) -> None:
    """Let the script that runs end with an error, if it has not written. `is_eval` is true for
    SCRIPT KILL, and false for FUNCTION KILL."""
    scripting = client.instance.scripting
    run = scripting.run
    if run is None:
        raise CommandError(NOT_BUSY)
    if run.has_written:
        raise CommandError(UNKILLABLE)
    if run.is_eval is not is_eval:
        raise CommandError(BUSY_EVAL if run.is_eval else BUSY_FUNCTION)
    scripting.end(KILLED)
    client.instance.report(ScriptKilledEvent(script=run.name.decode("latin-1")))
    reply.ok(client.out)


@SCRIPT.declare(
    "kill",
    "",
    "noscript allow_busy",
    summary="Ends the script that runs, unless it has written.",
    tips="request_policy:all_shards response_policy:one_succeeded",
)
def script_kill(client: Client, _args: list[bytes]) -> None:
    kill_script(client, is_eval=True)


@SCRIPT.declare(
    "exists",
    "sha1...",
    "noscript",
    summary="Returns which scripts are known.",
    complexity="O(N) for N scripts.",
    tips="request_policy:all_shards response_policy:agg_logical_and",
)
def script_exists(client: Client, args: list[bytes]) -> None:
    by_name = client.instance.scripting.cache.by_name
    reply.array(client.out, len(args) - 2)
    for name in args[2:]:
        reply.integer(client.out, int(name.lower() in by_name))


@SCRIPT.declare(
    "flush",
    "[flush-type: ASYNC | SYNC]",
    "noscript script",
    summary="Forgets all scripts.",
    complexity="O(N) for N scripts.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
    history=("6.2.0 argument `flush-type`",),
)
def script_flush(client: Client, args: list[bytes]) -> None:
    if len(args) > 3 or (len(args) == 3 and args[2].upper() not in {b"SYNC", b"ASYNC"}):
        raise CommandError(WRONG_FLUSH)
    client.instance.scripting.cache.clear()
    reply.ok(client.out)


@SCRIPT.declare(
    "debug",
    "<mode: YES | SYNC | NO>",
    "noscript",
    since="3.2.0",
    summary="Accepts NO only, since there is no debugger.",
)
def script_debug(client: Client, args: list[bytes]) -> None:
    mode = args[2].upper()
    if mode in {b"YES", b"SYNC"}:
        raise CommandError(NO_DEBUGGER % mode)
    if mode != b"NO":
        raise CommandError(DEBUG_MODE)
    reply.ok(client.out)


@SCRIPT.declare(
    "load",
    "script",
    "noscript stale script",
    summary="Keeps a script, and returns its SHA-1 digest.",
    complexity="O(N) for N bytes.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def script_load(client: Client, args: list[bytes]) -> None:
    cache = client.instance.scripting.cache
    name = sha1_hex(args[2])
    script = cache.by_name.get(name)
    if script is None:
        define(client.instance, args[2], name, is_loaded=True)
    else:
        cache.pin(script)
    reply.bulk(client.out, name)
