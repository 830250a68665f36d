"""A long sequence is divided into parts of bounded size."""

from __future__ import annotations

import pytest

from crdt.structures.pieces import in_pieces


@pytest.mark.parametrize(
    ("size", "pieces"),
    [(1, [[b"a"], [b"b"], [b"c"]]), (2, [[b"a", b"b"], [b"c"]]), (3, [[b"a", b"b", b"c"]])],
)
def test_pieces_hold_everything(size: int, pieces: list[list[bytes]]) -> None:
    assert list(in_pieces([b"a", b"b", b"c"], size)) == pieces
    assert list(in_pieces([], size)) == []
