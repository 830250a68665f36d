"""The longest common subsequence of two strings, and its positions (LCS).

The table of the textbook, n rows of m cells, is kept as n integers of m bits: bit j of row i is 0
where the length grows from cell j to cell j + 1, and a whole row is made from the one before by one
addition (Hyyro, "Bit-parallel LCS-length computation revisited", 2004). The way back through the
table prefers the same cells as Redis, so ties give the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

INTEGER_BYTES: Final = 36
"""The approximate overhead of a row, in addition to its bits."""
ROW_BYTES: Final = 512
"""To make a row takes as long as this many bytes of it, in addition to its bits."""


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
    """Estimate the memory in bytes that `match` needs while it runs."""
    return len(text) * (INTEGER_BYTES + len(other) // 7)


class CommonSubsequence:
    """A longest common subsequence of two strings, computed in slices."""

    __slots__ = ("found", "length", "other", "row_bytes", "rows_per_slice", "text")

    def __init__(self, text: bytes, other: bytes, slice_bytes: int) -> None:
        """A slice makes rows of about `slice_bytes` bytes."""
        self.text = text
        self.other = other
        self.row_bytes = ROW_BYTES + len(other) // 8
        self.rows_per_slice = max(1, slice_bytes // self.row_bytes)
        self.length = 0
        """The length, after `measure`."""
        self.found: list[Match] = []
        """The subsequence as runs, the last one first, after `match`."""

    def cost(self) -> int:
        """Return about how many bytes of rows are made."""
        return len(self.text) * self.row_bytes

    def measure(self) -> Iterator[None]:
        """Compute the length only."""
        text, other = self.text, self.other
        masks = byte_masks(text, other)
        full = row = (1 << len(other)) - 1
        for index in range(len(text)):
            if index and index % self.rows_per_slice == 0:
                yield
            row = next_row(row, masks[text[index]]) & full
        self.length = len(other) - row.bit_count()

    def match(self) -> Iterator[None]:
        """Compute the runs."""
        text, other = self.text, self.other
        masks = byte_masks(text, other)
        full = row = (1 << len(other)) - 1
        rows: list[int] = []
        for index in range(len(text)):
            if index and index % self.rows_per_slice == 0:
                yield
            row = next_row(row, masks[text[index]]) & full
            rows.append(row)
        j = len(other)
        joined = False
        while rows and j > 0:
            row = rows.pop()
            i = len(rows)
            if i and i % self.rows_per_slice == 0:
                yield
            # The next cell to the left where the length has grown, or where the bytes are equal.
            grown = (~row & ((1 << j) - 1)).bit_length()
            equal = other.rfind(text[i : i + 1], max(grown - 1, 0), j) + 1
            if equal == 0:
                joined = False
                j = grown
                continue
            if joined and equal == j:
                self.found[-1].first = i
                self.found[-1].other_first = equal - 1
            else:
                self.found.append(Match(i, equal - 1))
            joined = True
            j = equal - 1
        while len(rows) > self.rows_per_slice:
            del rows[-self.rows_per_slice :]
            yield


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
