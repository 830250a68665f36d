"""The functions that write the content of a value to another key, by type.

Each module of `crdt.writes` adds the function of its type here. `import crdt` imports all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from crdt.store.keyspace import Keyspace

ContentWriter: TypeAlias = Callable[[Keyspace, bytes, list[Any]], None]
"""Writes what `TypeDefinition.content` returns."""

CONTENT_WRITERS: Final[dict[int, ContentWriter]] = {}
"""The write functions by type code."""


def add_content_writer(code: int, write: ContentWriter) -> None:
    """Let COPY and RENAME write the content of a type with this function."""
    CONTENT_WRITERS[code] = write
