"""Choose a region's incarnation at its start, so that no dot is ever issued twice.

A process that restarts has lost its data, and its earlier writes may still be on their way. So it
writes under an incarnation that it has not had before, and is read-only until it has recovered
(rules STL-1 to STL-3; `replication.mesh.recovery`).

The first incarnation is drawn at random, and later ones count up from it in a small file. The
number is on disk before the first write. A start without a file may be the first, or the file was
lost with its disk or container. It draws the number of a given earlier incarnation with a
probability of 1 in 16,384. If it always began with 0, new writes would take the dots of lost ones,
and peers would ignore them as known. A process without a state directory, such as `crdb up`, draws
at every start. Followers notice its restart by the new number.
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
SHOWN_MAX: Final = 20  # characters of an unexpected file that an error shows


class StateError(Exception):
    """The directory that counts restarts cannot be used."""


@attrs.frozen
class RegionStart:
    """One start of a region. `is_first`: as far as is known, it is the first."""

    incarnation: int
    is_first: bool


def draw_incarnation() -> int:
    """Return a random incarnation."""
    return random.SystemRandom().getrandbits(INCARNATION_BITS)


def begin_incarnation(directory: Path | None) -> RegionStart:
    """Return the incarnation of this start. It is written durably to `directory`, if there is one,
    before this returns.

    Raises StateError if the file cannot be read or written, or holds something else.
    """
    if directory is None:
        return RegionStart(draw_incarnation(), True)
    path = directory / FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        is_first = not path.exists()
        number = draw_incarnation() if is_first else next_incarnation(path)
        write_durably(path, f"{number}\n")
    except OSError as fault:
        raise StateError(f"{path}: cannot count restarts here: {fault.strerror}") from None
    return RegionStart(number, is_first)


def next_incarnation(path: Path) -> int:
    """Return the incarnation after that in a file, 0 after the last. Raises StateError, OSError."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not (text.isascii() and text.isdigit()) or int(text) > INCARNATION_MAX:
        raise StateError(
            f"{path}: cannot count restarts here: it holds {text[:SHOWN_MAX]!r}, which is not "
            f"0..{INCARNATION_MAX}; delete the file, and the region draws a new number"
        )
    return (int(text) + 1) & INCARNATION_MAX


def write_incarnation(directory: Path | None, incarnation: int) -> None:
    """Write durably that a running region has taken another incarnation. Raises StateError."""
    if directory is not None:
        try:
            write_durably(directory / FILE, f"{incarnation}\n")
        except OSError as fault:
            reason = fault.strerror
            raise StateError(f"{directory}: cannot count restarts here: {reason}") from None


def write_durably(path: Path, text: str) -> None:
    """Replace a file atomically: after a crash it holds either the old text or the new."""
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
