"""Entries of COMMAND DOCS, which clients show to a user who types a command."""

from __future__ import annotations

from crdb.commands.server.command_rows import reply_statuses
from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.declare.declaration import Declaration
from crdb.engine.declare.syntax import KEY_PATTERN, Argument
from crdb.resp import reply


def reply_documentation(client: Client, command: Command) -> None:
    """Reply with the documentation of one command and of its subcommands."""
    out = client.out
    declaration = command.declaration
    facts = [
        ("summary", declaration.summary),
        ("since", declaration.since),
        ("group", declaration.group),
        ("complexity", declaration.complexity),
    ]
    version, replacement = declaration.deprecated
    optional = (version, declaration.history, declaration.arguments, command.subcommands)
    size = len(facts) + sum(map(bool, optional)) + 2 * bool(version) + declaration.is_internal
    reply.map_header(out, client.protocol, size)
    _reply_facts(client, facts)
    if declaration.is_internal:
        reply.bulk(out, b"doc_flags")
        reply_statuses(client, ["syscmd"])
    if version:
        reply.bulk(out, b"doc_flags")
        reply_statuses(client, ["deprecated"])
        _reply_facts(client, [("deprecated_since", version), ("replaced_by", replacement)])
    if declaration.history:
        reply.bulk(out, b"history")
        reply.set_header(out, client.protocol, len(declaration.history))
        for added_in, added in declaration.history:
            reply.array(out, 2)
            reply.bulk(out, added_in.encode())
            reply.bulk(out, f"Added: {added}.".encode())
    if declaration.arguments:
        reply.bulk(out, b"arguments")
        _reply_arguments(client, declaration, declaration.arguments)
    if command.subcommands:
        reply.bulk(out, b"subcommands")
        reply.map_header(out, client.protocol, len(command.subcommands))
        for name in sorted(command.subcommands):
            child = command.subcommands[name]
            reply.bulk(out, child.full_name)
            reply_documentation(client, child)


def _reply_facts(client: Client, facts: list[tuple[str, str]]) -> None:
    """Reply with names and values of a map."""
    for name, value in facts:
        reply.bulk(client.out, name.encode())
        reply.bulk(client.out, value.encode())


def _reply_arguments(
    client: Client, declaration: Declaration, arguments: tuple[Argument, ...]
) -> None:
    """Reply with a tree of arguments."""
    out = client.out
    reply.array(out, len(arguments))
    for argument in arguments:
        facts = _argument_facts(declaration, argument)
        spec_index = declaration.spec_indexes.get(argument.name)
        flags = _argument_flags(argument)
        optional = (spec_index is not None, flags, argument.parts)
        reply.map_header(out, client.protocol, len(facts) + sum(map(bool, optional)))
        _reply_facts(client, facts)
        if spec_index is not None:
            reply.bulk(out, b"key_spec_index")
            reply.integer(out, spec_index)
        if flags:
            reply.bulk(out, b"flags")
            reply_statuses(client, flags)
        if argument.parts:
            reply.bulk(out, b"arguments")
            _reply_arguments(client, declaration, argument.parts)


def _argument_facts(declaration: Declaration, argument: Argument) -> list[tuple[str, str]]:
    """Return the texts about an argument."""
    kind = "pattern" if argument.kind == KEY_PATTERN else argument.kind
    facts = [("name", argument.name), ("type", kind)]
    if kind not in {"oneof", "block"}:
        facts.append(("display_text", argument.display or argument.name))
    if argument.token:
        facts.append(("token", argument.token))
    if since := declaration.argument_since(argument):
        facts.append(("since", since))
    if deprecated_since := declaration.argument_deprecated_since(argument):
        facts.append(("deprecated_since", deprecated_since))
    return facts


def _argument_flags(argument: Argument) -> list[str]:
    """Return whether an argument is optional or may be repeated, as Redis words it."""
    flags: list[str] = []
    if argument.is_optional:
        flags.append("optional")
    if argument.is_multiple:
        flags.append("multiple")
        if argument.repeats_token:
            flags.append("multiple_token")
    return flags
