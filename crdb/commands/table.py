"""The command table of the database, built from the families."""

from __future__ import annotations

from typing import Final

from crdb.commands.connection import clients, connection, monitor, tracking, transaction
from crdb.commands.generic import databases, dumping, expiry, keys, sorting
from crdb.commands.geo import positions, searching
from crdb.commands.hashes import field_expiry, hashes
from crdb.commands.hyperloglog import hyperloglog
from crdb.commands.json import arrays, documents, numbers, objects, reading, removal, texts
from crdb.commands.lists import list_moves, lists
from crdb.commands.pubsub import publishing, subscribing
from crdb.commands.replication import admin, crdb_help, following, waiting
from crdb.commands.scripting import evaluation, function, script
from crdb.commands.security import acl
from crdb.commands.server import (
    cluster,
    introspection,
    latency,
    memory,
    server,
    shutdown,
    slowlog,
    unsupported,
)
from crdb.commands.sets import set_algebra, sets
from crdb.commands.sorted_sets import (
    algebra,
    popping,
    ranges,
    sorted_sets,
)
from crdb.commands.streams import entries, groups, pending, stream_info, stream_reads
from crdb.commands.strings import bitmaps, counters, strings, substrings
from crdb.engine.command import Command, CommandTable

COMMANDS: Final[tuple[Command, ...]] = (
    *acl.COMMANDS,
    *admin.COMMANDS,
    *arrays.COMMANDS,
    *bitmaps.COMMANDS,
    *clients.COMMANDS,
    *cluster.COMMANDS,
    *connection.COMMANDS,
    *counters.COMMANDS,
    *crdb_help.COMMANDS,
    *databases.COMMANDS,
    *databases.SERVER_COMMANDS,
    *documents.COMMANDS,
    *dumping.COMMANDS,
    *evaluation.COMMANDS,
    *expiry.COMMANDS,
    *field_expiry.COMMANDS,
    *following.COMMANDS,
    *function.COMMANDS,
    *hashes.COMMANDS,
    *hyperloglog.COMMANDS,
    *introspection.COMMANDS,
    *keys.COMMANDS,
    *latency.COMMANDS,
    *list_moves.COMMANDS,
    *lists.COMMANDS,
    *memory.COMMANDS,
    *monitor.COMMANDS,
    *publishing.COMMANDS,
    *numbers.COMMANDS,
    *objects.COMMANDS,
    *reading.COMMANDS,
    *removal.COMMANDS,
    *searching.COMMANDS,
    *script.COMMANDS,
    *server.COMMANDS,
    *set_algebra.COMMANDS,
    *sets.COMMANDS,
    *shutdown.COMMANDS,
    *slowlog.COMMANDS,
    *algebra.COMMANDS,
    *popping.COMMANDS,
    *positions.COMMANDS,
    *ranges.COMMANDS,
    *sorted_sets.COMMANDS,
    *sorting.COMMANDS,
    *entries.COMMANDS,
    *groups.COMMANDS,
    *pending.COMMANDS,
    *stream_info.COMMANDS,
    *stream_reads.COMMANDS,
    *strings.COMMANDS,
    *subscribing.COMMANDS,
    *texts.COMMANDS,
    *substrings.COMMANDS,
    *tracking.COMMANDS,
    *transaction.COMMANDS,
    *unsupported.COMMANDS,
    *waiting.COMMANDS,
)


def build_table() -> CommandTable:
    """Return a table of all commands, for one instance."""
    return CommandTable(COMMANDS)
