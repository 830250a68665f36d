"""INFO, CONFIG and TIME."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.info.sections import information
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")
CONFIG: Final = COMMANDS.container(
    "config", since="2.0.0", summary="A container for server configuration commands."
)
CONFIG.declare_help(since="5.0.0")


NO_FILE: Final = (
    b"ERR The server is running without a config file that holds parameters. What CONFIG SET sets"
    b" lasts until the region stops; settings that are to last belong into the regions' file"
)


@COMMANDS.declare(
    "info",
    "[section]...",
    "loading stale",
    summary="Returns information and statistics about the server.",
    categories="dangerous",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
    history=("7.0.0 several sections",),
)
def info(client: Client, args: list[bytes]) -> None:
    wanted = [argument.decode("latin-1").lower() for argument in args[1:]]
    text = information(client.instance, wanted).encode("latin-1", "replace")
    reply.verbatim(client.out, client.protocol, text)


@COMMANDS.declare(
    "time",
    "",
    "loading stale fast",
    since="2.6.0",
    summary="Returns the server time.",
    tips="nondeterministic_output",
)
def time(client: Client, _args: list[bytes]) -> None:
    """Reply with the wall clock at the beginning of this batch of requests."""
    seconds, ms = divmod(client.db.now, 1000)
    reply.bulks(client.out, [b"%d" % seconds, b"%d" % (ms * 1000)])


@CONFIG.declare(
    "get",
    "parameter...",
    "admin noscript loading stale",
    summary="Returns the values of configuration parameters.",
    complexity="O(N) when N is the number of parameters",
    history=("7.0.0 several patterns",),
)
def config_get(client: Client, args: list[bytes]) -> None:
    found = client.instance.config.get(args[2:])
    reply.map_header(client.out, client.protocol, len(found))
    for name, value in found:
        reply.bulk(client.out, name)
        reply.bulk(client.out, value)


@CONFIG.declare(
    "set",
    "(data: parameter value)...",
    "admin noscript loading stale",
    summary="Sets configuration parameters.",
    complexity="O(N) when N is the number of parameters",
    tips="request_policy:all_nodes response_policy:all_succeeded",
    history=("7.0.0 several parameters",),
)
def config_set(client: Client, args: list[bytes]) -> None:
    """Set all parameters or none."""
    if len(args) % 2:
        raise CommandError(SYNTAX)
    client.instance.config.set(list(zip(args[2::2], args[3::2], strict=True)))
    reply.ok(client.out)


@CONFIG.declare(
    "resetstat",
    "",
    "admin noscript loading stale",
    summary="Resets the statistics of the server.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def config_resetstat(client: Client, _args: list[bytes]) -> None:
    client.instance.reset_statistics()
    reply.ok(client.out)


@CONFIG.declare(
    "rewrite",
    "",
    "admin noscript loading stale",
    since="2.8.0",
    summary="Refused: lasting settings stand in the regions' file.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def config_rewrite(_client: Client, _args: list[bytes]) -> None:
    """Refuse, since no file holds these parameters."""
    raise CommandError(NO_FILE)
