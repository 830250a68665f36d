"""A list's elements in order, in groups of blocks.

Each element has a run and a key, which order it (`crdt.structures.runs`), and a thing: its content.
The elements are divided into blocks of bounded size, and the blocks into groups of bounded size. A
group holds the number of its things. So an access at either end takes constant time. An access by
index in the middle walks over the groups and then over the blocks of one group: some 60 groups for
a million things. An access by position takes one binary search on each level.

    groups        [ 5                       , 3              ]
    runs          [ [r0 r0 r0] [r0 r0]      , [r1 r1 r1]     ]
    keys          [ [k0 k1 k2] [k3 k4]      , [k0 k1 k2]     ]
    things        [ [t0 t1 t2] [t3 t4]      , [t5 t6 t7]     ]

Elements of one run share the object of the run, so an element takes three references and a key.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.structures.runs import Key, Run, is_same, precedes

Place = tuple[int, int, int]
"""The numbers of a group, of a block in it, and of a thing in the block."""

BLOCK_MAX: Final = 128  # larger blocks are divided; an insertion moves at most 3 KB
GROUP_MAX: Final = 128  # blocks; larger groups are divided
SHARE: Final = 8  # what is at most 1/8 of its maximum is joined with a small neighbour
NOWHERE: Final[Place] = (-1, -1, -1)
FIRST: Final[Place] = (0, 0, 0)
LAST: Final[Place] = (-1, -1, -1)


class Block:
    """Some consecutive elements, in columns."""

    __slots__ = ("keys", "runs", "things")

    def __init__(self, runs: list[Run], keys: list[Key], things: list[Any]) -> None:
        self.runs: list[Run] = runs
        self.keys: list[Key] = keys
        self.things: list[Any] = things

    def lower_bound(self, run: Run, key: Key) -> int:
        """Return the offset of the first element that does not stand before `(run, key)`."""
        runs, keys = self.runs, self.keys
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            if precedes(runs[middle], keys[middle], run, key):
                low = middle + 1
            else:
                high = middle
        return low

    def holds(self, offset: int, run: Run, key: Key) -> bool:
        """Return whether the element at `offset`, if there is one, is `(run, key)`."""
        if offset >= len(self.keys) or self.keys[offset] != key:
            return False
        return is_same(self.runs[offset], run)


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

    def put(self, run: Run, key: Key, thing: Any, is_low: bool = False) -> bool:
        """Put `thing` at `(run, key)`. It replaces the thing there, if any. O(1) at the ends.

        `is_low` is a hint that the element is probably the first one. Return whether it is new.
        """
        groups = self.groups
        if not groups:
            groups.append(Group([Block([run], [key], [thing])], 1))
            self.size = 1
            return True
        first = groups[0].blocks[0]
        if is_low and precedes(run, key, first.runs[0], first.keys[0]):
            self.put_first(run, key, thing)
            return True
        blocks = groups[len(groups) - 1].blocks
        last = blocks[len(blocks) - 1]
        offset = len(last.keys) - 1
        if precedes(last.runs[offset], last.keys[offset], run, key):
            self.put_last(last.runs[offset] if is_same(last.runs[offset], run) else run, key, thing)
        elif precedes(run, key, first.runs[0], first.keys[0]):
            self.put_first(run, key, thing)
        else:
            return self.put_between(run, key, thing)
        return True

    def put_last(self, run: Run, key: Key, thing: Any) -> None:
        """Put `thing` behind all others."""
        groups = self.groups
        group = groups[len(groups) - 1]
        blocks = group.blocks
        block = blocks[len(blocks) - 1]
        self.size += 1
        if len(block.things) < self.block_max:
            block.runs.append(run)
            block.keys.append(key)
            block.things.append(thing)
            group.size += 1
        elif len(blocks) < self.group_max:
            blocks.append(Block([run], [key], [thing]))
            group.size += 1
        else:
            groups.append(Group([Block([run], [key], [thing])], 1))

    def put_first(self, run: Run, key: Key, thing: Any) -> None:
        """Put `thing` before all others."""
        groups = self.groups
        group = groups[0]
        blocks = group.blocks
        block = blocks[0]
        self.size += 1
        if len(block.things) < self.block_max:
            block.runs.insert(0, run)
            block.keys.insert(0, key)
            block.things.insert(0, thing)
            group.size += 1
        elif len(blocks) < self.group_max:
            blocks.insert(0, Block([run], [key], [thing]))
            group.size += 1
        else:
            groups.insert(0, Group([Block([run], [key], [thing])], 1))

    def put_between(self, run: Run, key: Key, thing: Any) -> bool:
        """Put `thing` at `(run, key)`, which is neither before the first nor behind the last
        element. Return whether it is new."""
        number, inside = self.block_of(run, key)
        group = self.groups[number]
        block = group.blocks[inside]
        offset = block.lower_bound(run, key)
        if block.holds(offset, run, key):
            block.things[offset] = thing
            return False
        if offset > 0 and is_same(block.runs[offset - 1], run):
            run = block.runs[offset - 1]
        block.runs.insert(offset, run)
        block.keys.insert(offset, key)
        block.things.insert(offset, thing)
        self.size += 1
        group.size += 1
        if len(block.things) > self.block_max:
            half = len(block.things) // 2
            moved = Block(block.runs[half:], block.keys[half:], block.things[half:])
            group.blocks.insert(inside + 1, moved)
            del block.runs[half:], block.keys[half:], block.things[half:]
            if len(group.blocks) > self.group_max:
                self.divide(number)
        return True

    def divide(self, number: int) -> None:
        """Divide a group in two."""
        group = self.groups[number]
        moved = group.blocks[len(group.blocks) // 2 :]
        size = sum([len(block.things) for block in moved])
        del group.blocks[len(group.blocks) // 2 :]
        group.size -= size
        self.groups.insert(number + 1, Group(moved, size))

    def drop(self, place: Place, count: int = 1) -> None:
        """Remove `count` elements of one block, from a place on."""
        number, inside, offset = place
        group = self.groups[number]
        block = group.blocks[inside]
        if count == 1:
            del block.runs[offset], block.keys[offset], block.things[offset]
        else:
            stop = offset + count
            del block.runs[offset:stop], block.keys[offset:stop], block.things[offset:stop]
        self.size -= count
        group.size -= count
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
                    block.runs += other.runs
                    block.keys += other.keys
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

    def free_slice(self) -> bool:
        """Free the last group of elements that were removed all together. Return whether there are
        more."""
        self.groups.pop()
        return len(self.groups) > 0

    # -- by position -----------------------------------------------------------------------

    def block_of(self, run: Run, key: Key) -> tuple[int, int]:
        """Return the numbers of the group, and of the block in it, that begin last, but not behind
        `(run, key)`; or 0."""
        groups = self.groups
        low, high = 0, len(groups)
        while high - low > 1:
            middle = (low + high) // 2
            block = groups[middle].blocks[0]
            if precedes(run, key, block.runs[0], block.keys[0]):
                high = middle
            else:
                low = middle
        number = low
        blocks = groups[number].blocks
        low, high = 0, len(blocks)
        while high - low > 1:
            middle = (low + high) // 2
            block = blocks[middle]
            if precedes(run, key, block.runs[0], block.keys[0]):
                high = middle
            else:
                low = middle
        return number, low

    def find(self, run: Run, key: Key) -> Place:
        """Return the place of `(run, key)`; NOWHERE without it. O(1) at the ends."""
        groups = self.groups
        if not groups:
            return NOWHERE
        if groups[0].blocks[0].holds(0, run, key):
            return FIRST
        number = len(groups) - 1
        inside = len(groups[number].blocks) - 1
        last = groups[number].blocks[inside]
        if last.holds(len(last.keys) - 1, run, key):
            return number, inside, len(last.keys) - 1
        place = self.lower_bound(run, key)
        if place[0] >= 0 and self.block(place).holds(place[2], run, key):
            return place
        return NOWHERE

    def lower_bound(self, run: Run, key: Key) -> Place:
        """Return the place of the first element that does not stand before `(run, key)`; NOWHERE
        without one."""
        if not self.groups:
            return NOWHERE
        number, inside = self.block_of(run, key)
        offset = self.groups[number].blocks[inside].lower_bound(run, key)
        return self.normalised((number, inside, offset))

    def normalised(self, place: Place) -> Place:
        """Return a place that may lie at the end of its block as that of the element there: the
        first one of the next block, or NOWHERE."""
        number, inside, offset = place
        if number < len(self.groups):
            blocks = self.groups[number].blocks
            if inside < len(blocks):
                if offset < len(blocks[inside].things):
                    return place
                inside += 1
            if inside < len(blocks):
                return number, inside, 0
            if number + 1 < len(self.groups):
                return number + 1, 0, 0
        return NOWHERE

    def get(self, run: Run, key: Key) -> Any:
        """Return the thing at `(run, key)`; None if there is none."""
        place = self.find(run, key)
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

    def block(self, place: Place) -> Block:
        """Return the block of a place."""
        return self.groups[place[0]].blocks[place[1]]

    def run(self, place: Place) -> Run:
        """Return the run at a place."""
        return self.groups[place[0]].blocks[place[1]].runs[place[2]]

    def key(self, place: Place) -> Key:
        """Return the key at a place."""
        return self.groups[place[0]].blocks[place[1]].keys[place[2]]

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

    def slice(self, start: int, stop: int) -> Block:
        """Return the elements with `start` <= index < `stop` as one block."""
        found = Block([], [], [])
        stop = min(stop, self.size)
        if start < stop:
            blocks, offset = self.blocks_of(start, stop)
            for block in blocks:
                found.runs += block.runs
                found.keys += block.keys
                found.things += block.things
            for column in (found.runs, found.keys, found.things):
                del column[offset + stop - start :], column[:offset]
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
        number, inside, offset = self.locate(start)
        first = start - offset
        while first < stop:
            blocks = self.groups[number].blocks
            for at in range(inside, len(blocks)):
                things = blocks[at].things
                if thing in things:
                    for index, held in enumerate(things, first):
                        if held == thing and start <= index < stop:
                            found.append(index)
                            if len(found) == count:
                                return found
                first += len(things)
                if first >= stop:
                    break
            number += 1
            inside = 0
        return found

    def matches_from_end(self, thing: object, start: int, stop: int, count: int) -> list[int]:
        """Return the last `count` indexes, `start` <= index < `stop`, of things that equal `thing`,
        in descending order."""
        found: list[int] = []
        stop = min(stop, self.size)
        if start >= stop:
            return found
        number, inside, offset = self.locate(stop - 1)
        first = stop - 1 - offset + len(self.groups[number].blocks[inside].things)
        while first > start:
            blocks = self.groups[number].blocks
            for at in range(inside, -1, -1):
                things = blocks[at].things
                first -= len(things)
                if thing in things:
                    for place in range(len(things) - 1, -1, -1):
                        if things[place] == thing and start <= first + place < stop:
                            found.append(first + place)
                            if len(found) == count:
                                return found
                if first <= start:
                    break
            number -= 1
            inside = len(self.groups[number].blocks) - 1
        return found

    def check(self) -> None:
        """Assert the invariants: ascending elements, matching sizes, bounded blocks."""
        for group in self.groups:
            assert 0 < len(group.blocks) <= self.group_max
            assert group.size == sum([len(block.things) for block in group.blocks])
            for block in group.blocks:
                assert 0 < len(block.runs) == len(block.things) <= self.block_max
                assert len(block.keys) == len(block.things)
        assert self.size == sum([group.size for group in self.groups])
        whole = self.slice(0, self.size)
        for index in range(1, self.size):
            run, key = whole.runs[index - 1], whole.keys[index - 1]
            assert precedes(run, key, whole.runs[index], whole.keys[index])
            assert not precedes(whole.runs[index], whole.keys[index], run, key)
