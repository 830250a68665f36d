"""The entries of a stream that one origin has added, in ascending order.

An origin adds an entry only with an id that is greater than all that it has seen in the stream. So
its entries ascend in two ways at once: by their ids, and by the sequence numbers of the effects
that added them. Both can be found by binary search, and the entries that an effect had observed are
always the first ones.

Entries are appended at the end. They are divided into blocks of bounded size. A block holds its
numbers in arrays: the two numbers of an id and the sequence number take 24 bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, Final

Place = tuple[int, int]
"""The number of a block, and of an entry in it. The end is the place behind the last block."""
Entry = tuple[int, int, int, bytes]
"""The two numbers of an entry's id, the dot of the effect that added it, and its packed content."""

ENTRIES_MAX: Final = 256
"""The entries in one block. A removal moves at most 8 KB."""
SHARE: Final = 8
"""A block that is filled up to 1/8 is joined with a small neighbour."""
SEQ_BITS: Final = 40
"""The bits of a dot that hold the sequence number."""


class EntryBlock:
    """Some consecutive entries, in columns."""

    __slots__ = ("contents", "minors", "ms", "seqs")

    def __init__(self) -> None:
        self.ms: Any = array("Q")
        self.minors: Any = array("Q")
        """The second numbers of the ids."""
        self.seqs: Any = array("Q")
        self.contents: list[bytes] = []

    def take(self, other: EntryBlock) -> None:
        """Append the entries of another block."""
        self.ms.extend(other.ms)
        self.minors.extend(other.minors)
        self.seqs.extend(other.seqs)
        self.contents += other.contents

    def cut(self, start: int, stop: int) -> None:
        """Remove the entries with `start` <= offset < `stop`."""
        del self.ms[start:stop], self.minors[start:stop]
        del self.seqs[start:stop], self.contents[start:stop]

    def offset_of(self, ms: int, minor: int) -> int:
        """Return the offset of the first entry whose id is not below `(ms, minor)`."""
        low, high = 0, len(self.contents)
        while low < high:
            middle = (low + high) // 2
            held: int = self.ms[middle]
            if held < ms or (held == ms and self.minors[middle] < minor):
                low = middle + 1
            else:
                high = middle
        return low


class EntryTree:
    """All entries that one origin has added and nobody has removed. No block is empty."""

    __slots__ = ("block_max", "blocks", "origin", "size")

    def __init__(self, origin: int, block_max: int = ENTRIES_MAX) -> None:
        self.origin: int = origin
        self.block_max: int = block_max
        self.blocks: list[EntryBlock] = []
        self.size: int = 0

    # -- changing --------------------------------------------------------------------------

    def append(self, ms: int, minor: int, seq: int, content: bytes) -> bool:
        """Append an entry. Return False, with nothing changed, unless its id and its sequence
        number are greater than those of all others. O(1)."""
        blocks = self.blocks
        if blocks:
            last = blocks[len(blocks) - 1]
            end = len(last.contents) - 1
            if last.seqs[end] >= seq or last.ms[end] > ms:
                return False
            if last.ms[end] == ms and last.minors[end] >= minor:
                return False
            if end + 1 >= self.block_max:
                last = EntryBlock()
                blocks.append(last)
        else:
            last = EntryBlock()
            blocks.append(last)
        last.ms.append(ms)
        last.minors.append(minor)
        last.seqs.append(seq)
        last.contents.append(content)
        self.size += 1
        return True

    def drop(self, place: Place) -> None:
        """Remove the entry at a place."""
        number, offset = place
        block = self.blocks[number]
        block.cut(offset, offset + 1)
        self.size -= 1
        if not block.contents:
            del self.blocks[number]
        elif len(block.contents) <= self.block_max // SHARE:
            self.join(number)

    def join(self, number: int) -> None:
        """Join a small block with a neighbour if the result is at most half full."""
        for left in (number - 1, number):
            if left >= 0 and left + 1 < len(self.blocks):
                block, other = self.blocks[left], self.blocks[left + 1]
                if len(block.contents) + len(other.contents) <= self.block_max // 2:
                    block.take(other)
                    del self.blocks[left + 1]
                    return

    def drop_until(self, place: Place) -> list[EntryBlock]:
        """Remove all entries before a place. Return the blocks that were removed as a whole, which
        the caller may free later. O(blocks)."""
        number, offset = place
        dropped = self.blocks[:number]
        for block in dropped:
            self.size -= len(block.contents)
        del self.blocks[:number]
        if offset:
            self.blocks[0].cut(0, offset)
            self.size -= offset
        return dropped

    # -- finding ---------------------------------------------------------------------------

    def lower_bound(self, ms: int, minor: int) -> Place:
        """Return the place of the first entry whose id is not below `(ms, minor)`. O(log n)."""
        blocks = self.blocks
        low, high = 0, len(blocks)
        while low < high:
            middle = (low + high) // 2
            block = blocks[middle]
            end = len(block.contents) - 1
            held: int = block.ms[end]
            if held < ms or (held == ms and block.minors[end] < minor):
                low = middle + 1
            else:
                high = middle
        return (low, blocks[low].offset_of(ms, minor)) if low < len(blocks) else (low, 0)

    def after_seq(self, seq: int) -> Place:
        """Return the place of the first entry with a greater sequence number. O(log n)."""
        blocks = self.blocks
        low, high = 0, len(blocks)
        while low < high:
            middle = (low + high) // 2
            if blocks[middle].seqs[len(blocks[middle].contents) - 1] <= seq:
                low = middle + 1
            else:
                high = middle
        if low == len(blocks):
            return low, 0
        number, seqs = low, blocks[low].seqs
        low, high = 0, len(seqs)
        while low < high:
            middle = (low + high) // 2
            if seqs[middle] <= seq:
                low = middle + 1
            else:
                high = middle
        return number, low

    def end(self) -> Place:
        """Return the place behind all entries."""
        return len(self.blocks), 0

    def is_at_end(self, place: Place) -> bool:
        """Return whether there is no entry at a place."""
        return place[0] >= len(self.blocks)

    def holds(self, place: Place, ms: int, minor: int) -> bool:
        """Return whether the entry at a place, if there is one, has this id."""
        if place[0] >= len(self.blocks):
            return False
        block = self.blocks[place[0]]
        held: int = block.ms[place[1]]
        other: int = block.minors[place[1]]
        return held == ms and other == minor

    def at(self, place: Place) -> Entry:
        """Return the entry at a place."""
        block, offset = self.blocks[place[0]], place[1]
        dot = self.origin << SEQ_BITS | block.seqs[offset]
        return block.ms[offset], block.minors[offset], dot, block.contents[offset]

    def before(self, place: Place) -> Entry | None:
        """Return the entry before a place; None at the beginning."""
        number, offset = place
        if offset == 0:
            if number == 0:
                return None
            number -= 1
            offset = len(self.blocks[number].contents)
        return self.at((number, offset - 1))

    def last(self) -> Entry:
        """Return the last entry. There is one."""
        number = len(self.blocks) - 1
        return self.at((number, len(self.blocks[number].contents) - 1))

    def rank(self, place: Place) -> int:
        """Return the number of entries before a place. O(blocks)."""
        before = place[1]
        for number in range(place[0]):
            before += len(self.blocks[number].contents)
        return before

    # -- reading ---------------------------------------------------------------------------

    def forward(self, place: Place) -> Iterator[Entry]:
        """Yield the entries from a place on. The tree must not change meanwhile."""
        number, offset = place
        first = self.origin << SEQ_BITS
        while number < len(self.blocks):
            block = self.blocks[number]
            while offset < len(block.contents):
                dot = first | block.seqs[offset]
                yield block.ms[offset], block.minors[offset], dot, block.contents[offset]
                offset += 1
            number += 1
            offset = 0

    def backward(self, place: Place) -> Iterator[Entry]:
        """Yield the entries before a place, the last one first. The tree must not change
        meanwhile."""
        number, offset = place
        first = self.origin << SEQ_BITS
        while True:
            while offset > 0:
                offset -= 1
                block = self.blocks[number]
                dot = first | block.seqs[offset]
                yield block.ms[offset], block.minors[offset], dot, block.contents[offset]
            number -= 1
            if number < 0:
                return
            offset = len(self.blocks[number].contents)

    def check(self) -> None:
        """Assert the invariants: ascending entries, matching sizes, bounded blocks."""
        seen = (-1, -1)
        latest = 0
        for block in self.blocks:
            size = len(block.contents)
            assert 0 < size <= self.block_max
            assert size == len(block.ms) == len(block.minors) == len(block.seqs)
        for ms, minor, dot, _ in self.forward((0, 0)):
            assert (ms, minor) > seen
            assert dot > latest
            seen, latest = (ms, minor), dot
        assert self.size == sum([len(block.contents) for block in self.blocks])


class DroppedBlocks:
    """Removed blocks, which are freed in slices."""

    __slots__ = ("blocks",)

    def __init__(self, blocks: list[EntryBlock]) -> None:
        self.blocks: list[EntryBlock] = blocks

    def free_slice(self) -> bool:
        """Free some blocks. Return whether there are more."""
        del self.blocks[-8:]
        return len(self.blocks) > 0
