"""SLOWLOG: the latest commands that took longer than `slowlog-log-slower-than` microseconds."""

from __future__ import annotations

from itertools import islice
from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.errors import CommandError
from crdb.engine.help import send_help
from crdb.resp import reply
from crdb.resp.numbers import parse_integer

WRONG_COUNT: Final = b"ERR count should be greater than or equal to -1"
WRONG_ARITY: Final = (
    b"ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP."
)
COUNT_DEFAULT: Final = 10
HELP: Final = (
    "GET [<count>]",
    "    Return the newest entries (default: 10, -1 means all). An entry has an id, a",
    "    timestamp, a time in microseconds, the arguments, the client's address and name.",
    "LEN",
    "    Return the number of entries.",
    "RESET",
    "    Forget all entries.",
)


def slowlog_get(client: Client, args: list[bytes]) -> None:
    """SLOWLOG GET [count]."""
    if len(args) > 3:
        raise CommandError(WRONG_ARITY)
    count = parse_integer(args[2]) if len(args) > 2 else COUNT_DEFAULT
    if count is None or count < -1:
        raise CommandError(WRONG_COUNT)
    entries = client.instance.timing.slow_log.entries
    chosen = list(entries if count == -1 else islice(entries, count))
    out = client.out
    reply.array(out, len(chosen))
    for entry in chosen:
        reply.array(out, 6)
        reply.integer(out, entry.number)
        reply.integer(out, entry.at)
        reply.integer(out, entry.microseconds)
        reply.bulks(out, entry.args)
        reply.bulk(out, entry.address)
        reply.bulk(out, entry.client_name)


def slowlog_len(client: Client, _args: list[bytes]) -> None:
    """SLOWLOG LEN."""
    reply.integer(client.out, len(client.instance.timing.slow_log.entries))


def slowlog_reset(client: Client, _args: list[bytes]) -> None:
    """SLOWLOG RESET."""
    client.instance.timing.slow_log.entries.clear()
    reply.ok(client.out)


def slowlog_help(client: Client, _args: list[bytes]) -> None:
    """SLOWLOG HELP."""
    send_help(client, b"SLOWLOG", HELP)


FLAGS: Final = "admin loading stale"
PER_ENTRY: Final = "O(N) where N is the number of entries."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "slowlog", None, -2, since="2.2.12",
        summary="A container for slow log commands.",
        subcommands=(
            Command(
                "get", slowlog_get, -2, FLAGS, since="2.2.12",
                summary="Returns the entries of the slow log.", complexity=PER_ENTRY,
            ),
            Command(
                "help", slowlog_help, 2, "loading stale", since="6.2.0",
                summary="Returns helpful text about subcommands.", complexity="O(1)",
            ),
            Command(
                "len", slowlog_len, 2, FLAGS, since="2.2.12",
                summary="Returns the number of entries of the slow log.", complexity="O(1)",
            ),
            Command(
                "reset", slowlog_reset, 2, FLAGS, since="2.2.12",
                summary="Forgets all entries of the slow log.", complexity=PER_ENTRY,
            ),
        ),
    ),
)  # fmt: skip
