"""The places of keys, and the cursors of scans.

A scan visits keys by their place, a number that a hash of the key yields. So a key has the same
place after it was removed and added again.

There are two kinds of places. Those of small collections come from a checksum, so that a scan is
the same in every process. Those of tables with several parts come from Python's own hash, which is
stored in the key and costs nothing.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

HASH_BITS: Final = 28
HASH_PLACES: Final = 1 << HASH_BITS
HASH_SHIFT: Final = 16
"""A dictionary uses the lowest bits of a hash. Places use higher ones, so that the keys of one
part of a table do not collide in the part's dictionary."""
HASH_MASK: Final = (HASH_PLACES - 1) << HASH_SHIFT

PLACE_BITS: Final = 24
PLACES: Final = 1 << PLACE_BITS
HALF: Final = 0xFFFF
# SCRAMBLE is 0x9E3779B1. It is odd, so that different checksums have different products.
SCRAMBLE_HIGH: Final = 0x9E37
SCRAMBLE_LOW: Final = 0x79B1

CURSOR_MARK: Final = 1 << 52
"""Added to every cursor that a scan returns, so that such a cursor is never 0. All cursors are
below `CURSOR_END`, 2^53, and therefore exact in a double, which some clients use."""
CURSOR_END: Final = CURSOR_MARK << 1


def place_of_hash(key: bytes) -> int:
    """Return the place of `key` by its hash, from 0 to 2^28 - 1."""
    return (hash(key) & HASH_MASK) >> HASH_SHIFT


def place_of(key: bytes) -> int:
    """Return the place of `key` by its checksum, from 0 to 2^24 - 1.

    It is the upper 24 bits of the checksum times SCRAMBLE, modulo 2^32. The factors are multiplied
    in halves of 16 bits. Compiled code multiplies larger integers in a slow way, which also aborts
    the process if Ctrl-C arrives meanwhile.
    """
    code = crc32(key)
    low = code & HALF
    high = (code >> 16) * SCRAMBLE_LOW + low * SCRAMBLE_HIGH & HALF
    return ((high << 16) + low * SCRAMBLE_LOW & 0xFFFFFFFF) >> 8


def cursor_of(place: int, hash_place: int) -> int:
    """Return the cursor of a scan that continues with the keys from these two places on.

    Keys whose place by checksum is below `place` have been returned, and of the others those whose
    place by hash is below `hash_place`.
    """
    return CURSOR_MARK | place << HASH_BITS | hash_place


def places_in(cursor: int) -> tuple[int, int]:
    """Return the two places in a cursor.

    A smaller cursor than any that a scan returns begins a scan, and a larger one ends it.
    """
    if cursor < CURSOR_MARK:
        return 0, 0
    if cursor >= CURSOR_END:
        return PLACES, 0
    return cursor >> HASH_BITS & PLACES - 1, cursor & HASH_PLACES - 1


def is_later_page(cursor: int) -> bool:
    """Return whether a scan has returned `cursor`, so that it asks for a later page."""
    return CURSOR_MARK <= cursor < CURSOR_END
