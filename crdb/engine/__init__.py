"""The database as clients use it: sessions, commands, transactions, blocking, configuration."""

from __future__ import annotations
