"""A sorted sequence in groups of blocks. Replicated lists store their elements in it.

Positions are sorted, and each position has a thing. They are divided into blocks of bounded size,
and the blocks into groups of bounded size. A group holds the number of its things. So an access at
either end takes constant time. An access by index in the middle walks over the groups and then over
the blocks of one group: some 60 groups for a million things. An access by position takes one binary
search on each level.

    groups        [ 5                       , 3              ]
    positions     [ [p0 p1 p2] [p3 p4]      , [p5 p6 p7]     ]
    things        [ [t0 t1 t2] [t3 t4]      , [t5 t6 t7]     ]
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

Position = tuple[int, ...]
Place = tuple[int, int, int]
"""The numbers of a group, of a block in it, and of a thing in the block."""

BLOCK_MAX: Final = 128  # larger blocks are divided; an insertion moves at most 1 KB
GROUP_MAX: Final = 128  # blocks; larger groups are divided
SHARE: Final = 8  # what is at most 1/8 of its maximum is joined with a small neighbour
NOWHERE: Final[Place] = (-1, -1, -1)


class Block:
    """Some consecutive positions and their things."""

    __slots__ = ("positions", "things")

    def __init__(self, positions: list[Position], things: list[Any]) -> None:
        self.positions: list[Position] = positions
        self.things: list[Any] = things


class Group:
    """Some consecutive blocks, and the number of their things."""

    __slots__ = ("blocks", "size")

    def __init__(self, blocks: list[Block], size: int) -> None:
        self.blocks: list[Block] = blocks
        self.size: int = size


class Blocks:
    """Things by position. No block and no group is empty."""

    __slots__ = ("block_max", "group_max", "groups", "size")

    def __init__(self, block_max: int = BLOCK_MAX, group_max: int = GROUP_MAX) -> None:
        """Create an empty sequence of blocks of at most `block_max` things, and of groups of at
        most `group_max` blocks."""
        self.block_max: int = block_max
        self.group_max: int = group_max
        self.groups: list[Group] = []
        self.size: int = 0

    # -- changing --------------------------------------------------------------------------

    def put(self, position: Position, thing: Any, is_low: bool = False) -> None:
        """Put `thing` at `position`. It replaces the thing there, if any. O(1) at the ends.

        `is_low` is a hint that `position` is probably at the beginning.
        """
        groups = self.groups
        if not groups:
            groups.append(Group([Block([position], [thing])], 1))
            self.size = 1
            return
        if is_low and position < groups[0].blocks[0].positions[0]:
            self.put_first(position, thing)
            return
        blocks = groups[len(groups) - 1].blocks
        last = blocks[len(blocks) - 1].positions
        if position > last[len(last) - 1]:
            self.put_last(position, thing)
        elif position < groups[0].blocks[0].positions[0]:
            self.put_first(position, thing)
        else:
            self.put_between(position, thing)

    def put_last(self, position: Position, thing: Any) -> None:
        """Put `thing` behind all others."""
        groups = self.groups
        group = groups[len(groups) - 1]
        blocks = group.blocks
        block = blocks[len(blocks) - 1]
        self.size += 1
        if len(block.things) < self.block_max:
            block.positions.append(position)
            block.things.append(thing)
            group.size += 1
        elif len(blocks) < self.group_max:
            blocks.append(Block([position], [thing]))
            group.size += 1
        else:
            groups.append(Group([Block([position], [thing])], 1))

    def put_first(self, position: Position, thing: Any) -> None:
        """Put `thing` before all others."""
        groups = self.groups
        group = groups[0]
        blocks = group.blocks
        block = blocks[0]
        self.size += 1
        if len(block.things) < self.block_max:
            block.positions.insert(0, position)
            block.things.insert(0, thing)
            group.size += 1
        elif len(blocks) < self.group_max:
            blocks.insert(0, Block([position], [thing]))
            group.size += 1
        else:
            groups.insert(0, Group([Block([position], [thing])], 1))

    def put_between(self, position: Position, thing: Any) -> None:
        """Put `thing` at `position`, which lies between the first and the last position."""
        number, inside = self.block_of(position)
        group = self.groups[number]
        block = group.blocks[inside]
        offset = bisect_left(block.positions, position)
        if offset < len(block.positions) and block.positions[offset] == position:
            block.things[offset] = thing
            return
        block.positions.insert(offset, position)
        block.things.insert(offset, thing)
        self.size += 1
        group.size += 1
        if len(block.things) > self.block_max:
            half = len(block.things) // 2
            group.blocks.insert(inside + 1, Block(block.positions[half:], block.things[half:]))
            del block.positions[half:], block.things[half:]
            if len(group.blocks) > self.group_max:
                self.divide(number)

    def divide(self, number: int) -> None:
        """Divide a group in two."""
        group = self.groups[number]
        moved = group.blocks[len(group.blocks) // 2 :]
        size = sum([len(block.things) for block in moved])
        del group.blocks[len(group.blocks) // 2 :]
        group.size -= size
        self.groups.insert(number + 1, Group(moved, size))

    def drop(self, place: Place) -> None:
        """Remove the position and the thing at a place."""
        number, inside, offset = place
        group = self.groups[number]
        block = group.blocks[inside]
        del block.positions[offset], block.things[offset]
        self.size -= 1
        group.size -= 1
        if not block.things:
            del group.blocks[inside]
            if not group.blocks:
                del self.groups[number]
            elif len(group.blocks) <= self.group_max // SHARE:
                self.join_groups(number)
        elif len(block.things) <= self.block_max // SHARE:
            self.join(number, inside)

    def join(self, number: int, inside: int) -> None:
        """Join a small block with a neighbour in its group if the result is at most half full."""
        blocks = self.groups[number].blocks
        for left in (inside - 1, inside):
            if left >= 0 and left + 1 < len(blocks):
                block, other = blocks[left], blocks[left + 1]
                if len(block.things) + len(other.things) <= self.block_max // 2:
                    block.positions += other.positions
                    block.things += other.things
                    del blocks[left + 1]
                    if len(blocks) <= self.group_max // SHARE:
                        self.join_groups(number)
                    return

    def join_groups(self, number: int) -> None:
        """Join a small group with a neighbour if the result is at most half full."""
        groups = self.groups
        for left in (number - 1, number):
            if left >= 0 and left + 1 < len(groups):
                group, other = groups[left], groups[left + 1]
                if len(group.blocks) + len(other.blocks) <= self.group_max // 2:
                    group.blocks += other.blocks
                    group.size += other.size
                    del groups[left + 1]
                    return

    def clear(self) -> None:
        """Remove everything."""
        self.groups = []
        self.size = 0

    # -- by position -----------------------------------------------------------------------

    def block_of(self, position: Position) -> tuple[int, int]:
        """Return the numbers of the group and of the block in it that begin last, but not behind
        `position`; or 0."""
        groups = self.groups
        low, high = 0, len(groups)
        while high - low > 1:
            middle = (low + high) // 2
            if groups[middle].blocks[0].positions[0] <= position:
                low = middle
            else:
                high = middle
        number = low
        blocks = groups[number].blocks
        low, high = 0, len(blocks)
        while high - low > 1:
            middle = (low + high) // 2
            if blocks[middle].positions[0] <= position:
                low = middle
            else:
                high = middle
        return number, low

    def find(self, position: Position) -> Place:
        """Return the place of `position`; NOWHERE without it. O(1) at the ends."""
        groups = self.groups
        if not groups:
            return NOWHERE
        if groups[0].blocks[0].positions[0] == position:
            return 0, 0, 0
        number = len(groups) - 1
        inside = len(groups[number].blocks) - 1
        last = groups[number].blocks[inside].positions
        if last[len(last) - 1] == position:
            return number, inside, len(last) - 1
        number, inside = self.block_of(position)
        positions = groups[number].blocks[inside].positions
        offset = bisect_left(positions, position)
        if offset < len(positions) and positions[offset] == position:
            return number, inside, offset
        return NOWHERE

    def get(self, position: Position) -> Any:
        """Return the thing at `position`; None if there is none."""
        place = self.find(position)
        return self.thing(place) if place[0] >= 0 else None

    # -- by index --------------------------------------------------------------------------

    def locate(self, index: int) -> Place:
        """Return the place of the thing at `index`, which is in range. The walk begins at the
        nearer end."""
        groups = self.groups
        number = 0
        if index < self.size // 2:
            while index >= groups[number].size:
                index -= groups[number].size
                number += 1
        else:
            number = len(groups) - 1
            rest = self.size - index
            while rest > groups[number].size:
                rest -= groups[number].size
                number -= 1
            index = groups[number].size - rest
        blocks = groups[number].blocks
        inside = 0
        if index < groups[number].size // 2:
            while index >= len(blocks[inside].things):
                index -= len(blocks[inside].things)
                inside += 1
            return number, inside, index
        inside = len(blocks) - 1
        rest = groups[number].size - index
        while rest > len(blocks[inside].things):
            rest -= len(blocks[inside].things)
            inside -= 1
        return number, inside, len(blocks[inside].things) - rest

    def position(self, place: Place) -> Position:
        """Return the position at a place."""
        return self.groups[place[0]].blocks[place[1]].positions[place[2]]

    def thing(self, place: Place) -> Any:
        """Return the thing at a place."""
        return self.groups[place[0]].blocks[place[1]].things[place[2]]

    def replace(self, place: Place, thing: Any) -> None:
        """Replace the thing at a place."""
        self.groups[place[0]].blocks[place[1]].things[place[2]] = thing

    def thing_at(self, index: int) -> Any:
        """Return the thing at `index`, which is in range."""
        return self.thing(self.locate(index))

    def blocks_of(self, start: int, stop: int) -> tuple[list[Block], int]:
        """Return the blocks that hold the things with `start` <= index < `stop`, of which there
        are some, and the offset of the first of them in its block."""
        number, inside, offset = self.locate(start)
        rest = stop - start + offset
        found: list[Block] = []
        while rest > 0:
            group = self.groups[number]
            for at in range(inside, len(group.blocks)):
                block = group.blocks[at]
                found.append(block)
                rest -= len(block.things)
                if rest <= 0:
                    break
            number += 1
            inside = 0
        return found, offset

    def slice_positions(self, start: int, stop: int) -> list[Position]:
        """Return the positions with `start` <= index < `stop`."""
        stop = min(stop, self.size)
        if start >= stop:
            return []
        blocks, offset = self.blocks_of(start, stop)
        found = blocks[0].positions[offset : offset + stop - start]
        for at in range(1, len(blocks)):
            found += blocks[at].positions
        del found[stop - start :]
        return found

    def slice_things(self, start: int, stop: int) -> list[Any]:
        """Return the things with `start` <= index < `stop`."""
        stop = min(stop, self.size)
        if start >= stop:
            return []
        blocks, offset = self.blocks_of(start, stop)
        found = blocks[0].things[offset : offset + stop - start]
        for at in range(1, len(blocks)):
            found += blocks[at].things
        del found[stop - start :]
        return found

    def matches(self, thing: object, start: int, stop: int, count: int) -> list[int]:
        """Return the first `count` indexes, `start` <= index < `stop`, of things that equal
        `thing`. The loop over a block without one is C's."""
        found: list[int] = []
        stop = min(stop, self.size)
        if start >= stop:
            return found
        blocks, offset = self.blocks_of(start, stop)
        first = start - offset
        for block in blocks:
            things = block.things
            if thing in things:
                for at, held in enumerate(things, first):
                    if held == thing and start <= at < stop:
                        found.append(at)
                        if len(found) == count:
                            return found
            first += len(things)
        return found

    def matches_from_end(self, thing: object, start: int, stop: int, count: int) -> list[int]:
        """Return the last `count` indexes, `start` <= index < `stop`, of things that equal `thing`,
        in descending order."""
        found: list[int] = []
        stop = min(stop, self.size)
        if start >= stop:
            return found
        blocks, offset = self.blocks_of(start, stop)
        first = start - offset + sum([len(block.things) for block in blocks])
        for number in range(len(blocks) - 1, -1, -1):
            things = blocks[number].things
            first -= len(things)
            if thing in things:
                for at in range(len(things) - 1, -1, -1):
                    if things[at] == thing and start <= first + at < stop:
                        found.append(first + at)
                        if len(found) == count:
                            return found
        return found

    def check(self) -> None:
        """Assert the invariants: sorted unique positions, matching sizes, bounded blocks."""
        flat: list[Position] = []
        for group in self.groups:
            assert 0 < len(group.blocks) <= self.group_max
            assert group.size == sum([len(block.things) for block in group.blocks])
            for block in group.blocks:
                assert 0 < len(block.positions) == len(block.things) <= self.block_max
                flat += block.positions
        assert flat == sorted(set(flat))
        assert len(flat) == self.size
