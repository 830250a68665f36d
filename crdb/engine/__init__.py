"""What a client meets: sessions, the command table, transactions, blocking, configuration."""

from __future__ import annotations
