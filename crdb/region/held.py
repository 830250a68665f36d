"""Keep the vector of what a region held on disk, so that a loss of data can be detected.

The file contains the number of effects of each origin. It is written about once a second and at the
end, but not durably. After a crash of the machine it may be out of date, and a loss then seems
smaller than it is.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from crdt.causality.dots import ORIGIN_MAX, SEQ_MAX, Vector

FILE: Final = "held"


def read_held_vector(directory: Path | None) -> Vector | None:
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


def write_held_vector(directory: Path | None, vector: Vector) -> None:
    """Write `vector` to the file. If that fails, the earlier file stays."""
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
