"""The libraries of functions that FCALL calls.

They are not replicated, as in the product whose rules this database follows (rule LUA-2): each
region needs its own FUNCTION LOAD. FUNCTION DUMP and RESTORE carry them from one to another.
"""

from __future__ import annotations

from typing import Any, Final

from crdb.engine.errors import CommandError
from crdb.engine.scripting.shebang import BAD_NAME, FLAGS, is_valid_name

LIBRARY_BYTES: Final = 300
FUNCTION_BYTES: Final = 200


class Function:
    """A function of a library."""

    __slots__ = ("body", "description", "flags", "name")

    def __init__(self, name: bytes, body: Any, description: bytes | None, flags: int) -> None:
        self.name = name
        self.body = body
        """The function of Lua."""
        self.description = description
        self.flags = flags


class Library:
    """A library, with its text."""

    __slots__ = ("code", "functions", "name")

    def __init__(self, name: bytes, code: bytes) -> None:
        self.name = name
        self.code = code
        self.functions: dict[bytes, Function] = {}

    def register(
        self, name: bytes, body: Any, description: bytes | None, flags: bytes
    ) -> bytes | None:
        """Add a function. Return the error if it is refused. Its code calls this."""
        bits = 0
        for word in flags.split(b" ") if flags else ():
            bit = FLAGS.get(word.lower())
            if bit is None:
                return b"unknown flag given"
            bits |= bit
        if not is_valid_name(name):
            return BAD_NAME.removeprefix(b"ERR ")
        if name in self.functions:
            return b"Function already exists in the library"
        self.functions[name] = Function(name, body, description, bits)
        return None

    @property
    def used_bytes(self) -> int:
        """The approximate memory of the library, without what Lua needs for it."""
        return LIBRARY_BYTES + len(self.code) + FUNCTION_BYTES * len(self.functions)


class Libraries:
    """The libraries of one instance, by name, and all their functions."""

    def __init__(self) -> None:
        self.by_name: dict[bytes, Library] = {}
        self.functions: dict[bytes, Function] = {}
        """By name in lower case."""

    def find(self, name: bytes) -> Function | None:
        """Return the function of this name, in any case."""
        return self.functions.get(name.lower())

    def add(self, new: list[Library], *, replaces: bool) -> None:
        """Add libraries, in place of those with the same names if it `replaces` them. Raises
        CommandError if a name is taken; then nothing has changed."""
        names = {library.name for library in new}
        for library in new:
            if library.name in self.by_name and not replaces:
                raise CommandError(b"ERR Library %b already exists" % library.name)
        left = {name: each for name, each in self.by_name.items() if name not in names}
        self.by_name, self.functions = joined(left, new)

    def replace_all(self, new: list[Library]) -> None:
        """Keep these libraries only."""
        self.by_name, self.functions = joined({}, new)

    def remove(self, name: bytes) -> bool:
        """Remove a library. Return whether it existed."""
        library = self.by_name.pop(name, None)
        if library is None:
            return False
        for each in library.functions:
            del self.functions[each.lower()]
        return True

    @property
    def used_bytes(self) -> int:
        """The approximate memory of all libraries."""
        return sum(library.used_bytes for library in self.by_name.values())


def joined(
    held: dict[bytes, Library], new: list[Library]
) -> tuple[dict[bytes, Library], dict[bytes, Function]]:
    """Return the libraries of both, and their functions. Raises CommandError if two libraries have
    the same name, or two functions."""
    libraries: dict[bytes, Library] = {}
    functions: dict[bytes, Function] = {}
    for library in (*held.values(), *new):
        if library.name in libraries:
            raise CommandError(b"ERR Library '%b' already exists" % library.name)
        libraries[library.name] = library
        for name, function in library.functions.items():
            if name.lower() in functions:
                raise CommandError(b"ERR Function %b already exists" % name)
            functions[name.lower()] = function
    return libraries, functions
