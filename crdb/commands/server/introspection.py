"""COMMAND and its subcommands: the command table, told to clients.

Everything here comes from the table that the executor runs, from `syntaxes` and `command_facts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final

from crdb.commands.declare.command_facts import DEPRECATED, HISTORY, KEY_NOTES, TIPS
from crdb.commands.declare.key_specs import flags_at, key_specs
from crdb.commands.declare.syntax import Argument
from crdb.commands.declare.syntaxes import arguments_of
from crdb.engine.client import Client
from crdb.engine.command import Command, CommandTable, Handler
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.glob import compile_glob
from crdb.engine.help import send_help
from crdb.resp import reply

INVALID_COMMAND: Final = b"ERR Invalid command specified"
NO_KEYS: Final = b"ERR The command has no key arguments"
WRONG_NUMBER: Final = b"ERR Invalid number of arguments specified for command"
WRONG_ARGUMENTS: Final = b"ERR Invalid arguments specified for command"

KEY_PATTERN: Final = "key-pattern"
"""The type of an argument that keys are made of; it is shown as a pattern."""
PATTERN_SPEC: Final = 1
"""The key specification that such keys belong to: that of BY and GET in SORT."""
HELP: Final = (
    "(no subcommand)",
    "    Details about all commands.",
    "COUNT",
    "    How many commands there are.",
    "DOCS [<command-name> ...]",
    "    What commands are for, all or those named.",
    "GETKEYS <full-command>",
    "    The keys among the arguments of a command.",
    "GETKEYSANDFLAGS <full-command>",
    "    The keys, and what the command does with them.",
    "INFO [<command-name> ...]",
    "    Details about commands, all or those named.",
    "LIST [FILTERBY (MODULE <name> | ACLCAT <category> | PATTERN <pattern>)]",
    "    Names of commands.",
)


def by_full_name(commands: CommandTable, name: bytes) -> Command | None:
    """Return the command called `get` or `config|get`."""
    command = commands.find(name.lower().split(b"|", 1)) if name else None
    return command if command is not None and command.full_name == name.lower() else None


def statuses(client: Client, words: list[str]) -> None:
    """A set of words, each a status."""
    reply.set_header(client.out, client.protocol, len(words))
    for word in words:
        reply.simple(client.out, word.encode())


def details(client: Client, command: Command | None) -> None:
    """One command as COMMAND INFO shows it."""
    out = client.out
    if command is None:
        reply.null(out, client.protocol)
        return
    reply.array(out, 10)
    reply.bulk(out, command.full_name)
    reply.integer(out, command.arity)
    statuses(client, command.flags)
    reply.integer(out, command.first_key)
    reply.integer(out, command.last_key)
    reply.integer(out, command.key_step)
    statuses(client, [f"@{category}" for category in command.categories])
    tips = TIPS.get(command.full_name.decode(), [])
    reply.set_header(out, client.protocol, len(tips))
    for tip in tips:
        reply.bulk(out, tip.encode())
    reply_key_specs(client, command)
    if command.subcommands:
        reply.array(out, len(command.subcommands))
    else:
        reply.set_header(out, client.protocol, 0)
    for name in sorted(command.subcommands):
        details(client, command.subcommands[name])


def reply_key_specs(client: Client, command: Command) -> None:
    """Where the keys are, and what the command does with them."""
    specs = key_specs(command)
    reply.set_header(client.out, client.protocol, len(specs))
    notes = KEY_NOTES.get(command.full_name.decode(), {})
    for number, spec in enumerate(specs):
        reply.map_header(client.out, client.protocol, 3 + (number in notes))
        if number in notes:
            reply.bulk(client.out, b"notes")
            reply.bulk(client.out, notes[number].encode())
        reply.bulk(client.out, b"flags")
        statuses(client, spec.flags.split())
        if spec.begin == 0:
            reply_search(client, b"begin_search", b"unknown", [])
            reply_search(client, b"find_keys", b"unknown", [])
            continue
        reply_search(client, b"begin_search", b"index", [(b"index", spec.begin)])
        if spec.is_numbered:
            numbers = [(b"keynumidx", 0), (b"firstkey", 1), (b"keystep", spec.step)]
            reply_search(client, b"find_keys", b"keynum", numbers)
        else:
            numbers = [(b"lastkey", spec.last), (b"keystep", spec.step), (b"limit", 0)]
            reply_search(client, b"find_keys", b"range", numbers)


def reply_search(
    client: Client, title: bytes, kind: bytes, numbers: list[tuple[bytes, int]]
) -> None:
    """One half of a key specification."""
    out, protocol = client.out, client.protocol
    reply.bulk(out, title)
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"type")
    reply.bulk(out, kind)
    reply.bulk(out, b"spec")
    reply.map_header(out, protocol, len(numbers))
    for name, value in numbers:
        reply.bulk(out, name)
        reply.integer(out, value)


def documentation(client: Client, command: Command) -> None:
    """One command as COMMAND DOCS shows it."""
    out = client.out
    facts = (
        ("summary", command.summary),
        ("since", command.since),
        ("group", command.group.replace("_", "-")),
        ("complexity", command.complexity),
    )
    name = command.full_name.decode()
    told = [(field, value) for field, value in facts if value]
    syntax = arguments_of(command.full_name)
    history = HISTORY.get(name, [])
    optional = (name in DEPRECATED, syntax, history, command.subcommands)
    fields = len(told) + 2 * (name in DEPRECATED) + sum(map(bool, optional))
    reply.map_header(out, client.protocol, fields)
    for field, value in told:
        reply.bulk(out, field.encode())
        reply.bulk(out, value.encode())
    if name in DEPRECATED:
        since, instead = DEPRECATED[name]
        reply.bulk(out, b"doc_flags")
        statuses(client, ["deprecated"])
        for field, value in (("deprecated_since", since), ("replaced_by", instead)):
            reply.bulk(out, field.encode())
            reply.bulk(out, value.encode())
    if history:
        reply_history(client, history)
    if syntax:
        reply.bulk(out, b"arguments")
        reply_arguments(client, syntax, spec_indexes(command))
    if command.subcommands:
        reply.bulk(out, b"subcommands")
        reply.map_header(out, client.protocol, len(command.subcommands))
        for key in sorted(command.subcommands):
            child = command.subcommands[key]
            reply.bulk(out, child.full_name)
            documentation(client, child)


def reply_history(client: Client, history: list[tuple[str, str]]) -> None:
    """Return what each version added to a command."""
    out = client.out
    reply.bulk(out, b"history")
    reply.set_header(out, client.protocol, len(history))
    for version, added in history:
        reply.array(out, 2)
        reply.bulk(out, version.encode())
        reply.bulk(out, added.encode())


def spec_indexes(command: Command) -> Iterator[int]:
    """Which key specification stands for each argument that is a key: the first for the first, the
    last for all others."""
    return chain((0,), repeat(len(key_specs(command)) - 1))


def reply_arguments(
    client: Client, syntax: tuple[Argument, ...], spec_indexes: Iterator[int]
) -> None:
    """What a command takes, as a tree."""
    out = client.out
    reply.array(out, len(syntax))
    for argument in syntax:
        is_pattern = argument.kind == KEY_PATTERN
        kind = "pattern" if is_pattern else argument.kind
        facts = [("name", argument.name), ("type", kind)]
        if argument.kind not in {"oneof", "block"}:
            facts.append(("display_text", argument.name))
        if argument.token:
            facts.append(("token", argument.token))
        flags = flags_of(argument)
        is_key = argument.kind == "key"
        size = len(facts) + (is_key or is_pattern) + bool(flags) + bool(argument.parts)
        reply.map_header(out, client.protocol, size)
        for name, value in facts:
            reply.bulk(out, name.encode())
            reply.bulk(out, value.encode())
        if is_key or is_pattern:
            reply.bulk(out, b"key_spec_index")
            reply.integer(out, next(spec_indexes) if is_key else PATTERN_SPEC)
        if flags:
            reply.bulk(out, b"flags")
            statuses(client, flags)
        if argument.parts:
            reply.bulk(out, b"arguments")
            reply_arguments(client, argument.parts, spec_indexes)


def flags_of(argument: Argument) -> list[str]:
    """Whether an argument may be missing or come again."""
    flags: list[str] = []
    if argument.is_optional:
        flags.append("optional")
    if argument.is_multiple:
        flags.append("multiple")
        if argument.repeats_token:
            flags.append("multiple_token")
    return flags


def command_all(client: Client, _args: list[bytes]) -> None:
    """Details about all commands."""
    commands = client.instance.commands.top_level()
    reply.array(client.out, len(commands))
    for command in commands:
        details(client, command)


def command_count(client: Client, _args: list[bytes]) -> None:
    """How many commands there are."""
    reply.integer(client.out, len(client.instance.commands.top_level()))


def command_info(client: Client, args: list[bytes]) -> None:
    """Details about commands."""
    if len(args) == 2:
        command_all(client, args)
        return
    reply.array(client.out, len(args) - 2)
    for name in args[2:]:
        details(client, by_full_name(client.instance.commands, name))


def command_docs(client: Client, args: list[bytes]) -> None:
    """What commands are for; names that are none are left out."""
    commands = client.instance.commands.top_level()
    if len(args) > 2:
        named = [by_full_name(client.instance.commands, name) for name in args[2:]]
        commands = [command for command in named if command is not None]
    reply.map_header(client.out, client.protocol, len(commands))
    for command in commands:
        reply.bulk(client.out, command.full_name)
        documentation(client, command)


def command_list(client: Client, args: list[bytes]) -> None:
    """Names of commands."""
    commands = client.instance.commands.everything()
    if len(args) != 2:
        if len(args) != 5 or args[2].lower() != b"filterby":
            raise CommandError(SYNTAX)
        commands = filtered(commands, args[3].lower(), args[4])
    reply.bulks(client.out, [command.full_name for command in commands])


def filtered(commands: list[Command], kind: bytes, value: bytes) -> list[Command]:
    """Those of a module, of an ACL category, or with names that match."""
    if kind == b"module":
        return []
    if kind == b"aclcat":
        category = value.lower().decode("latin-1")
        return [command for command in commands if category in command.categories]
    if kind == b"pattern":
        glob = compile_glob(value, ignore_case=True)
        return [command for command in commands if glob.fullmatch(command.full_name)]
    raise CommandError(SYNTAX)


def positions(client: Client, args: list[bytes]) -> tuple[Command, list[int]]:
    """The command that stands after COMMAND GETKEYS, and where its keys are in `args`."""
    request = args[2:]
    command = client.instance.commands.find(request)
    if command is None:
        raise CommandError(INVALID_COMMAND)
    if not command.first_key and command.getkeys is None:
        raise CommandError(NO_KEYS)
    if not command.takes(len(request)):
        raise CommandError(WRONG_NUMBER)
    try:
        found = command.key_positions(request)
    except CommandError:
        raise CommandError(WRONG_ARGUMENTS) from None
    if not found or found[-1] >= len(request):
        raise CommandError(WRONG_ARGUMENTS)
    return command, [2 + position for position in found]


def command_getkeys(client: Client, args: list[bytes]) -> None:
    """The keys among the arguments of a command."""
    reply.bulks(client.out, [args[position] for position in positions(client, args)[1]])


def command_getkeysandflags(client: Client, args: list[bytes]) -> None:
    """The keys, and what the command does with them."""
    command, found = positions(client, args)
    reply.array(client.out, len(found))
    for position in found:
        reply.array(client.out, 2)
        reply.bulk(client.out, args[position])
        statuses(client, flags_at(command, args[2:], position - 2).split())


def command_help(client: Client, _args: list[bytes]) -> None:
    """What there is."""
    send_help(client, b"COMMAND", HELP)


def row(name: str, handler: Handler, arity: int, since: str, summary: str) -> Command:
    """A subcommand of COMMAND."""
    return Command(
        name,
        handler,
        arity,
        "loading stale",
        categories="connection",
        since=since,
        summary=summary,
        complexity="O(1)" if name in {"count", "help"} else "O(N)",
    )


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "command",
        command_all,
        -1,
        "loading stale",
        categories="connection",
        since="2.8.13",
        summary="Returns detailed information about all commands.",
        complexity="O(N) where N is the total number of commands",
        subcommands=(
            row("count", command_count, 2, "2.8.13", "Returns a count of commands."),
            row("docs", command_docs, -2, "7.0.0", "Returns documentation about commands."),
            row("getkeys", command_getkeys, -3, "2.8.13", "Extracts the keys of a command."),
            row(
                "getkeysandflags",
                command_getkeysandflags,
                -3,
                "7.0.0",
                "Extracts the keys and access flags of a command.",
            ),
            row("help", command_help, 2, "5.0.0", "Returns helpful text about subcommands."),
            row("info", command_info, -2, "2.8.13", "Returns information about commands."),
            row("list", command_list, -2, "7.0.0", "Returns a list of command names."),
        ),
    ),
)
