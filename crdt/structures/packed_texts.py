"""Several byte strings in one, which takes less memory than a tuple of them.

The form is that of an array of strings in RESP, such as `*1\\r\\n$2\\r\\nab\\r\\n`. So a
server sends it to clients unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

CRLF: Final = b"\r\n"
DIGITS_MAX: Final = 20
CACHED: Final = 256
HEADERS: Final[list[bytes]] = [b"$%d\r\n" % size for size in range(CACHED)]


def pack_texts(texts: Sequence[bytes]) -> bytes:
    """Return some byte strings as one."""
    parts: list[bytes] = [b"*%d\r\n" % len(texts)]
    for text in texts:
        size = len(text)
        parts.append(HEADERS[size] if size < CACHED else b"$%d\r\n" % size)
        parts.append(text)
        parts.append(CRLF)
    return b"".join(parts)


def count_texts(packed: bytes) -> int:
    """Return the number of byte strings in `packed`. O(1)."""
    return int(packed[1 : packed.index(CRLF, 0, DIGITS_MAX + 3)])


def unpack_texts(packed: bytes) -> tuple[bytes, ...]:
    """Return the byte strings in `packed`. Raises ValueError if `pack_texts` has not made it."""
    texts: list[bytes] = []
    place = packed.index(CRLF, 0, DIGITS_MAX + 3)
    count = int(packed[1:place])
    place += 2
    for _ in range(count):
        end = packed.index(CRLF, place, place + DIGITS_MAX + 3)
        start = end + 2
        place = start + int(packed[place + 1 : end])
        texts.append(packed[start:place])
        place += 2
    return tuple(texts)


def is_packed(packed: bytes) -> bool:
    """Return whether `pack_texts` can have made `packed`."""
    try:
        return pack_texts(unpack_texts(packed)) == packed
    except ValueError:
        return False
