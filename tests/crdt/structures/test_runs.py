"""The order of runs, compared with a walk over the whole tree."""

from __future__ import annotations

from random import Random

import pytest

from crdt.structures.runs import Key, Run, is_same, lift, precedes

Tree = dict[Run, dict[Key, list[Run]]]
"""The keys of each run, and the child runs of each element."""


def drawn_tree(rng: Random) -> tuple[Tree, list[Run]]:
    """Draw runs with some elements each. Return them, and those of the top level."""
    tops = [Run(None, 0, k, dot << 40) for k in (-1, 0, 2) for dot in (1, 2)]
    tree: Tree = {run: {key: [] for key in rng.sample(range(-9, 9), 3)} for run in tops}
    for dot in range(40):
        parent = rng.choice(list(tree))
        key = rng.choice(list(tree[parent]))
        child = Run(parent, key, rng.choice((-2, -1, 1)), rng.randint(1, 2) << 40 | dot + 1)
        tree[parent][key].append(child)
        tree[child] = {key: [] for key in rng.sample(range(-9, 9), 3)}
    return tree, tops


def walk(tree: Tree, runs: list[Run]) -> list[tuple[Run, Key]]:
    """Return the elements of sibling runs and of all below them, in order."""
    found: list[tuple[Run, Key]] = []
    for run in sorted(runs, key=lambda each: (each.k, each.dot)):
        for key, children in sorted(tree[run].items()):
            found += walk(tree, [child for child in children if child.k < 0])
            found.append((run, key))
            found += walk(tree, [child for child in children if child.k > 0])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_order_is_that_of_walk_over_tree(seed: int) -> None:
    tree, tops = drawn_tree(Random(seed))
    elements = walk(tree, tops)
    for index, left in enumerate(elements):
        for other, right in enumerate(elements):
            assert precedes(*left, *right) == (index < other)


def test_runs_of_top_level_need_not_be_one_object() -> None:
    here, there = Run(None, 0, 3, 1 << 40), Run(None, 0, 3, 1 << 40)
    child = Run(here, 5, 1, 1 << 40 | 9)
    assert is_same(here, there)
    assert not is_same(child, there)
    assert not is_same(here, Run(None, 0, 3, 2 << 40))
    for twin in (here, there):
        assert precedes(twin, 4, here, 5)
        assert precedes(twin, 5, child, 0)
        assert not precedes(child, 0, twin, 5)
        assert precedes(child, 0, twin, 6)


def test_walk_up_a_deep_tree_takes_few_steps() -> None:
    runs = [Run(None, 0, 0, 1 << 40)]
    for dot in range(1, 1000):
        runs.append(Run(runs[-1], dot, 1, 1 << 40 | dot))
    assert runs[-1].depth == 1000
    for target in (1, 2, 3, 500, 511, 998):
        run, steps = runs[-1], 0
        while run.depth > target:
            jump = run.jump
            run = jump if jump is not None and jump.depth >= target else run.parent or run
            steps += 1
        assert run is lift(runs[-1], target) is runs[target - 1]
        assert steps <= 30  # 3 times the logarithm
