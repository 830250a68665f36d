"""A sorted sequence in blocks. Replicated lists store their elements in it.

Positions are sorted, and each position has a thing. They are divided into blocks of bounded size.
So an access at either end takes constant time, and an access in the middle takes one binary search
over the blocks and one within a block. A block consists of two plain lists, of positions and of
things, which take 16 bytes per element.

    positions   [ [p0 p1 p2] [p3 p4] [p5 p6 p7] ]
    things      [ [t0 t1 t2] [t3 t4] [t5 t6 t7] ]
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

Position = tuple[int, ...]

BLOCK_MAX: Final = 128  # larger blocks are divided; an insertion moves at most 1 KB
BLOCK_SHARE: Final = 8  # a block of at most 1/8 of the maximum is joined with a small neighbour


class Blocks:
    """Things by position. No block is empty."""

    __slots__ = ("block_max", "positions", "size", "things")

    def __init__(self, block_max: int = BLOCK_MAX) -> None:
        """Create an empty sequence of blocks of at most `block_max` things (2 or more)."""
        self.block_max: int = block_max
        self.positions: list[list[Position]] = []
        self.things: list[list[Any]] = []
        self.size: int = 0

    def put(self, position: Position, thing: Any, is_low: bool = False) -> None:
        """Put `thing` at `position`. It replaces the thing there, if any. O(1) at the ends.

        `is_low` is a hint that `position` is probably at the beginning.
        """
        blocks = self.positions
        if not blocks:
            blocks.append([position])
            self.things.append([thing])
            self.size = 1
        elif is_low and position < blocks[0][0]:
            self.put_first(position, thing)
        elif position > blocks[-1][-1]:
            self.put_last(position, thing)
        elif position < blocks[0][0]:
            self.put_first(position, thing)
        else:
            self.put_between(position, thing)

    def put_last(self, position: Position, thing: Any) -> None:
        """Put `thing` behind all others."""
        block = self.positions[-1]
        if len(block) < self.block_max:
            block.append(position)
            self.things[-1].append(thing)
        else:
            self.positions.append([position])
            self.things.append([thing])
        self.size += 1

    def put_first(self, position: Position, thing: Any) -> None:
        """Put `thing` before all others."""
        block = self.positions[0]
        if len(block) < self.block_max:
            block.insert(0, position)
            self.things[0].insert(0, thing)
        else:
            self.positions.insert(0, [position])
            self.things.insert(0, [thing])
        self.size += 1

    def put_between(self, position: Position, thing: Any) -> None:
        """Put `thing` at `position`, which lies between the first and the last position."""
        number = self.block_of(position)
        block, things = self.positions[number], self.things[number]
        offset = bisect_left(block, position)
        if offset < len(block) and block[offset] == position:
            things[offset] = thing
            return
        block.insert(offset, position)
        things.insert(offset, thing)
        self.size += 1
        if len(block) > self.block_max:
            half = len(block) // 2
            self.positions.insert(number + 1, block[half:])
            self.things.insert(number + 1, things[half:])
            del block[half:], things[half:]

    def block_of(self, position: Position) -> int:
        """Return the number of the last block that does not begin behind `position`, or 0."""
        blocks = self.positions
        low, high = 0, len(blocks)
        while high - low > 1:
            middle = (low + high) // 2
            if blocks[middle][0] <= position:
                low = middle
            else:
                high = middle
        return low

    def find(self, position: Position) -> tuple[int, int]:
        """Return block number and offset of `position`; (-1, -1) without it. O(1) at the ends."""
        blocks = self.positions
        if not blocks:
            return -1, -1
        if blocks[0][0] == position:
            return 0, 0
        if blocks[-1][-1] == position:
            return len(blocks) - 1, len(blocks[-1]) - 1
        number = self.block_of(position)
        block = blocks[number]
        offset = bisect_left(block, position)
        if offset < len(block) and block[offset] == position:
            return number, offset
        return -1, -1

    def get(self, position: Position) -> Any:
        """Return the thing at `position`; None if there is none."""
        number, offset = self.find(position)
        return self.things[number][offset] if number >= 0 else None

    def drop(self, number: int, offset: int) -> None:
        """Remove the position and the thing at `offset` in block `number`."""
        block = self.positions[number]
        del block[offset], self.things[number][offset]
        self.size -= 1
        if not block:
            del self.positions[number], self.things[number]
        elif len(block) <= self.block_max // BLOCK_SHARE:
            self.join(number)

    def join(self, number: int) -> None:
        """Join a small block with a neighbour if the result is at most half full."""
        blocks = self.positions
        for left in (number - 1, number):
            if left >= 0 and left + 1 < len(blocks):
                if len(blocks[left]) + len(blocks[left + 1]) <= self.block_max // 2:
                    blocks[left] += blocks.pop(left + 1)
                    self.things[left] += self.things.pop(left + 1)
                    return

    def clear(self) -> None:
        """Remove everything."""
        self.positions = []
        self.things = []
        self.size = 0

    def locate(self, index: int) -> tuple[int, int]:
        """Return block number and offset of the thing at `index`. Search from the nearer end.

        If `index` equals the size, the returned block does not exist.
        """
        blocks = self.positions
        number = 0
        if index < self.size // 2:
            while index >= len(blocks[number]):
                index -= len(blocks[number])
                number += 1
            return number, index
        number = len(blocks)
        rest = self.size - index
        while rest > 0:
            number -= 1
            rest -= len(blocks[number])
        return number, -rest

    def thing_at(self, index: int) -> Any:
        """Return the thing at `index`, which is in range."""
        number, offset = self.locate(index)
        return self.things[number][offset]

    def slice_positions(self, start: int, stop: int) -> list[Position]:
        """Return the positions with `start` <= index < `stop`."""
        return cut(self.positions, self.locate(start), stop - start) if start < stop else []

    def slice_things(self, start: int, stop: int) -> list[Any]:
        """Return the things with `start` <= index < `stop`."""
        return cut(self.things, self.locate(start), stop - start) if start < stop else []

    def check(self) -> None:
        """Assert the invariants: sorted unique positions, matching sizes, bounded blocks."""
        assert len(self.positions) == len(self.things)
        flat = [position for block in self.positions for position in block]
        assert flat == sorted(set(flat))
        assert len(flat) == self.size
        for block, things in zip(self.positions, self.things, strict=True):
            assert 0 < len(block) == len(things) <= self.block_max


def cut(blocks: list[list[Any]], start: tuple[int, int], count: int) -> list[Any]:
    """Return up to `count` items, beginning at the block number and offset in `start`."""
    number, offset = start
    if number >= len(blocks):
        return []
    found = blocks[number][offset : offset + count]
    number += 1
    while len(found) < count and number < len(blocks):
        found += blocks[number][: count - len(found)]
        number += 1
    return found
