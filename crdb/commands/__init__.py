"""The commands, one module per family; each exposes `COMMANDS`, a tuple of `table.Command`."""

from __future__ import annotations
