"""The reply of `<container> HELP`, made from the declarations of the subcommands."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.declare.syntax import format_arguments
from crdb.resp import reply

_HEAD = "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"


def send_help(client: Client, container: Command) -> None:
    """Reply with two lines for each subcommand: its usage, and an indented summary."""
    lines = [_HEAD.format(container.name.decode().upper())]
    children = [container.subcommands[name] for name in sorted(container.subcommands)]
    for child in children:
        if child.name != b"help":
            lines += usage_lines(child, child.name.decode())
    lines += ["HELP", "    Print this help."]
    send_lines(client, lines)


def usage_lines(command: Command, name: str) -> list[str]:
    """Return the usage of a command under `name`, and its summary."""
    usage = f"{name.upper()} {format_arguments(command.declaration.arguments)}"
    return [usage.rstrip(), f"    {command.declaration.summary}"]


def send_lines(client: Client, lines: list[str]) -> None:
    """Reply with lines of text, each as a status."""
    reply.array(client.out, len(lines))
    for line in lines:
        reply.simple(client.out, line.encode())
