"""INFO, CONFIG and TIME."""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command, Handler
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.help import send_help
from crdb.engine.info.sections import information
from crdb.resp import reply

NO_FILE: Final = (
    b"ERR The server is running without a config file that holds parameters. What CONFIG SET sets"
    b" lasts until the region stops; settings that are to last belong into the regions' file"
)

HELP: Final = (
    "GET <pattern>",
    "    Parameters whose names match the pattern, with their values.",
    "RESETSTAT",
    "    Let the counters of INFO start at zero.",
    "REWRITE",
    "    Refused: there is no file to write.",
    "SET <parameter> <value> [<parameter> <value> ...]",
    "    Set parameters, all or none.",
)


def info(client: Client, args: list[bytes]) -> None:
    """What the instance tells of itself."""
    wanted = [argument.decode("latin-1").lower() for argument in args[1:]]
    text = information(client.instance, wanted).encode("latin-1", "replace")
    reply.verbatim(client.out, client.protocol, text)


def time(client: Client, _args: list[bytes]) -> None:
    """Seconds and microseconds of the wall clock, as of the beginning of this batch."""
    seconds, ms = divmod(client.db.now, 1000)
    reply.bulks(client.out, [b"%d" % seconds, b"%d" % (ms * 1000)])


def config_get(client: Client, args: list[bytes]) -> None:
    """Parameters whose names match any of the patterns."""
    found = client.instance.config.get(args[2:])
    reply.map_header(client.out, client.protocol, len(found))
    for name, value in found:
        reply.bulk(client.out, name)
        reply.bulk(client.out, value)


def config_set(client: Client, args: list[bytes]) -> None:
    """Set parameters, all or none."""
    if len(args) % 2:
        raise CommandError(SYNTAX)
    client.instance.config.set(list(zip(args[2::2], args[3::2], strict=True)))
    reply.ok(client.out)


def config_resetstat(client: Client, _args: list[bytes]) -> None:
    """Let the counters of INFO start at zero."""
    client.instance.reset_statistics()
    reply.ok(client.out)


def config_rewrite(_client: Client, _args: list[bytes]) -> None:
    """There is no file that holds these parameters."""
    raise CommandError(NO_FILE)


def config_help(client: Client, _args: list[bytes]) -> None:
    """What there is."""
    send_help(client, b"CONFIG", HELP)


def row(name: str, handler: Handler, arity: int, summary: str, since: str = "2.0.0") -> Command:
    """A subcommand of CONFIG."""
    admin = "" if name == "help" else "admin noscript "
    complexity = "O(N) when N is the number of parameters" if name in {"get", "set"} else "O(1)"
    return Command(
        name,
        handler,
        arity,
        f"{admin}loading stale",
        since=since,
        summary=summary,
        complexity=complexity,
    )


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "info",
        info,
        -1,
        "loading stale",
        categories="dangerous",
        summary="Returns information and statistics about the server.",
        complexity="O(1)",
    ),
    Command(
        "time",
        time,
        1,
        "loading stale fast",
        since="2.6.0",
        summary="Returns the server time.",
        complexity="O(1)",
    ),
    Command(
        "config",
        None,
        -2,
        since="2.0.0",
        summary="A container for server configuration commands.",
        subcommands=(
            row("get", config_get, -3, "Returns the values of configuration parameters."),
            row("help", config_help, 2, "Returns helpful text about subcommands.", "5.0.0"),
            row("resetstat", config_resetstat, 2, "Resets the server's statistics."),
            row("rewrite", config_rewrite, 2, "Persists the configuration to file.", "2.8.0"),
            row("set", config_set, -4, "Sets configuration parameters."),
        ),
    ),
)
