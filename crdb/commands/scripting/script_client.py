"""The client as which a script runs its commands. It has no connection."""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.instance import Instance
from crdb.engine.session import Session

ADDRESS: Final = b"lua"
"""Shown by MONITOR."""


class ScriptClient(Client):
    """Runs commands as inside EXEC: none of them blocks, and long ones are passed back as steps."""

    __slots__ = ()

    def __init__(self, instance: Instance) -> None:
        Session.__init__(self, 0, ADDRESS, b"", instance.now)
        self.instance = instance
        self.db = instance.keyspace
        self.in_exec = True
