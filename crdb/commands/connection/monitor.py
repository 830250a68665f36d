"""MONITOR: streams the commands of all clients to one client."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")


INSIDE_EXEC: Final = b"ERR MONITOR isn't allowed for DENY BLOCKING client"


@COMMANDS.declare(
    "monitor",
    "",
    "admin noscript loading stale",
    summary="Streams every command that the server executes.",
    complexity="O(N) for each command shown, where N is the size of its arguments.",
)
def monitor(client: Client, _args: list[bytes]) -> None:
    """Stream commands until RESET or the end of the connection."""
    if client.in_exec:
        raise CommandError(INSIDE_EXEC)
    client.instance.monitors.add(client)
    reply.ok(client.out)
