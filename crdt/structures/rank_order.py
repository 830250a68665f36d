"""Names in order of their scores, with their ranks. Sorted sets keep their members in it.

Pairs of a score and a name are sorted by score, then by name. They are divided into blocks of
bounded size. A block consists of an array of scores and a list of names, which take 16 bytes per
pair. The last pair of each block is kept apart, so that one binary search finds the block and
another one the place in it.

A rank is the number of pairs in the blocks before, plus the place in the block. `sizes` has the
size of each block, and `chunk_sizes` the sum of each `CHUNK` sizes, so that few numbers are added.

    scores        [ [1.0 1.0 2.0] [2.0 5.0] [7.0 8.0 9.0] ]
    names         [ [  a   b   a] [  c   d] [  x   y   z] ]
    last_scores   [           2.0       5.0           9.0 ]
    sizes         [             3         2             3 ]
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Any, Final

Ranked = tuple[float, bytes]

BLOCK_MAX: Final = 512  # larger blocks are divided; an insertion moves at most 8 KB
BLOCK_SHARE: Final = 8  # a block of at most 1/8 of the maximum is joined with a small neighbour
CHUNK: Final = 64  # blocks


class RankOrder:
    """Pairs of scores and names. Each pair occurs once. No block is empty."""

    __slots__ = (
        "block_max",
        "chunk_sizes",
        "last_names",
        "last_scores",
        "names",
        "scores",
        "size",
        "sizes",
    )

    def __init__(self, pairs: list[Ranked], block_max: int = BLOCK_MAX) -> None:
        """Hold `pairs`, which are sorted, in blocks of at most `block_max` (2 or more)."""
        self.block_max: int = block_max
        self.scores: list[Any] = []
        self.names: list[list[bytes]] = []
        self.last_scores: Any = array("d")
        self.last_names: list[bytes] = []
        self.sizes: list[int] = []
        self.chunk_sizes: list[int] = []
        self.size: int = len(pairs)
        step = max(1, block_max * 3 // 4)
        for start in range(0, len(pairs), step):
            part = pairs[start : start + step]
            self.scores.append(array("d", [score for score, _ in part]))
            self.names.append([name for _, name in part])
            self.last_scores.append(part[-1][0])
            self.last_names.append(part[-1][1])
            self.sizes.append(len(part))
        self.sum_chunks(0)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self.size

    # -- finding ---------------------------------------------------------------------------

    def block_of(self, score: float, name: bytes) -> int:
        """Return the number of the first block that does not end before this pair.

        It is the number of blocks if all of them end before.
        """
        lasts = self.last_scores
        number = bisect_left(lasts, score)
        if number < len(lasts) and lasts[number] == score:
            stop = bisect_right(lasts, score, number)
            number = bisect_left(self.last_names, name, number, stop)
        return number

    def offset_in(self, number: int, score: float, name: bytes) -> int:
        """Return the place in a block of the first pair that is not before this one."""
        scores = self.scores[number]
        offset = bisect_left(scores, score)
        if offset < len(scores) and scores[offset] == score:
            stop = bisect_right(scores, score, offset)
            offset = bisect_left(self.names[number], name, offset, stop)
        return offset

    def rank(self, score: float, name: bytes) -> int:
        """Return the number of pairs before this one, which need not be there. O(log n)."""
        number = self.block_of(score, name)
        if number == len(self.sizes):
            return self.size
        return self.count_before(number) + self.offset_in(number, score, name)

    def rank_after(self, score: float, name: bytes) -> int:
        """Return the number of pairs up to this one, which need not be there. O(log n)."""
        number = self.block_of(score, name)
        if number == len(self.sizes):
            return self.size
        offset = self.offset_in(number, score, name)
        is_there = self.scores[number][offset] == score and self.names[number][offset] == name
        return self.count_before(number) + offset + is_there

    def rank_of_score(self, score: float) -> int:
        """Return the number of pairs with a lower score. O(log n)."""
        number = bisect_left(self.last_scores, score)
        if number == len(self.sizes):
            return self.size
        return self.count_before(number) + bisect_left(self.scores[number], score)

    def count_before(self, number: int) -> int:
        """Return the number of pairs in the blocks before this one."""
        chunk = number // CHUNK
        return sum(self.chunk_sizes[:chunk]) + sum(self.sizes[chunk * CHUNK : number])

    def locate(self, rank: int) -> tuple[int, int]:
        """Return block number and offset of the pair with this rank, which is in range."""
        chunk = 0
        while rank >= self.chunk_sizes[chunk]:
            rank -= self.chunk_sizes[chunk]
            chunk += 1
        number = chunk * CHUNK
        while rank >= self.sizes[number]:
            rank -= self.sizes[number]
            number += 1
        return number, rank

    def pair_at(self, rank: int) -> Ranked:
        """Return the pair with this rank, which is in range."""
        number, offset = self.locate(rank)
        return self.scores[number][offset], self.names[number][offset]

    def pairs(self, start: int, stop: int, is_reversed: bool = False) -> list[Ranked]:
        """Return the pairs with `start` <= rank < `stop`, or in reverse."""
        start, stop = max(start, 0), min(stop, self.size)
        found: list[Ranked] = []
        if start >= stop:
            return found
        number, offset = self.locate(start)
        count = stop - start
        while count > 0:
            end = min(offset + count, self.sizes[number])
            scores, names = self.scores[number], self.names[number]
            found += zip(scores[offset:end], names[offset:end], strict=True)
            count -= end - offset
            number += 1
            offset = 0
        if is_reversed:
            found.reverse()
        return found

    # -- changing --------------------------------------------------------------------------

    def put(self, score: float, name: bytes) -> None:
        """Add a pair, unless it is there. O(log n)."""
        count = len(self.sizes)
        if count == 0:
            self.scores.append(array("d", (score,)))
            self.names.append([name])
            self.last_scores.append(score)
            self.last_names.append(name)
            self.sizes.append(1)
            self.chunk_sizes.append(1)
            self.size = 1
            return
        number = self.block_of(score, name)
        if number == count:
            number -= 1
            offset = self.sizes[number]
            self.last_scores[number] = score
            self.last_names[number] = name
        else:
            offset = self.offset_in(number, score, name)
            if self.scores[number][offset] == score and self.names[number][offset] == name:
                return
        self.scores[number].insert(offset, score)
        self.names[number].insert(offset, name)
        self.size += 1
        self.sizes[number] += 1
        self.chunk_sizes[number // CHUNK] += 1
        if self.sizes[number] > self.block_max:
            self.divide(number)

    def pop(self, score: float, name: bytes) -> None:
        """Remove a pair, if it is there. O(log n)."""
        number = self.block_of(score, name)
        if number == len(self.sizes):
            return
        offset = self.offset_in(number, score, name)
        scores, names = self.scores[number], self.names[number]
        if scores[offset] != score or names[offset] != name:
            return
        self.cut(number, offset, offset + 1)

    def remove_ranks(self, start: int, stop: int) -> None:
        """Remove the pairs with `start` <= rank < `stop`, which are in range."""
        count = stop - start
        while count > 0:
            number, offset = self.locate(start)
            end = min(offset + count, self.sizes[number])
            count -= end - offset
            self.cut(number, offset, end)

    def cut(self, number: int, start: int, stop: int) -> None:
        """Remove a slice of a block."""
        scores, names = self.scores[number], self.names[number]
        del scores[start:stop], names[start:stop]
        left = len(names)
        self.size -= stop - start
        self.sizes[number] = left
        self.chunk_sizes[number // CHUNK] -= stop - start
        if left == 0:
            self.drop_block(number)
            return
        if start == left:
            self.last_scores[number] = scores[left - 1]
            self.last_names[number] = names[left - 1]
        if left <= self.block_max // BLOCK_SHARE:
            self.join(number)

    def divide(self, number: int) -> None:
        """Divide a block in two."""
        scores, names = self.scores[number], self.names[number]
        half = len(names) // 2
        self.scores.insert(number + 1, scores[half:])
        self.names.insert(number + 1, names[half:])
        self.sizes.insert(number + 1, len(names) - half)
        self.last_scores.insert(number, scores[half - 1])
        self.last_names.insert(number, names[half - 1])
        del scores[half:], names[half:]
        self.sizes[number] = half
        self.sum_chunks(number // CHUNK)

    def join(self, number: int) -> None:
        """Join a small block with a neighbour if the result is at most half full."""
        for left in (number - 1, number):
            if 0 <= left < len(self.sizes) - 1:
                if self.sizes[left] + self.sizes[left + 1] <= self.block_max // 2:
                    self.scores[left].extend(self.scores[left + 1])
                    self.names[left] += self.names[left + 1]
                    self.sizes[left + 1] += self.sizes[left]
                    self.scores[left + 1] = self.scores[left]
                    self.names[left + 1] = self.names[left]
                    self.drop_block(left)
                    return

    def drop_block(self, number: int) -> None:
        """Remove a block whose pairs are gone or are in the next block."""
        del self.scores[number], self.names[number], self.sizes[number]
        del self.last_scores[number], self.last_names[number]
        self.sum_chunks(number // CHUNK)

    def sum_chunks(self, first: int) -> None:
        """Compute the sizes of chunks from the chunk `first` on."""
        del self.chunk_sizes[first:]
        for start in range(first * CHUNK, len(self.sizes), CHUNK):
            self.chunk_sizes.append(sum(self.sizes[start : start + CHUNK]))

    def check(self) -> None:
        """Assert the invariants: sorted unique pairs, matching sizes, bounded blocks."""
        flat = self.pairs(0, self.size)
        assert flat == sorted(set(flat))
        assert len(flat) == self.size == sum(self.chunk_sizes) == sum(self.sizes)
        assert len(self.chunk_sizes) == -(-len(self.sizes) // CHUNK)
        for number, (scores, names) in enumerate(zip(self.scores, self.names, strict=True)):
            assert 0 < len(scores) == len(names) == self.sizes[number] <= self.block_max
            assert (self.last_scores[number], self.last_names[number]) == (scores[-1], names[-1])
