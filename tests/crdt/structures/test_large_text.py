"""Long texts that are changed in parts, compared with a bytearray."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdt.structures.large_text import LargeText, overwritten

PIECE = 4
CHANGES = st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=11)), max_size=6)


@given(st.binary(max_size=15), CHANGES)
def test_changed_text_equals_a_changed_bytearray(
    text: bytes, changes: list[tuple[int, bytes]]
) -> None:
    large = LargeText(text, PIECE)
    for offset, patch in changes:
        large.overwrite(offset, patch)
        data = bytearray(text.ljust(offset, b"\0"))
        data[offset : offset + len(patch)] = patch
        assert overwritten(text, offset, patch) == data
        text = bytes(data)
        assert (large.read(), large.size) == (text, len(text))
        assert b"".join(large.parts()) == text
        assert all(len(piece) == PIECE for piece in large.pieces[:-1])
        assert all(len(piece) for piece in large.pieces)
    for start in range(len(text) + 2):
        for stop in range(len(text) + 2):
            assert large.part(start, stop) == text[start:stop]


def test_text_is_one_object_until_it_is_changed() -> None:
    text = bytes(range(10))
    large = LargeText(text, PIECE)
    assert large.read() is text
    assert large.parts()[0] is text
    large.overwrite(5, b"x")
    assert [type(piece) for piece in large.parts()] == [memoryview, bytes, memoryview]


def test_parts_do_not_change_with_the_text() -> None:
    large = LargeText(b"abcdefghi", PIECE)
    large.overwrite(9, b"j")
    parts = large.parts()
    large.overwrite(0, b"XXXXXXXXXXXX")
    assert b"".join(parts) == b"abcdefghij"


def test_gap_of_many_pieces_shares_one_piece_of_zeros() -> None:
    large = LargeText(b"a")
    large.overwrite(1 << 29, b"b")
    assert large.size == (1 << 29) + 1
    assert len(set(map(id, large.pieces))) == 3
    assert large.part((1 << 29) - 1, 1 << 30) == b"\0b"
