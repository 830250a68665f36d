"""FUNCTION: the libraries of functions.

They stay in their region (rule LUA-2). They are in memory only: a region that was restarted needs
them again.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.scripting.running import BUSY_EVAL, calls_of
from crdb.commands.scripting.script import kill_script
from crdb.engine.client import Client
from crdb.engine.errors import CommandError, one_line
from crdb.engine.glob import compile_glob
from crdb.engine.instance import Instance
from crdb.engine.scripting.libraries import Function, Libraries, Library
from crdb.engine.scripting.library_dump import dump_libraries, load_libraries
from crdb.engine.scripting.shebang import FLAGS, read_library
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("scripting")
FUNCTION: Final = COMMANDS.container(
    "function", since="7.0.0", summary="A container for function commands."
)
FUNCTION.declare_help()

WRONG_FLUSH: Final = b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option"
TOO_MANY: Final = (
    b"ERR unknown subcommand or wrong number of arguments for '%b'. Try FUNCTION HELP."
)
NO_LIBRARY: Final = b"ERR Library not found"
NAME_MISSING: Final = b"ERR library name argument was not given"
WRONG_POLICY: Final = (
    b"ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
)
POLICIES: Final = frozenset({b"flush", b"append", b"replace"})
NOTHING_REGISTERED: Final = b"ERR No functions registered"
ALL_SHARDS: Final = "request_policy:all_shards response_policy:all_succeeded"


def make_library(instance: Instance, code: bytes) -> Library:
    """Run the code of a library, which registers its functions. Raises CommandError."""
    head = read_library(code)
    if head.engine.lower() != b"lua":
        raise CommandError(b"ERR Engine '%b' not found" % head.engine)
    library = Library(head.name, code)
    calls_of(instance)
    error = instance.scripting.load(head.code, library.register)
    if error is not None:
        raise CommandError(one_line(b"ERR " + error))
    if not library.functions:
        raise CommandError(NOTHING_REGISTERED)
    return library


@FUNCTION.declare(
    "load",
    "[REPLACE] function-code",
    "write denyoom noscript script",
    summary="Creates a library.",
    complexity="O(1)",
    tips=ALL_SHARDS,
)
def function_load(client: Client, args: list[bytes]) -> None:
    replaces = False
    for word in args[2:-1]:
        if word.lower() != b"replace":
            raise CommandError(b"ERR Unknown option given: %b" % word)
        replaces = True
    instance = client.instance
    libraries = instance.scripting.libraries
    name = read_library(args[-1]).name
    if name in libraries.by_name and not replaces:
        raise CommandError(b"ERR Library '%b' already exists" % name)
    libraries.add([make_library(instance, args[-1])], replaces=True)
    reply.bulk(client.out, name)


@FUNCTION.declare(
    "delete",
    "library-name",
    "write noscript script",
    summary="Deletes a library.",
    tips=ALL_SHARDS,
)
def function_delete(client: Client, args: list[bytes]) -> None:
    if not client.instance.scripting.libraries.remove(args[2]):
        raise CommandError(NO_LIBRARY)
    reply.ok(client.out)


@FUNCTION.declare(
    "flush",
    "[flush-type: ASYNC | SYNC]",
    "write noscript script",
    summary="Deletes all libraries.",
    complexity="O(N) for N functions.",
    tips=ALL_SHARDS,
)
def function_flush(client: Client, args: list[bytes]) -> None:
    if len(args) > 3:
        raise CommandError(TOO_MANY % args[1])
    if len(args) == 3 and args[2].upper() not in {b"SYNC", b"ASYNC"}:
        raise CommandError(WRONG_FLUSH)
    client.instance.scripting.libraries.replace_all([])
    reply.ok(client.out)


@FUNCTION.declare(
    "dump",
    "",
    "noscript",
    summary="Returns a dump of all libraries.",
    complexity="O(N) for N bytes.",
)
def function_dump(client: Client, _args: list[bytes]) -> None:
    held = client.instance.scripting.libraries.by_name
    reply.bulk(client.out, dump_libraries([library.code for library in held.values()]))


@FUNCTION.declare(
    "restore",
    "serialized-value [policy: FLUSH | APPEND | REPLACE]",
    "write denyoom noscript script",
    summary="Creates the libraries of a dump.",
    complexity="O(N) for N bytes.",
    tips=ALL_SHARDS,
)
def function_restore(client: Client, args: list[bytes]) -> None:
    if len(args) > 4:
        raise CommandError(TOO_MANY % args[1])
    policy = args[3].lower() if len(args) == 4 else b"append"
    if policy not in POLICIES:
        raise CommandError(WRONG_POLICY)
    instance = client.instance
    libraries = instance.scripting.libraries
    restored = Libraries()
    for code in load_libraries(args[2]):
        restored.add([make_library(instance, code)], replaces=False)
    new = list(restored.by_name.values())
    if policy == b"flush":
        libraries.replace_all(new)
    else:
        libraries.add(new, replaces=policy == b"replace")
    reply.ok(client.out)


@FUNCTION.declare(
    "kill",
    "",
    "noscript allow_busy",
    summary="Ends the function that runs, unless it has written.",
    tips="request_policy:all_shards response_policy:one_succeeded",
)
def function_kill(client: Client, _args: list[bytes]) -> None:
    kill_script(client, is_eval=False)


@FUNCTION.declare(
    "stats",
    "",
    "noscript allow_busy",
    summary="Returns the function that runs, and the engines.",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
)
def function_stats(client: Client, _args: list[bytes]) -> None:
    out, protocol = client.out, client.protocol
    instance = client.instance
    run = instance.scripting.run
    if run is not None and run.is_eval:
        raise CommandError(BUSY_EVAL)
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"running_script")
    if run is None:
        reply.null(out, protocol)
    else:
        reply.map_header(out, protocol, 3)
        reply.bulk(out, b"name")
        reply.bulk(out, run.name)
        reply.bulk(out, b"command")
        reply.bulks(out, run.args)
        reply.bulk(out, b"duration_ms")
        reply.integer(out, instance.now - run.started_at)
    libraries = instance.scripting.libraries
    reply.bulk(out, b"engines")
    reply.map_header(out, protocol, 1)
    reply.bulk(out, b"LUA")
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"libraries_count")
    reply.integer(out, len(libraries.by_name))
    reply.bulk(out, b"functions_count")
    reply.integer(out, len(libraries.functions))


@FUNCTION.declare(
    "list",
    "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    "noscript",
    summary="Returns all libraries.",
    complexity="O(N) for N functions.",
    tips="nondeterministic_output_order",
)
def function_list(client: Client, args: list[bytes]) -> None:
    pattern, with_code = read_list_options(args)
    held = client.instance.scripting.libraries.by_name.values()
    found = list(held)
    if pattern is not None:
        glob = compile_glob(pattern, ignore_case=True)
        found = [library for library in held if glob.fullmatch(library.name)]
    reply.array(client.out, len(found))
    for library in found:
        send_library(client, library, with_code=with_code)


def read_list_options(args: list[bytes]) -> tuple[bytes | None, bool]:
    """Return the pattern of names, and whether the code is asked for."""
    pattern: bytes | None = None
    with_code = False
    words = iter(args[2:])
    for word in words:
        if word.lower() == b"withcode" and not with_code:
            with_code = True
        elif word.lower() == b"libraryname" and pattern is None:
            pattern = next(words, None)
            if pattern is None:
                raise CommandError(NAME_MISSING)
        else:
            raise CommandError(b"ERR Unknown argument %b" % word)
    return pattern, with_code


def send_library(client: Client, library: Library, *, with_code: bool) -> None:
    """Reply with what a library is."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 4 if with_code else 3)
    reply.bulk(out, b"library_name")
    reply.bulk(out, library.name)
    reply.bulk(out, b"engine")
    reply.bulk(out, b"LUA")
    reply.bulk(out, b"functions")
    reply.array(out, len(library.functions))
    for function in library.functions.values():
        send_function(client, function)
    if with_code:
        reply.bulk(out, b"library_code")
        reply.bulk(out, library.code)


def send_function(client: Client, function: Function) -> None:
    """Reply with what a function is."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 3)
    reply.bulk(out, b"name")
    reply.bulk(out, function.name)
    reply.bulk(out, b"description")
    reply.bulk_or_null(out, protocol, function.description)
    reply.bulk(out, b"flags")
    names = [name for name, bit in FLAGS.items() if function.flags & bit]
    reply.set_header(out, protocol, len(names))
    for name in names:
        reply.simple(out, name)
