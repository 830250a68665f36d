"""The whole command table, put together from the families."""

from __future__ import annotations

from typing import Final

from crdb.server.commands import (
    admin,
    bitmaps,
    clients,
    connection,
    counters,
    expiry,
    following,
    hashes,
    introspection,
    keys,
    list_moves,
    lists,
    server,
    sets,
    sorted_set_algebra,
    sorted_set_pops,
    sorted_set_ranges,
    sorted_sets,
    sorting,
    strings,
    transaction,
)
from crdb.server.table import TABLE, Command, install

COMMANDS: Final[tuple[Command, ...]] = (
    *admin.COMMANDS,
    *bitmaps.COMMANDS,
    *clients.COMMANDS,
    *connection.COMMANDS,
    *counters.COMMANDS,
    *expiry.COMMANDS,
    *following.COMMANDS,
    *hashes.COMMANDS,
    *introspection.COMMANDS,
    *keys.COMMANDS,
    *list_moves.COMMANDS,
    *lists.COMMANDS,
    *server.COMMANDS,
    *sets.COMMANDS,
    *sorted_set_algebra.COMMANDS,
    *sorted_set_pops.COMMANDS,
    *sorted_set_ranges.COMMANDS,
    *sorted_sets.COMMANDS,
    *sorting.COMMANDS,
    *strings.COMMANDS,
    *transaction.COMMANDS,
)

install(COMMANDS)

__all__ = ["COMMANDS", "TABLE"]
