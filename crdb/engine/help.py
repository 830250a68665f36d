"""The reply of `<container> HELP`."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.resp import reply


def send_help(client: Client, container: bytes, lines: tuple[str, ...]) -> None:
    """Lines that tell the subcommands of `container`, each with an indented explanation."""
    head = b"%b <subcommand> [<arg> [value] [opt] ...]. Subcommands are:" % container.upper()
    body = [line.encode() for line in lines]
    everything = [head, *body, b"HELP", b"    Print this help."]
    reply.array(client.out, len(everything))
    for line in everything:
        reply.simple(client.out, line)
