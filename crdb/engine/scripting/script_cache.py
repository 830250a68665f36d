"""The scripts that EVALSHA finds, by their SHA-1 digest.

A script that EVAL has brought is forgotten when 500 others were used since, as in Redis 7.4: a
client that makes a new script for each call must not fill the memory. What SCRIPT LOAD has brought
stays until SCRIPT FLUSH.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

EVAL_SCRIPTS_MAX: Final = 500
SCRIPT_BYTES: Final = 200
"""The bytes that one script needs besides its text."""


class Script:
    """A compiled script. `body` is its text with its first line."""

    __slots__ = ("body", "flags", "function", "is_loaded", "name")

    def __init__(self, name: bytes, body: bytes, flags: int, function: Any) -> None:
        self.name = name
        """The SHA-1 digest of the body."""
        self.body = body
        self.flags = flags
        self.function = function
        self.is_loaded = False
        """True if SCRIPT LOAD has brought it."""


class ScriptCache:
    """The scripts of one instance. They are not replicated (rule LUA-2)."""

    def __init__(self) -> None:
        self.by_name: dict[bytes, Script] = {}
        self.recent: OrderedDict[bytes, None] = OrderedDict()
        """The scripts of EVAL. The one that was used last is at the end."""
        self.used_bytes = 0
        self.evicted = 0

    def add(self, script: Script) -> None:
        """Keep a script that is not known."""
        assert script.name not in self.by_name
        if not script.is_loaded:
            if len(self.recent) >= EVAL_SCRIPTS_MAX:
                self._forget(next(iter(self.recent)))
                self.evicted += 1
            self.recent[script.name] = None
        self.by_name[script.name] = script
        self.used_bytes += SCRIPT_BYTES + len(script.body)

    def _forget(self, name: bytes) -> None:
        """Remove a script that EVAL has brought."""
        del self.recent[name]
        script = self.by_name.pop(name)
        self.used_bytes -= SCRIPT_BYTES + len(script.body)

    def touch(self, script: Script) -> None:
        """Note that a script was used."""
        if not script.is_loaded and script.name in self.recent:
            self.recent.move_to_end(script.name)

    def pin(self, script: Script) -> None:
        """Keep a script of EVAL until SCRIPT FLUSH, since SCRIPT LOAD has brought it too."""
        script.is_loaded = True
        self.recent.pop(script.name, None)

    def clear(self) -> None:
        """Forget all scripts."""
        self.by_name.clear()
        self.recent.clear()
        self.used_bytes = 0
