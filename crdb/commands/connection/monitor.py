"""MONITOR: shows a client what all clients do."""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.errors import CommandError
from crdb.resp import reply

INSIDE_EXEC: Final = b"ERR MONITOR isn't allowed for DENY BLOCKING client"


def monitor(client: Client, _args: list[bytes]) -> None:
    """MONITOR: until RESET or the end of the connection."""
    if client.in_exec:
        raise CommandError(INSIDE_EXEC)
    client.instance.monitors.add(client)
    reply.ok(client.out)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "monitor", monitor, 1, "admin noscript loading stale",
        summary="Shows all commands that the server carries out, as they come.",
        complexity="O(N) for each command shown, where N is the size of its arguments.",
    ),
)  # fmt: skip
