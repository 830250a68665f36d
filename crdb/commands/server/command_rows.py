"""Rows of COMMAND INFO, which clients use to route a request."""

from __future__ import annotations

from collections.abc import Sequence

from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.declare.key_specs import KeySpec
from crdb.resp import reply


def reply_statuses(client: Client, words: list[str]) -> None:
    """Reply with a set of words, each as a status."""
    reply.set_header(client.out, client.protocol, len(words))
    for word in words:
        reply.simple(client.out, word.encode())


def reply_command_row(client: Client, command: Command | None) -> None:
    """Reply with the details of one command and of its subcommands, or with null."""
    out = client.out
    if command is None:
        reply.null(out, client.protocol)
        return
    declaration = command.declaration
    reply.array(out, 10)
    reply.bulk(out, command.full_name)
    reply.integer(out, command.arity)
    reply_statuses(client, command.flags)
    for number in declaration.key_range:
        reply.integer(out, number)
    reply_statuses(client, [f"@{category}" for category in declaration.categories])
    reply.set_header(out, client.protocol, len(declaration.tips))
    for tip in declaration.tips:
        reply.bulk(out, tip.encode())
    reply.set_header(out, client.protocol, len(declaration.key_specs))
    for spec in declaration.key_specs:
        _reply_key_spec(client, spec)
    if command.subcommands:
        reply.array(out, len(command.subcommands))
    else:
        reply.set_header(out, client.protocol, 0)
    for name in sorted(command.subcommands):
        reply_command_row(client, command.subcommands[name])


def _reply_key_spec(client: Client, spec: KeySpec) -> None:
    """Reply with the positions of some keys, and what the command does with them."""
    reply.map_header(client.out, client.protocol, 3 + bool(spec.note))
    if spec.note:
        reply.bulk(client.out, b"notes")
        reply.bulk(client.out, spec.note.encode())
    reply.bulk(client.out, b"flags")
    reply_statuses(client, spec.flags.split())
    if spec.begin == 0:
        _reply_search(client, b"begin_search", b"unknown", [])
        _reply_search(client, b"find_keys", b"unknown", [])
        return
    if spec.keyword:
        word = [(b"keyword", spec.keyword.encode()), (b"startfrom", spec.begin)]
        _reply_search(client, b"begin_search", b"keyword", word)
    else:
        _reply_search(client, b"begin_search", b"index", [(b"index", spec.begin)])
    if spec.is_numbered:
        numbers = [(b"keynumidx", 0), (b"firstkey", 1), (b"keystep", spec.step)]
        _reply_search(client, b"find_keys", b"keynum", numbers)
    else:
        numbers = [(b"lastkey", spec.last), (b"keystep", spec.step), (b"limit", spec.parts)]
        _reply_search(client, b"find_keys", b"range", numbers)


def _reply_search(
    client: Client, title: bytes, kind: bytes, facts: Sequence[tuple[bytes, int | bytes]]
) -> None:
    """Reply with one half of a key specification: where the keys begin, or how many there are."""
    out, protocol = client.out, client.protocol
    reply.bulk(out, title)
    reply.map_header(out, protocol, 2)
    reply.bulk(out, b"type")
    reply.bulk(out, kind)
    reply.bulk(out, b"spec")
    reply.map_header(out, protocol, len(facts))
    for name, value in facts:
        reply.bulk(out, name)
        if isinstance(value, bytes):
            reply.bulk(out, value)
        else:
            reply.integer(out, value)
