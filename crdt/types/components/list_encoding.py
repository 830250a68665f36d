"""The encoding that Redis would report for a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

LENGTH_OR_SIZE: Final = "list-max-listpack-size"
"""The parameter of Redis that limits a packed list, in elements or by size."""
ITEM_BYTES: Final = 2
"""The bytes that an element of a packed list takes in addition to its own, at least."""
PACKED_BYTES: Final = (4096, 8192, 16384, 32768, 65536)
"""The sizes that the limits -1, -2 ... -5 stand for."""
COUNTED_BYTES_MAX: Final = 8192
"""The size allowed to a list whose length is limited and not its size."""


class CountedElements(Protocol):
    """A list, as far as its encoding depends on it."""

    def length(self) -> int:
        """Return the number of elements."""
        ...

    def values(self, start: int, stop: int) -> list[bytes]:
        """Return the elements with `start` <= index < `stop`."""
        ...


def encoding(value: CountedElements, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a list in Redis. A limit below 0 is one of size, any other one of
    length."""
    limit = limits[LENGTH_OR_SIZE]
    bytes_max = COUNTED_BYTES_MAX if limit >= 0 else PACKED_BYTES[min(-limit, 5) - 1]
    # No list that is longer fits, so its elements need not be looked at.
    count_max = bytes_max // ITEM_BYTES if limit < 0 else max(limit, 1)
    if value.length() > count_max:
        return b"quicklist"
    size = sum([len(item) + ITEM_BYTES for item in value.values(0, value.length())])
    return b"listpack" if size <= bytes_max else b"quicklist"
