"""Driver: a region's state directory, with the two small files that survive a restart.

`incarnation` contains the number of the latest incarnation. It is on disk before the first write of
that incarnation. `held` contains the vector of what the region held, so that a loss of data can be
detected. It is written about once a second and at the end, but not durably. After a crash of the
machine it may be out of date, and a loss then seems smaller than it is.

A process holds a lock on the directory while it runs. Two processes with one directory would take
the same incarnations, and would replace each other at their peers again and again.
"""

from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from crdb.region.core.held_vector import format_held_vector, parse_held_vector
from crdb.region.core.incarnations import RegionStart, choose_incarnation, parse_incarnation
from crdt.causality.dots import INCARNATION_BITS, INCARNATION_MAX, Vector

INCARNATION: Final = "incarnation"
HELD: Final = "held"
REMEDY: Final = "make room, make it writable, or choose another directory with --state"
SHOWN_MAX: Final = 20  # characters of an unexpected file that an error shows


class StateError(Exception):
    """The directory that counts restarts cannot be used."""


def cannot_count(place: Path, fault: OSError) -> StateError:
    """Return the error for a region that cannot start, because of `fault` at `place`."""
    return StateError(f"{place}: cannot count restarts here: {fault.strerror}; {REMEDY}")


@contextmanager
def locked_directory(directory: Path | None) -> Generator[None]:
    """Create the directory if needed, and lock it in the body of the `with` statement.

    Raises StateError if it cannot be created, or if another process has locked it. A file system
    that has no locks is used without one.
    """
    if directory is None:
        yield
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY)
    except OSError as fault:
        raise cannot_count(directory, fault) from None
    try:
        with suppress(OSError):
            lock(directory, handle)
        yield
    finally:
        os.close(handle)


def lock(directory: Path, handle: int) -> None:
    """Lock an open directory until its handle is closed. Raises StateError, OSError."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(
            f"{directory}: another process uses this state directory; stop that process, or give "
            "each region a directory of its own"
        ) from None


def draw_incarnation() -> int:
    """Return a random incarnation."""
    return random.SystemRandom().getrandbits(INCARNATION_BITS)


def begin_incarnation(directory: Path | None) -> RegionStart:
    """Return the incarnation of this start. It is written durably to `directory`, if there is one,
    before this returns.

    Raises StateError if the file cannot be read or written, or holds something else.
    """
    if directory is None:
        return choose_incarnation(None, draw_incarnation)
    path = directory / INCARNATION
    try:
        directory.mkdir(parents=True, exist_ok=True)
        start = choose_incarnation(read_incarnation(path), draw_incarnation)
        write_durably(path, f"{start.incarnation}\n")
    except OSError as fault:
        raise cannot_count(path, fault) from None
    return start


def read_incarnation(path: Path) -> int | None:
    """Return the incarnation in a file; None if there is no file. Raises StateError, OSError."""
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    number = parse_incarnation(text)
    if number is None:
        raise StateError(
            f"{path}: cannot count restarts here: it holds {text.strip()[:SHOWN_MAX]!r}, which is "
            f"not 0..{INCARNATION_MAX}; delete the file, and the region draws a new number"
        )
    return number


def write_incarnation(directory: Path | None, incarnation: int) -> None:
    """Write durably that a running region has taken another incarnation. Raises StateError."""
    if directory is not None:
        try:
            write_durably(directory / INCARNATION, f"{incarnation}\n")
        except OSError as fault:
            reason = fault.strerror
            raise StateError(f"{directory}: cannot count restarts here: {reason}") from None


def read_held_vector(directory: Path | None) -> Vector | None:
    """Return what an earlier incarnation held; None if that is not known."""
    if directory is None:
        return None
    try:
        text = (directory / HELD).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return parse_held_vector(text)


def write_held_vector(directory: Path | None, vector: Vector) -> None:
    """Write `vector` to the file. Raises StateError if that fails; the earlier file stays."""
    if directory is None:
        return
    path, fresh = directory / HELD, directory / f"{HELD}.new"
    try:
        fresh.write_text(format_held_vector(vector), encoding="ascii")
        fresh.replace(path)
    except OSError as fault:
        with suppress(OSError):
            fresh.unlink()
        raise StateError(f"{path}: cannot note what is held: {fault.strerror}") from None


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
