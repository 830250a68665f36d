"""COMMAND and its subcommands, which report the command table to clients.

All replies are derived from the declarations of the commands that the executor runs.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.server.command_docs import reply_documentation
from crdb.commands.server.command_rows import reply_command_row, reply_statuses
from crdb.engine.client import Client
from crdb.engine.command import Command, CommandTable
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.glob import compile_glob
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")
INVALID_COMMAND: Final = b"ERR Invalid command specified"
NO_KEYS: Final = b"ERR The command has no key arguments"
WRONG_NUMBER: Final = b"ERR Invalid number of arguments specified for command"
WRONG_ARGUMENTS: Final = b"ERR Invalid arguments specified for command"


def find_by_full_name(commands: CommandTable, name: bytes) -> Command | None:
    """Return the command called `get` or `config|get`."""
    command = commands.find(name.lower().split(b"|", 1)) if name else None
    return command if command is not None and command.full_name == name.lower() else None


def command_all(client: Client, _args: list[bytes]) -> None:
    """Reply with details of all commands."""
    commands = client.instance.commands.top_level()
    reply.array(client.out, len(commands))
    for command in commands:
        reply_command_row(client, command)


COMMAND: Final = COMMANDS.container(
    "command",
    "loading stale",
    since="2.8.13",
    summary="Returns detailed information about all commands.",
    complexity="O(N) where N is the number of commands.",
    handler=command_all,
    categories="connection",
    tips="nondeterministic_output_order",
)
COMMAND.declare_help(since="5.0.0", categories="connection")


@COMMAND.declare(
    "count",
    "",
    "loading stale",
    summary="Returns a count of commands.",
    categories="connection",
)
def command_count(client: Client, _args: list[bytes]) -> None:
    reply.integer(client.out, len(client.instance.commands.top_level()))


@COMMAND.declare(
    "info",
    "[command-name]...",
    "loading stale",
    summary="Returns information about commands.",
    complexity="O(N)",
    categories="connection",
    tips="nondeterministic_output_order",
    history=("7.0.0 all commands if none is named",),
)
def command_info(client: Client, args: list[bytes]) -> None:
    if len(args) == 2:
        command_all(client, args)
        return
    reply.array(client.out, len(args) - 2)
    for name in args[2:]:
        reply_command_row(client, find_by_full_name(client.instance.commands, name))


@COMMAND.declare(
    "docs",
    "[command-name]...",
    "loading stale",
    since="7.0.0",
    summary="Returns documentation about commands.",
    complexity="O(N)",
    categories="connection",
    tips="nondeterministic_output_order",
)
def command_docs(client: Client, args: list[bytes]) -> None:
    """Reply with documentation. Unknown names are left out."""
    commands = client.instance.commands.top_level()
    if len(args) > 2:
        named = [find_by_full_name(client.instance.commands, name) for name in args[2:]]
        commands = [command for command in named if command is not None]
    reply.map_header(client.out, client.protocol, len(commands))
    for command in commands:
        reply.bulk(client.out, command.full_name)
        reply_documentation(client, command)


@COMMAND.declare(
    "list",
    "[FILTERBY <filterby: MODULE module-name | ACLCAT category | PATTERN pattern>]",
    "loading stale",
    since="7.0.0",
    summary="Returns a list of command names.",
    complexity="O(N)",
    categories="connection",
    tips="nondeterministic_output_order",
)
def command_list(client: Client, args: list[bytes]) -> None:
    commands = client.instance.commands.everything()
    if len(args) != 2:
        if len(args) != 5 or args[2].lower() != b"filterby":
            raise CommandError(SYNTAX)
        commands = filter_commands(commands, args[3].lower(), args[4])
    reply.bulks(client.out, [command.full_name for command in commands])


def filter_commands(commands: list[Command], kind: bytes, value: bytes) -> list[Command]:
    """Return the commands of a module, of an ACL category, or with names that match a pattern."""
    if kind == b"module":
        return []
    if kind == b"aclcat":
        category = value.lower().decode("latin-1")
        return [command for command in commands if category in command.declaration.categories]
    if kind == b"pattern":
        glob = compile_glob(value, ignore_case=True)
        return [command for command in commands if glob.fullmatch(command.full_name)]
    raise CommandError(SYNTAX)


def find_keys(client: Client, args: list[bytes]) -> tuple[Command, list[int]]:
    """Return the command that follows COMMAND GETKEYS, and the positions of its keys in `args`."""
    request = args[2:]
    command = client.instance.commands.find(request)
    if command is None:
        raise CommandError(INVALID_COMMAND)
    if not command.declaration.has_keys:
        raise CommandError(NO_KEYS)
    if not command.takes(len(request)):
        raise CommandError(WRONG_NUMBER)
    try:
        found = command.declaration.key_positions(request)
    except ValueError:
        raise CommandError(WRONG_ARGUMENTS) from None
    return command, [2 + position for position in found]


@COMMAND.declare(
    "getkeys",
    "command [arg]...",
    "loading stale",
    summary="Extracts the keys of a command.",
    complexity="O(N)",
    categories="connection",
)
def command_getkeys(client: Client, args: list[bytes]) -> None:
    reply.bulks(client.out, [args[position] for position in find_keys(client, args)[1]])


@COMMAND.declare(
    "getkeysandflags",
    "command [arg]...",
    "loading stale",
    since="7.0.0",
    summary="Extracts the keys and access flags of a command.",
    complexity="O(N)",
    categories="connection",
)
def command_getkeysandflags(client: Client, args: list[bytes]) -> None:
    command, found = find_keys(client, args)
    reply.array(client.out, len(found))
    for position in found:
        reply.array(client.out, 2)
        reply.bulk(client.out, args[position])
        reply_statuses(client, command.declaration.key_flags_at(args[2:], position - 2))
