"""How often a region has started, kept in a small file, so that no dot is ever issued twice.

A process that starts again has lost its memory: what it had written may still be on its way
somewhere. It therefore writes under a new incarnation of its origin, and serves reads only until
it has caught up with a peer (rules STL-1 to STL-3; design section 3). The number is on disk before
the first write.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from crdt.dots import INCARNATION_MAX

FILE: Final = "incarnation"


class StateError(Exception):
    """The directory that counts restarts cannot be used."""


def next_incarnation(directory: Path) -> int:
    """The number of this start, 0 for the first; noted durably before it is returned.

    Raises StateError if the file cannot be read or written, or holds something else.
    """
    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="ascii") if path.exists() else "-1"
        number = int(text) + 1
        if not 0 <= number <= INCARNATION_MAX:
            raise StateError(f"{path}: incarnation {number} is not 0..{INCARNATION_MAX}")
        write_durably(path, f"{number}\n")
    except (ValueError, OSError) as fault:
        raise StateError(f"{path}: cannot count restarts here: {fault}") from None
    return number


def write_durably(path: Path, text: str) -> None:
    """Replace a file, so that after a crash it holds either the old text or the new."""
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
