"""Ranges between two indexes: compared with a filter over all of them."""

from __future__ import annotations

from crdb.commands.shared.index_ranges import clamp


def test_indexes_count_from_both_ends() -> None:
    digits = list(range(5))
    for first in range(-8, 8):
        for last in range(-8, 8):
            start, stop = clamp(first, last, 5)
            wanted = [d for d in digits if (first if first >= 0 else first + 5) <= d]
            wanted = [d for d in wanted if d <= (last if last >= 0 else last + 5)]
            assert digits[start : max(start, stop)] == wanted
