"""A note of what a region held, next to its incarnation, so that a loss can be noticed.

The file says for each origin how many of its effects were here. It is written every few seconds and
at the end, not durably: after a crash of the machine it may be a little old, and then a loss looks
smaller than it is.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from crdt.causality.dots import ORIGIN_MAX, SEQ_MAX, Vector

FILE: Final = "held"


def read_held(directory: Path | None) -> Vector | None:
    """Return what an earlier incarnation held; None if that is not known."""
    if directory is None:
        return None
    try:
        text = (directory / FILE).read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found: Vector = {}
    for line in text.splitlines():
        match line.split():
            case [origin, seq] if origin.isdecimal() and seq.isdecimal():
                if int(origin) <= ORIGIN_MAX and int(seq) <= SEQ_MAX:
                    found[int(origin)] = int(seq)
            case _:
                return None
    return found


def note_held(directory: Path | None, vector: Vector) -> None:
    """Note what is here now. If that cannot be written, what was noted before stays."""
    if directory is None:
        return
    fresh = directory / f"{FILE}.new"
    with suppress(OSError):
        fresh.write_text(
            "".join(f"{origin} {seq}\n" for origin, seq in sorted(vector.items())), encoding="ascii"
        )
        fresh.replace(directory / FILE)
        return
    with suppress(OSError):
        fresh.unlink()
