"""A long byte string that is changed in parts.

The text is divided into pieces of equal size. A change replaces the pieces that it touches. Its
cost therefore depends on the size of the change, not on the size of the text. Pieces are never
changed in place, so a reply or a snapshot can hold them while the text goes on changing.

A text that nobody has changed yet is one `bytes` object. The first change divides it into views of
that object, without a copy. A gap in front of a change is filled with zeros, and whole pieces of
zeros share one object.
"""

from __future__ import annotations

from typing import Any, Final

PIECE_BYTES: Final = 16 << 10
"""The size of a piece. A change copies at most two pieces more than its own bytes."""


class LargeText:
    """A byte string that can be read and changed in parts."""

    __slots__ = ("piece_bytes", "pieces", "size", "whole")

    def __init__(self, text: bytes, piece_bytes: int = PIECE_BYTES) -> None:
        self.piece_bytes: int = piece_bytes
        self.size: int = len(text)
        self.whole: bytes | None = text
        """The text, until it is changed for the first time."""
        self.pieces: list[Any] = []
        """The pieces, bytes or views of bytes, once the text has been changed. All but the last
        one are of `piece_bytes`."""

    def read(self) -> bytes:
        """Return the whole text. O(size) once it has been changed."""
        if self.whole is not None:
            return self.whole
        return b"".join(self.pieces)

    def parts(self) -> list[Any]:
        """Return the text as a list of bytes and of views of bytes, without a copy."""
        return list(self.pieces) if self.whole is None else [self.whole]

    def part(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` to `stop`, as a slice of the text. Neither is negative."""
        stop = min(stop, self.size)
        if start >= stop:
            return b""
        if self.whole is not None:
            return self.whole[start:stop]
        size = self.piece_bytes
        first = start // size
        run = self.pieces[first : (stop - 1) // size + 1]
        run[-1] = run[-1][: stop - (first + len(run) - 1) * size]
        run[0] = run[0][start - first * size :]
        return b"".join(run)

    def overwrite(self, offset: int, patch: bytes) -> None:
        """Write `patch` at `offset`. A gap between the end and `offset` is filled with zeros.

        O(len(patch)), and O(gap / piece_bytes). If memory runs out, nothing is changed.
        """
        if self.whole is not None:
            self.divide(self.whole)
        size, pieces = self.piece_bytes, self.pieces
        end = offset + len(patch)
        first = min(offset, self.size) // size
        last = max(first, (end - 1) // size)
        run: list[Any] = []
        if first < len(pieces):
            run.append(pieces[first][: min(offset, self.size) - first * size])
        filled: list[Any] = []
        if offset > self.size:
            filled = self.fill(first * size, run, offset)
        run.append(patch)
        if end < self.size:
            run.append(pieces[last][end - last * size :])
        filled += cut(b"".join(run), size)
        pieces[first : last + 1] = filled
        self.size = max(self.size, end)

    def fill(self, start: int, run: list[Any], offset: int) -> list[Any]:
        """Fill the gap up to `offset` with zeros. `run` holds the beginning of the piece that
        begins at `start`. Return the pieces that become complete. The rest is added to `run`."""
        size = self.piece_bytes
        complete = (offset - start) // size
        missing = offset - self.size
        if complete == 0:
            run.append(bytes(missing))
            return []
        held = b"".join(run)
        filled: list[Any] = [held + bytes(size - len(held))]
        filled += [bytes(size)] * (complete - 1)
        run[:] = [bytes((offset - start) % size)]
        return filled

    def divide(self, text: bytes) -> None:
        """Divide the text, which is `text`, into views."""
        size = self.piece_bytes
        if len(text) > size:
            view = memoryview(text)
            self.pieces = [view[at : at + size] for at in range(0, len(text), size)]
        elif text:
            self.pieces = [text]
        self.whole = None


def cut(text: bytes, size: int) -> list[Any]:
    """Return `text` in pieces of `size`."""
    if len(text) <= size:
        return [text] if text else []
    return [text[at : at + size] for at in range(0, len(text), size)]


def overwritten(text: bytes, offset: int, patch: bytes) -> bytes:
    """Return `text` with `patch` at `offset`, and zeros before it where nothing is."""
    head, tail = text[:offset], text[offset + len(patch) :]
    return b"".join((head, bytes(offset - len(head)), patch, tail))
