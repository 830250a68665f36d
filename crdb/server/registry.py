"""The whole command table, put together from the families."""

from __future__ import annotations

from typing import Final

from crdb.server.commands import (
    absent,
    admin,
    bitmaps,
    clients,
    connection,
    counters,
    crdb_help,
    expiry,
    following,
    hashes,
    introspection,
    keys,
    latency,
    list_moves,
    lists,
    memory,
    monitor,
    scripting,
    server,
    sets,
    shutdown,
    slowlog,
    sorted_set_algebra,
    sorted_set_pops,
    sorted_set_ranges,
    sorted_sets,
    sorting,
    strings,
    transaction,
    waiting,
)
from crdb.server.table import TABLE, Command, install

COMMANDS: Final[tuple[Command, ...]] = (
    *absent.COMMANDS,
    *admin.COMMANDS,
    *bitmaps.COMMANDS,
    *clients.COMMANDS,
    *connection.COMMANDS,
    *counters.COMMANDS,
    *crdb_help.COMMANDS,
    *expiry.COMMANDS,
    *following.COMMANDS,
    *hashes.COMMANDS,
    *introspection.COMMANDS,
    *keys.COMMANDS,
    *latency.COMMANDS,
    *list_moves.COMMANDS,
    *lists.COMMANDS,
    *memory.COMMANDS,
    *monitor.COMMANDS,
    *scripting.COMMANDS,
    *server.COMMANDS,
    *sets.COMMANDS,
    *shutdown.COMMANDS,
    *slowlog.COMMANDS,
    *sorted_set_algebra.COMMANDS,
    *sorted_set_pops.COMMANDS,
    *sorted_set_ranges.COMMANDS,
    *sorted_sets.COMMANDS,
    *sorting.COMMANDS,
    *strings.COMMANDS,
    *transaction.COMMANDS,
    *waiting.COMMANDS,
)

install(COMMANDS)

__all__ = ["COMMANDS", "TABLE"]
