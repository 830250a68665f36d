"""Positions of list elements, made by several regions that hear from each other now and then.

Rules LST-2 and LST-11: no two elements share a position; an element lands between the neighbours
that its region saw; what a region inserts in one go, or one after another at one place, stays
together; and a queue that many push to and pop from keeps positions of one component.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from crdt import list as lists
from crdt.dots import make_origin
from crdt.keyspace import Keyspace
from crdt.list import List, Position
from crdt.op import Op
from crdt.types import MAKERS

KEY = b"l"
REGIONS = 3


class Replicas:
    """Keyspaces of a few regions, and the operations that each has made."""

    def __init__(self) -> None:
        self.spaces = [Keyspace(make_origin(n + 1), MAKERS) for n in range(REGIONS)]
        self.made: list[list[tuple[Op, dict[int, int]]]] = [[] for _ in range(REGIONS)]
        self.taken = [[0] * REGIONS for _ in range(REGIONS)]

    def seal(self, region: int) -> None:
        """Make what the region has written an operation."""
        space = self.spaces[region]
        past = dict(space.vector)
        op = space.seal()
        if op is not None:
            self.made[region].append((op, past))

    def hear(self, sink: int) -> None:
        """Bring one region all that there is."""
        moved = True
        while moved:
            moved = False
            for source in range(REGIONS):
                for op, past in self.made[source][self.taken[sink][source] :]:
                    known = self.spaces[sink].vector
                    others = {o: s for o, s in past.items() if o != op.origin}
                    if source == sink or any(known.get(o, 0) < s for o, s in others.items()):
                        break
                    self.spaces[sink].apply_op(Op.from_bytes(op.to_bytes()), others)
                    self.taken[sink][source] += 1
                    moved = True

    def positions(self, region: int) -> list[Position]:
        """All positions, in order."""
        value = self.spaces[region].lookup(KEY)
        return value.positions(0, value.length()) if isinstance(value, List) else []

    def size(self, region: int) -> int:
        """How many elements there are."""
        return len(self.positions(region))

    def insert(self, region: int, index: int, values: list[bytes]) -> list[Position]:
        """Put values one after another before `index`; the positions they got."""
        space = self.spaces[region]
        before = self.positions(region)
        for step, value in enumerate(values):
            lists.insert(space, KEY, index + step, value)
        after = self.positions(region)
        self.seal(region)
        assert after[:index] == before[:index]
        assert after[index + len(values) :] == before[index:]
        return after[index : index + len(values)]


steps = st.lists(
    st.tuples(
        st.integers(0, REGIONS - 1),
        st.sampled_from(["insert", "head", "tail", "remove", "hear"]),
        st.floats(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_lst_2_positions_differ_and_lie_between_the_neighbours(
    history: list[tuple[int, str, float]],
) -> None:
    replicas = Replicas()
    given_out: list[Position] = []
    for region, action, where in history:
        space, size = replicas.spaces[region], replicas.size(region)
        if action == "insert":
            given_out += replicas.insert(region, round(where * size), [b"v"])
        elif action == "head":
            lists.push_head(space, KEY, [b"a", b"b"])
            given_out += replicas.positions(region)[:2]
        elif action == "tail":
            lists.push_tail(space, KEY, [b"a", b"b"])
            given_out += replicas.positions(region)[-2:]
        elif action == "remove" and size:
            lists.pop(space, KEY, 0 if where < 0.5 else -1)
        elif action == "hear":
            replicas.hear(region)
        replicas.seal(region)
    assert len(set(given_out)) == len(given_out)
    for region in (*range(REGIONS), *range(REGIONS)):
        replicas.hear(region)
    assert replicas.positions(0) == replicas.positions(1) == replicas.positions(2)


runs = st.lists(st.tuples(st.integers(0, REGIONS - 1), st.integers(1, 4)), min_size=1, max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4), st.floats(0, 1), runs)
def test_lst_11_what_a_region_types_at_one_place_stays_together(
    start: int, where: float, typed: list[tuple[int, int]]
) -> None:
    replicas = Replicas()
    if start:
        replicas.insert(0, 0, [b"-"] * start)
    for region in range(REGIONS):
        replicas.hear(region)
    cursors = [round(where * start)] * REGIONS
    own: list[list[Position]] = [[] for _ in range(REGIONS)]
    for region, count in typed:  # regions hear nothing of each other meanwhile
        own[region] += replicas.insert(region, cursors[region], [b"x"] * count)
        cursors[region] += count
    for region in (*range(REGIONS), *range(REGIONS)):
        replicas.hear(region)
    merged = replicas.positions(0)
    for run in own:
        if run:
            at = merged.index(run[0])
            assert merged[at : at + len(run)] == run


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, REGIONS - 1),
            st.sampled_from(["head", "tail", "pop", "hear"]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_positions_of_queues_keep_one_component(history: list[tuple[int, str, bool]]) -> None:
    replicas = Replicas()
    for region, action, flag in history:
        space = replicas.spaces[region]
        if action == "head":
            lists.push_head(space, KEY, [b"v"])
        elif action == "tail":
            lists.push_tail(space, KEY, [b"v"])
        elif action == "pop" and replicas.size(region):
            lists.pop(space, KEY, 0 if flag else -1)
        elif action == "hear":
            replicas.hear(region)
        replicas.seal(region)
        assert all(len(position) == 4 for position in replicas.positions(region))


def test_text_typed_in_the_middle_takes_two_components() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"(", b")"])
    replicas.hear(1)
    typed = replicas.insert(1, 1, [b"x"] * 100)
    assert {len(position) for position in typed} == {8}
