"""The bytes of a large operation, in pieces.

To join the bytes of an operation of megabytes takes as long as thousands of small commands. So a
large operation is encoded in pieces while its effects are made (`PackedEffects`), is kept in pieces
in the history, and travels in parts, which its receiver keeps as they come.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, TypeAlias
from zlib import crc32

from crdt.causality.effect import Effect, weight
from crdt.wire import codec
from crdt.wire.checksum import join_checksums

JOINED_BYTES_MIN: Final = 4096
"""The checksum of so few bytes is computed from them. That is faster than to join checksums."""
PIECE_BYTES: Final = 64 << 10
"""The least size of a piece that was received. It limits their number."""


class OpPieces:
    """Bytes in pieces. The first piece begins with the envelope."""

    __slots__ = ("pieces", "size", "starts")

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces: list[bytes] = pieces
        self.starts: list[int] = []
        """The position of each piece."""
        self.size: int = 0
        for piece in pieces:
            self.starts.append(self.size)
            self.size += len(piece)

    def __len__(self) -> int:
        return self.size

    def joined(self) -> bytes:
        """Return all bytes. O(size)."""
        return b"".join(self.pieces)

    def cut(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` up to but not including `stop`."""
        stop = min(stop, self.size)
        found: list[bytes] = []
        index = bisect_right(self.starts, start) - 1
        while start < stop:
            first = self.starts[index]
            found.append(self.pieces[index][start - first : stop - first])
            start = first + len(self.pieces[index])
            index += 1
        return b"".join(found)


OpBytes: TypeAlias = bytes | OpPieces
"""An encoded operation. Both kinds have a length."""


def joined(data: OpBytes) -> bytes:
    """Return an encoded operation as one byte string."""
    return data if isinstance(data, bytes) else data.joined()


def cut(data: OpBytes, start: int, stop: int) -> bytes:
    """Return the bytes of an encoded operation from `start` up to but not including `stop`."""
    return data[start:stop] if isinstance(data, bytes) else data.cut(start, stop)


class PackedEffects:
    """The first effects of the outbox, encoded in advance: while a command works in slices, or
    while the effects are recent. Checksums are computed once the operation is large."""

    __slots__ = (
        "checked",
        "checksum",
        "checksums",
        "count",
        "counts",
        "pieces",
        "size",
        "weights",
    )

    def __init__(self) -> None:
        self.count: int = 0
        self.weights: list[int] = []
        """The weight of each effect (`crdt.causality.effect.weight`); 0 if nobody asked for it."""
        self.pieces: list[bytes] = []
        self.counts: list[int] = []
        """The number of effects in each piece."""
        self.size: int = 0
        self.checked: int = 0
        """The number of pieces that `checksum` covers."""
        self.checksum: int = 0
        """The CRC-32 of these pieces, joined."""
        self.checksums: list[int] = []
        """The CRC-32 of the pieces before each piece, joined; nothing for pieces that were taken
        over from other effects."""

    def extend(self, outbox: list[Effect], count: int, *, weighs: bool = True) -> None:
        """Encode up to `count` further effects of the outbox, but not its latest one. Weigh each of
        them if the operation may become so large that it is divided."""
        effects = outbox[self.count : min(self.count + count, len(outbox) - 1)]
        if effects:
            self.add(effects, weighs=weighs)

    def add(self, effects: list[Effect], *, weighs: bool = True) -> None:
        """Encode the next effects."""
        piece = codec.pack_all(effects)
        self.weights += [weight(e) for e in effects] if weighs else [0] * len(effects)
        self.pieces.append(piece)
        self.counts.append(len(effects))
        self.count += len(effects)
        self.size += len(piece)
        if self.size > codec.LARGE_BYTES:
            self.compute_checksums()

    def compute_checksums(self) -> None:
        """Compute the checksums of the pieces that have none yet."""
        while self.checked < len(self.pieces):
            self.checksums.append(self.checksum)
            self.checksum = crc32(self.pieces[self.checked], self.checksum)
            self.checked += 1

    def part(self, effects: tuple[Effect, ...], begin: int, end: int) -> PackedEffects:
        """Return those of the encoded effects that are in a part of all `effects`. They begin with
        its first effect. O(pieces), but for effects that share a piece with those outside."""
        found = PackedEffects()
        start, first = 0, -1
        for index, count in enumerate(self.counts):
            stop = start + count
            if begin <= start and stop <= end:
                first = index if first < 0 else first
            elif start < end and begin < stop:
                if first >= 0:
                    found.add_pieces(self, first, index)
                    first = -1
                found.add(list(effects[max(start, begin) : min(stop, end)]))
            elif first >= 0:
                found.add_pieces(self, first, index)
                first = -1
            start = stop
        if first >= 0:
            found.add_pieces(self, first, len(self.pieces))
        return found

    def add_pieces(self, other: PackedEffects, first: int, last: int) -> None:
        """Add some pieces of `other`: from index `first` up to but not including `last`."""
        self.compute_checksums()
        pieces = other.pieces[first:last]
        size = sum(map(len, pieces))
        if size <= JOINED_BYTES_MIN:
            for piece in pieces:
                self.checksum = crc32(piece, self.checksum)
        else:
            other.compute_checksums()
            checksum = other.checksums[last] if last < len(other.pieces) else other.checksum
            checksum ^= join_checksums(other.checksums[first], 0, size)
            self.checksum = join_checksums(self.checksum, checksum, size)
        self.pieces += pieces
        self.checked += len(pieces)
        begin, count = sum(other.counts[:first]), sum(other.counts[first:last])
        self.weights += other.weights[begin : begin + count]
        self.counts += other.counts[first:last]
        self.count += count
        self.size += size
