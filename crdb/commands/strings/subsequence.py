"""The longest common subsequence of two strings, and its positions (LCS).

The table of the textbook, n rows of m cells, is kept as n integers of m bits: bit j of row i is 0
where the length grows from cell j to cell j + 1, and a whole row is made from the one before by one
addition (Hyyro, "Bit-parallel LCS-length computation revisited", 2004). The way back through the
table prefers the same cells as Redis, so ties give the same result.
"""

from __future__ import annotations

INTEGER_BYTES = 36
"""The approximate overhead of a row, in addition to its bits."""


class Match:
    """A run of bytes that both strings contain: first and last index in each, inclusive."""

    __slots__ = ("first", "last", "other_first", "other_last")

    def __init__(self, last: int, other_last: int) -> None:
        self.first = last
        self.last = last
        self.other_first = other_last
        self.other_last = other_last

    def __len__(self) -> int:
        return self.last - self.first + 1


def table_bytes(text: bytes, other: bytes) -> int:
    """Estimate the memory in bytes that `matches` needs while it runs."""
    return len(text) * (INTEGER_BYTES + len(other) // 7)


def length(text: bytes, other: bytes) -> int:
    """Return the length of the longest common subsequence.

    >>> length(b"ohmytext", b"mynewtext")
    6
    """
    if len(text) > len(other):
        text, other = other, text
    masks = byte_masks(text, other)
    full = (1 << len(other)) - 1
    row = full
    for byte in text:
        row = next_row(row, masks[byte]) & full
    return len(other) - row.bit_count()


def matches(text: bytes, other: bytes) -> list[Match]:
    """Return the longest common subsequence as runs, the last one first.

    >>> [(run.first, run.other_first, len(run)) for run in matches(b"ohmytext", b"mynewtext")]
    [(4, 5, 4), (2, 0, 2)]
    """
    masks = byte_masks(text, other)
    full = (1 << len(other)) - 1
    rows: list[int] = []
    row = full
    for byte in text:
        row = next_row(row, masks[byte]) & full
        rows.append(row)
    found: list[Match] = []
    j = len(other)
    joined = False
    for i in range(len(text) - 1, -1, -1):
        if j == 0:
            break
        # The next cell to the left where the length has grown, or where the bytes are equal.
        grown = (~rows[i] & ((1 << j) - 1)).bit_length()
        equal = other.rfind(text[i : i + 1], max(grown - 1, 0), j) + 1
        if equal == 0:
            joined = False
            j = grown
            continue
        if joined and equal == j:
            found[-1].first = i
            found[-1].other_first = equal - 1
        else:
            found.append(Match(i, equal - 1))
        joined = True
        j = equal - 1
    return found


def next_row(row: int, mask: int) -> int:
    """Return the row after `row`. The bits of `mask` are the positions of the next byte."""
    common = row & mask
    return (row + common) | (row - common)


def byte_masks(text: bytes, other: bytes) -> dict[int, int]:
    """Map each byte of `text` to a mask of its positions in `other`."""
    backwards = other[::-1]
    masks: dict[int, int] = {}
    for byte in set(text):
        digits = bytearray(b"0" * 256)
        digits[byte] = ord("1")
        masks[byte] = int(backwards.translate(bytes(digits)) or b"0", 2)
    return masks
