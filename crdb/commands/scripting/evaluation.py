"""EVAL, EVALSHA, FCALL and their read-only forms."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.scripting.running import (
    caller,
    calls_of,
    check_key_count,
    prepare,
    start,
)
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.instance import Instance
from crdb.engine.scripting.lua_state import sha1_hex
from crdb.engine.scripting.script_cache import Script
from crdb.engine.scripting.scripting import ScriptRun
from crdb.engine.scripting.shebang import read_script
from crdb.resp.numbers import parse_integer

COMMANDS: Final[CommandFamily] = CommandFamily("scripting")

NO_SCRIPT: Final = b"NOSCRIPT No matching script. Please use EVAL."
NO_FUNCTION: Final = b"ERR Function not found"
BAD_KEY_COUNT: Final = b"ERR Bad number of keys provided"
WORST: Final = "We cannot tell how the keys will be used so we assume the worst, "
UPDATES: Final = f"RW access update:{WORST}RW and UPDATE"
READS: Final = f"RO access:{WORST}RO and ACCESS"
WRITER: Final = "noscript stale skip_monitor may_replicate no_mandatory_keys script"
READER: Final = "readonly noscript stale skip_monitor no_mandatory_keys script"
COMPLEXITY: Final = "Depends on the script that is executed."
DIGEST_BYTES: Final = 40


def define(instance: Instance, body: bytes, name: bytes, *, is_loaded: bool) -> Script:
    """Compile a script and keep it. Raises CommandError if it is not valid."""
    flags, code = read_script(body)
    script = Script(name, body, flags, calls_of(instance).state.compile(code))
    script.is_loaded = is_loaded
    instance.scripting.cache.add(script)
    return script


@COMMANDS.declare(
    "eval",
    "script numkeys [key...] [arg...]",
    WRITER,
    keys=UPDATES,
    since="2.6.0",
    summary="Executes a Lua script.",
    complexity=COMPLEXITY,
)
@COMMANDS.declare(
    "eval_ro",
    "script numkeys [key...] [arg...]",
    READER,
    keys=READS,
    since="7.0.0",
    summary="Executes a Lua script that does not write.",
    complexity=COMPLEXITY,
)
def eval_(client: Client, args: list[bytes]) -> None:
    count = check_key_count(args, arguments.integer(args[2]))
    body = args[1]
    name = sha1_hex(body)
    script = client.instance.scripting.cache.by_name.get(name)
    if script is None:
        script = define(client.instance, body, name, is_loaded=False)
    run_script(client, args, script, count)


@COMMANDS.declare(
    "evalsha",
    "sha1 numkeys [key...] [arg...]",
    WRITER,
    keys="RW access update",
    since="2.6.0",
    summary="Executes a Lua script that is known by its SHA-1 digest.",
    complexity=COMPLEXITY,
)
@COMMANDS.declare(
    "evalsha_ro",
    "sha1 numkeys [key...] [arg...]",
    READER,
    since="7.0.0",
    summary="Executes a Lua script that is known by its SHA-1 digest and does not write.",
    complexity=COMPLEXITY,
)
def evalsha(client: Client, args: list[bytes]) -> None:
    if len(args[1]) != DIGEST_BYTES:
        raise CommandError(NO_SCRIPT)
    count = check_key_count(args, arguments.integer(args[2]))
    by_name = client.instance.scripting.cache.by_name
    script = by_name.get(args[1])
    if script is None:
        script = by_name.get(args[1].lower())
    if script is None:
        raise CommandError(NO_SCRIPT)
    run_script(client, args, script, count)


def run_script(client: Client, args: list[bytes], script: Script, count: int) -> None:
    """Run a script with `count` keys."""
    instance = client.instance
    instance.scripting.cache.touch(script)
    call = caller(instance, script.function, count, args[3:], is_eval=True)
    run = ScriptRun(client, script.name, args, call)
    prepare(client, run, script.flags, args[0][-3:].lower() == b"_ro")
    start(client, args, run)


@COMMANDS.declare(
    "fcall",
    "function numkeys [key...] [arg...]",
    WRITER,
    keys=UPDATES,
    since="7.0.0",
    summary="Calls a function.",
    complexity="Depends on the function that is executed.",
)
@COMMANDS.declare(
    "fcall_ro",
    "function numkeys [key...] [arg...]",
    READER,
    keys=READS,
    since="7.0.0",
    summary="Calls a function that does not write.",
    complexity="Depends on the function that is executed.",
)
def fcall(client: Client, args: list[bytes]) -> None:
    instance = client.instance
    function = instance.scripting.libraries.find(args[1])
    if function is None:
        raise CommandError(NO_FUNCTION)
    count = parse_integer(args[2])
    if count is None:
        raise CommandError(BAD_KEY_COUNT)
    count = check_key_count(args, count)
    call = caller(instance, function.body, count, args[3:], is_eval=False)
    run = ScriptRun(client, function.name, args, call)
    run.is_eval = False
    prepare(client, run, function.flags, args[0][-3:].lower() == b"_ro")
    start(client, args, run)
