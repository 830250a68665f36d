"""The order of list elements: a tree of runs.

The elements that one region inserts one after another at one place form a *run*. An element is
named by its run and a key. Keys count up at the end of the run and down at its beginning, so the
elements of a run stay in the order in which they were written, whatever happens concurrently.

A run of the top level is named by `(k, origin)`: pushes at the ends of a list open runs with a
greater or a smaller `k`. Other runs are children of an element, on its left or on its right, as in
Fugue (Weidner and Kleppmann, "The Art of the Fugue: Minimizing Interleaving in Collaborative Text
Editing", 2023): left children, then the element, then right children. A child run is named by the
dot of the effect that opened it.

Two elements are compared where their paths from the root part. A run holds its parent and one
pointer further up, chosen so that a walk up the tree takes a logarithmic number of steps (Myers,
"An applicative random-access stack", 1983). So elements take constant memory, however deep they
are, and a comparison takes logarithmic time.
"""

from __future__ import annotations

from typing import Final

Key = int
"""Plus or minus `seq << INDEX_BITS | index`, for element `index` of effect `seq`."""
INDEX_BITS: Final = 22
INDEX_MAX: Final = (1 << INDEX_BITS) - 1
"""The greatest index of an element in its effect."""


class Run:
    """Elements of one origin, which stand at one place of the tree.

    `dot` is the origin of a run of the top level, shifted to where a dot has it, or the dot of the
    effect that opened a child run. Siblings are sorted by `(k, dot)`. Children with a negative `k`
    stand on the left of their parent.
    """

    __slots__ = ("children", "depth", "dot", "jump", "k", "live", "parent", "parent_key", "removed")

    def __init__(self, parent: Run | None, parent_key: Key, k: int, dot: int) -> None:
        self.parent: Run | None = parent
        self.parent_key: Key = parent_key
        self.k: int = k
        self.dot: int = dot
        self.depth: int = 1
        self.jump: Run | None = None
        """An ancestor further up. None stands for the root, whose depth is 0."""
        self.live: int = 0
        """The elements of a child run that readers see."""
        self.children: int = 0
        """The child runs of all elements. It is counted in runs that a tree holds."""
        self.removed: tuple[int, ...] = ()
        """The latest effect of each origin that removed an element of this child run."""
        if parent is not None:
            self.depth = parent.depth + 1
            self.jump = ancestor_to_keep(parent)


def ancestor_to_keep(parent: Run) -> Run | None:
    """Return the ancestor to which a child of `parent` jumps."""
    jump = parent.jump
    if jump is None:
        return parent
    beyond = jump.jump
    reach = 0 if beyond is None else beyond.depth
    return beyond if parent.depth - jump.depth == jump.depth - reach else parent


def lift(run: Run, depth: int) -> Run:
    """Return the ancestor of a run, or itself, at a depth of 1 or more."""
    while run.depth > depth:
        jump = run.jump
        if jump is not None and jump.depth >= depth:
            run = jump
        else:
            assert run.parent is not None
            run = run.parent
    return run


def is_same(run: Run, other: Run) -> bool:
    """Return whether two runs are the same. Those of the top level need not be one object."""
    if run is other:
        return True
    return run.depth == 1 and other.depth == 1 and run.k == other.k and run.dot == other.dot


def precedes(run: Run, key: Key, other: Run, other_key: Key) -> bool:
    """Return whether the element `(run, key)` stands before another one. O(log depth)."""
    if run is other:
        return key < other_key
    if run.depth > other.depth:
        child = lift(run, other.depth + 1)
        assert child.parent is not None
        run = child.parent
        if is_same(run, other):
            return child.k < 0 if child.parent_key == other_key else child.parent_key < other_key
    elif run.depth < other.depth:
        child = lift(other, run.depth + 1)
        assert child.parent is not None
        other = child.parent
        if is_same(run, other):
            return child.k >= 0 if child.parent_key == key else key < child.parent_key
    elif run.depth == 1 and run.k == other.k and run.dot == other.dot:
        return key < other_key
    return siblings_precede(run, other)


def siblings_precede(run: Run, other: Run) -> bool:
    """Return whether one of two different runs of the same depth stands before the other."""
    while run.parent is not other.parent:
        if run.jump is not other.jump:
            assert run.jump is not None
            assert other.jump is not None
            run, other = run.jump, other.jump
        else:
            assert run.parent is not None
            assert other.parent is not None
            run, other = run.parent, other.parent
    if run.parent is not None and run.parent_key != other.parent_key:
        return run.parent_key < other.parent_key
    return run.k < other.k if run.k != other.k else run.dot < other.dot
