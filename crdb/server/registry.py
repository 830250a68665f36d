"""The whole command table, put together from the families."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Final

from crdb.server.table import TABLE, Command, install

FAMILIES: Final = (
    "admin",
    "bitmaps",
    "clients",
    "connection",
    "counters",
    "expiry",
    "hashes",
    "introspection",
    "keys",
    "list_moves",
    "lists",
    "server",
    "sets",
    "sorted_set_algebra",
    "sorted_set_pops",
    "sorted_set_ranges",
    "sorted_sets",
    "sorting",
    "strings",
    "transaction",
)


def _commands() -> tuple[Command, ...]:
    found: list[Command] = []
    for family in FAMILIES:
        name = f"crdb.server.commands.{family}"
        if find_spec(name) is not None:
            found.extend(importlib.import_module(name).COMMANDS)
    return tuple(found)


COMMANDS: Final = _commands()
install(COMMANDS)

__all__ = ["COMMANDS", "TABLE"]
