"""The longest common subsequence, compared with the textbook table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.commands.strings import subsequence
from crdb.commands.strings.subsequence import CommonSubsequence

ROWS = st.integers(1, 30)
TEXTS = st.text("abc", max_size=20).map(str.encode)


def table(text: bytes, other: bytes) -> list[list[int]]:
    """Return the lengths for all prefixes."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(text) + 1)]
    for i, byte in enumerate(text):
        for j, another in enumerate(other):
            if byte == another:
                lengths[i + 1][j + 1] = lengths[i][j] + 1
            else:
                lengths[i + 1][j + 1] = max(lengths[i][j + 1], lengths[i + 1][j])
    return lengths


def way_back(text: bytes, other: bytes) -> list[tuple[int, int]]:
    """Return the pairs of indexes that Redis takes, the last one first."""
    lengths = table(text, other)
    i, j = len(text), len(other)
    pairs: list[tuple[int, int]] = []
    while i > 0 and j > 0:
        if text[i - 1] == other[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif lengths[i - 1][j] > lengths[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return pairs


@given(text=TEXTS, other=TEXTS, rows=ROWS)
def test_length(text: bytes, other: bytes, rows: int) -> None:
    common = CommonSubsequence(text, other, rows * subsequence.ROW_BYTES)
    slices = 1 + sum(1 for _ in common.measure())
    assert common.length == table(text, other)[-1][-1]
    assert slices >= len(text) // rows


@given(text=TEXTS, other=TEXTS, rows=ROWS)
def test_where_it_lies(text: bytes, other: bytes, rows: int) -> None:
    pairs: list[tuple[int, int]] = []
    common = CommonSubsequence(text, other, rows * subsequence.ROW_BYTES)
    slices = 1 + sum(1 for _ in common.match())
    assert slices >= len(text) // rows
    for run in common.found:
        assert len(run) == run.other_last - run.other_first + 1
        pairs += [(run.last - n, run.other_last - n) for n in range(len(run))]
        assert pairs[-1] == (run.first, run.other_first)
    assert pairs == way_back(text, other)


def test_memory_grows_with_table() -> None:
    assert subsequence.table_bytes(b"x" * 100, b"y" * 7000) >= 100 * 7000 // 8
    assert subsequence.table_bytes(b"x" * 100, b"") >= 100 * 28
