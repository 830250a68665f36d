"""Parts of bounded size of a long sequence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def in_pieces(texts: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Yield `texts` in lists of at most `size`."""
    piece: list[bytes] = []
    for text in texts:
        piece.append(text)
        if len(piece) >= size:
            yield piece
            piece = []
    if piece:
        yield piece
