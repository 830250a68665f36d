"""Which life of a region this is, so that no dot is ever issued twice.

A process that starts again has lost its memory: what it had written may still be on its way
somewhere. It therefore writes under an incarnation of its origin that it has not had before, and
serves reads only until it has recovered (rules STL-1 to STL-3; design section 3;
`replication.mesh.recovery`).

The first incarnation is drawn by lot, and the following ones count up from it, in a small file; the
number is on disk before the first write. So a start that finds no file, because it is the first or
because the file is lost with the disk or container that it was on, draws the number of an earlier
life with a probability of one in 16,384 for each. Were it always 0, new writes would take the dots
of lost ones, and peers would take them for known. A process that keeps no file, as `crdb up` does,
draws at every start; whoever follows it notices that it has restarted by just that.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs

from crdt.causality.dots import INCARNATION_BITS, INCARNATION_MAX

FILE: Final = "incarnation"
SHOWN_MAX: Final = 20  # of what stands in the file instead


class StateError(Exception):
    """The directory that counts restarts cannot be used."""


@attrs.frozen
class Life:
    """One start of a region. `is_first`: as far as is known, it is the first."""

    incarnation: int
    is_first: bool


def draw() -> int:
    """Some incarnation."""
    return random.SystemRandom().getrandbits(INCARNATION_BITS)


def begin_life(directory: Path | None) -> Life:
    """The life that begins with this start; noted in `directory`, if there is one, durably and
    before this returns.

    Raises StateError if the file cannot be read or written, or holds something else.
    """
    if directory is None:
        return Life(draw(), True)
    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        is_first = not path.exists()
        number = draw() if is_first else following(path)
        write_durably(path, f"{number}\n")
    except OSError as fault:
        raise StateError(f"{path}: cannot count restarts here: {fault.strerror}") from None
    return Life(number, is_first)


def following(path: Path) -> int:
    """The incarnation after the one in a file, 0 after the last. Raises StateError, OSError."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not (text.isascii() and text.isdigit()) or int(text) > INCARNATION_MAX:
        raise StateError(
            f"{path}: cannot count restarts here: it holds {text[:SHOWN_MAX]!r}, which is not "
            f"0..{INCARNATION_MAX}; delete it, and the region starts as somebody new"
        )
    return (int(text) + 1) & INCARNATION_MAX


def remember(directory: Path | None, incarnation: int) -> None:
    """Note, durably, that another incarnation has been taken during a life. Raises StateError."""
    if directory is not None:
        try:
            write_durably(directory / FILE, f"{incarnation}\n")
        except OSError as fault:
            reason = fault.strerror
            raise StateError(f"{directory}: cannot count restarts here: {reason}") from None


def write_durably(path: Path, text: str) -> None:
    """Replace a file, so that after a crash it holds either the old text or the new."""
    fresh = path.with_suffix(".new")
    try:
        with fresh.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
