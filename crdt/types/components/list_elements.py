"""The elements of a list: their content, and the positions and spans that name them in effects."""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

from crdt.causality.dots import Dot, Vector, covers
from crdt.causality.schema import POSITIONS_FIRST
from crdt.structures.blocks import Block, Blocks
from crdt.structures.runs import Key, Run, is_same, lift, precedes
from crdt.types.components.register import Register
from crdt.types.components.run_tree import is_top

LIST: Final = 5
"""The code of the type."""
REMOVE: Final = POSITIONS_FIRST + 2  #  (code, operation, key, span, ...)

WALKED: Final = 500
"""The elements that a cursor takes at once."""

Position = tuple[int, Dot, Key]
"""The k and the dot of an element's run, and the element's key. The k of a child run is 0."""
Span = tuple[int, ...]
"""A position, or a first position, a step and a count: elements of one run whose keys differ by the
step."""


@mypyc_attr(acyclic=True)
class Element(Register):  # noqa: PLW1641 - as mutable as a list
    """An element of a list that was set, or would be."""

    __slots__ = ()

    def code(self) -> int:
        return LIST

    def visible(self) -> object:
        return self.value

    def __eq__(self, other: object) -> bool:
        """Return whether readers see `other`. So a search for bytes finds elements that were set
        too."""
        return other is self or (type(other) is bytes and other == self.value)


class Cursor:
    """A walk over all elements of a list."""

    __slots__ = ("block", "items", "next_index", "offset")

    def __init__(self, items: Blocks) -> None:
        self.items: Blocks = items
        self.block: Block = items.slice(0, WALKED)
        self.next_index: int = WALKED
        """The index of the first element behind the block."""
        self.offset: int = 0

    def is_at_end(self) -> bool:
        """Return whether there are no more elements."""
        return self.offset == len(self.block.keys)

    def run(self) -> Run:
        """Return the run of the element."""
        return self.block.runs[self.offset]

    def key(self) -> Key:
        """Return the key of the element in its run."""
        return self.block.keys[self.offset]

    def thing(self) -> Any:
        """Return the content of the element."""
        return self.block.things[self.offset]

    def advance(self) -> None:
        """Go on to the next element."""
        self.offset += 1
        if self.offset == len(self.block.keys):
            self.block = self.items.slice(self.next_index, self.next_index + WALKED)
            self.next_index += WALKED
            self.offset = 0


def which_first(ours: Cursor, run: Run | None, given: Cursor) -> int:
    """Return -1 if our element stands before the given one, 1 if it stands behind it, and 0 if both
    are the same. One of them exists. `run` is that of the given one here."""
    if run is None:
        return -1
    if ours.is_at_end():
        return 1
    held, key, other_key = ours.run(), ours.key(), given.key()
    if key == other_key and held.k == run.k and held.dot == run.dot:
        return 0
    return -1 if precedes(held, key, run, other_key) else 1


def merged(dot: Dot, held: Any, copy: Any, mine: Vector, theirs: Vector) -> Any:
    """Return the join of two contents of an element, which the effect `dot` inserted; None if
    nothing is left."""
    if type(held) is bytes and type(copy) is bytes:
        return held
    if copy is None and type(held) is bytes:
        return None if covers(theirs, dot) else held
    if held is None and type(copy) is bytes:
        return None if covers(mine, dot) else copy
    element = Element() if held is None else as_element(dot, held)
    element.merge(Element() if copy is None else as_element(dot, copy), mine, theirs)
    return as_plain(dot, element) if element.is_live() else None


def key_in(run: Run, other: Run, other_key: Key) -> Key | None:
    """Return the key of the element of `run` that is `(other, other_key)` or above it, or None if
    there is none."""
    if other.depth < run.depth:
        return None
    if other.depth > run.depth:
        child = lift(other, run.depth + 1)
        assert child.parent is not None
        other, other_key = child.parent, child.parent_key
    return other_key if is_same(other, run) else None


def position_of(run: Run, key: Key) -> Position:
    """Return the position of an element."""
    return (run.k if is_top(run.dot) else 0), run.dot, key


def spans_of(runs: list[Run], keys: list[Key]) -> list[Span]:
    """Return spans that name some elements. Consecutive ones share a span where they can."""
    found: list[Span] = []
    start = 0
    while start < len(keys):
        run, key = runs[start], keys[start]
        stop = start + 1
        step = 0
        while stop < len(keys) and is_same(runs[stop], run):
            if step == 0:
                step = keys[stop] - key
            elif keys[stop] - keys[stop - 1] != step:
                break
            stop += 1
        position = position_of(run, key)
        found.append(position if stop == start + 1 else (*position, step, stop - start))
        start = stop
    return found


def differences(keys: list[Key]) -> tuple[int, ...]:
    """Return the first key, and the difference of each other one from the one before it."""
    return (keys[0], *[keys[index] - keys[index - 1] for index in range(1, len(keys))])


def as_element(dot: Dot, held: Any) -> Element:
    """Return an element, which the effect `dot` inserted, as a register."""
    if type(held) is Element:
        return held
    element = Element()
    element.dot, element.value = dot, held
    return element


def as_plain(dot: Dot, element: Element) -> Any:
    """Return an element, which the effect `dot` inserted, in its shortest form, so that equal
    content has equal bytes."""
    if element.plain() and element.stamp == 0 and element.dot == dot:
        return element.value
    return element
