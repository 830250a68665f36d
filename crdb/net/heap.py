"""Driver: the memory that the C library keeps after it was freed."""

from __future__ import annotations

import ctypes
from typing import Final

HEAP_FIGURES: Final = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class HeapFigures(ctypes.Structure):
    """The figures that `mallinfo2` of the GNU C library returns."""

    _fields_ = [(name, ctypes.c_size_t) for name in HEAP_FIGURES]


def heap_bytes_free() -> int:
    """Return the bytes that the C library holds for later; 0 where it does not say. It visits each
    free block, so this takes milliseconds if there are many."""
    read = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if read is None:
        return 0
    read.restype = HeapFigures
    return int(read().fordblks)


def release_memory() -> None:
    """Give memory that was freed back to the system, where the C library can do so."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
