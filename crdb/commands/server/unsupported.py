"""Commands of features that are not supported: there are no modules, and FAILOVER is refused.

A region has peers instead of replicas. Each of them accepts writes, so there is no role to hand
over.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.instance import REDIS_VERSION
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")
MODULE: Final = COMMANDS.container(
    "module", since="4.0.0", summary="A container for module commands."
)
MODULE.declare_help(since="5.0.0")
NO_FAILOVER: Final = (
    b"ERR FAILOVER is not supported by crdb: every region accepts writes, so there is no role to "
    b"hand over. Connect the clients to another region"
)


@MODULE.declare(
    "list",
    "",
    "admin noscript",
    summary="Returns the modules; there are none.",
    tips="nondeterministic_output_order",
)
def module_list(client: Client, _args: list[bytes]) -> None:
    reply.array(client.out, 0)


@COMMANDS.declare(
    "lolwut",
    "[VERSION version]",
    "readonly fast",
    since="5.0.0",
    summary="Returns the version.",
)
def lolwut(client: Client, _args: list[bytes]) -> None:
    """Reply with the version, without a picture."""
    text = f"Redis ver. {REDIS_VERSION}\n".encode()
    reply.verbatim(client.out, client.protocol, text)


@COMMANDS.declare(
    "failover",
    "[TO host port:integer [FORCE]] [ABORT] [TIMEOUT milliseconds:integer]",
    "admin noscript stale",
    since="6.2.0",
    summary="Refused: every region accepts writes, so there is no role to hand over.",
)
def failover(_client: Client, _args: list[bytes]) -> None:
    """Refuse, with what to do instead."""
    raise CommandError(NO_FAILOVER)
