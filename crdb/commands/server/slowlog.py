"""SLOWLOG: the latest commands that took longer than `slowlog-log-slower-than` microseconds."""

from __future__ import annotations

from itertools import islice
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.resp import reply
from crdb.resp.numbers import parse_integer

COMMANDS: Final[CommandFamily] = CommandFamily("server")
PER_ENTRY: Final = "O(N) where N is the number of entries."
SLOWLOG: Final = COMMANDS.container(
    "slowlog", since="2.2.12", summary="A container for slow log commands."
)
SLOWLOG.declare_help(since="6.2.0")


WRONG_COUNT: Final = b"ERR count should be greater than or equal to -1"
WRONG_ARITY: Final = (
    b"ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP."
)
COUNT_DEFAULT: Final = 10


@SLOWLOG.declare(
    "get",
    "[count]",
    "admin loading stale",
    summary="Returns the entries of the slow log.",
    complexity=PER_ENTRY,
    tips="request_policy:all_nodes nondeterministic_output",
    history=("4.0.0 the client's address and name",),
)
def slowlog_get(client: Client, args: list[bytes]) -> None:
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


@SLOWLOG.declare(
    "len",
    "",
    "admin loading stale",
    summary="Returns the number of entries of the slow log.",
    tips="request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
)
def slowlog_len(client: Client, _args: list[bytes]) -> None:
    reply.integer(client.out, len(client.instance.timing.slow_log.entries))


@SLOWLOG.declare(
    "reset",
    "",
    "admin loading stale",
    summary="Deletes all entries of the slow log.",
    complexity=PER_ENTRY,
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def slowlog_reset(client: Client, _args: list[bytes]) -> None:
    client.instance.timing.slow_log.entries.clear()
    reply.ok(client.out)
