"""The parts of the environment of scripts that are written in Lua.

They are in the folder `lua`. What handles tables of Lua is written in Lua, since each step into
Python takes as long as twenty instructions of Lua.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

LIBRARIES: Final = ("bit", "cjson", "cmsgpack", "patterns", "random", "struct", "texts")
"""The parts that only scripts call. They may be interrupted when a script must end."""
PARTS: Final = (*LIBRARIES, "registration", "replies")
"""The parts that `sandbox` gets as functions."""


@cache
def source_of(name: str) -> bytes:
    """Return the source of a part."""
    return files("crdb.engine.scripting").joinpath("lua", f"{name}.lua").read_bytes()
