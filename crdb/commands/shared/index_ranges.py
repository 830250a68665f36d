"""Ranges between two indexes of a sequence, as LRANGE and ZRANGE take them."""

from __future__ import annotations


def clamp(first: int, last: int, size: int) -> tuple[int, int]:
    """Return the slice from `first` to `last` of `size` elements.

    Negative indexes count from the end.
    """
    start = max(first + size, 0) if first < 0 else first
    stop = last + size if last < 0 else last
    return start, min(stop, size - 1) + 1
