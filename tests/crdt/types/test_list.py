"""Lists: the positions of elements that several regions insert, and how elements that were set are
kept.

Rules LST-2 and LST-11. Two elements never share a position. An element lands between the neighbours
that its region saw. Elements stay together if a region inserts them with one command, or one after
another at one place. A queue with many pushes and pops keeps positions of one component.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt import Replica
from crdt.causality.dots import SEQ_BITS, make_origin
from crdt.causality.op import Op
from crdt.causality.schema import STEP_MAX
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.types.list import ASSIGN, INSERT, LIST, REMOVE, Element, List, Position
from crdt.types.registry import BUILT_IN
from crdt.writes import list as lists

KEY = b"l"
REGIONS = 3


class Replicas:
    """Keyspaces of some regions, and the operations that each has made."""

    def __init__(self) -> None:
        self.spaces = [Keyspace(make_origin(n + 1), BUILT_IN) for n in range(REGIONS)]
        self.made: list[list[tuple[Op, dict[int, int]]]] = [[] for _ in range(REGIONS)]
        self.taken = [[0] * REGIONS for _ in range(REGIONS)]

    def seal(self, region: int) -> None:
        """Seal a region's writes as an operation."""
        space = self.spaces[region]
        past = dict(space.vector)
        op = space.seal()
        if op is not None:
            self.made[region].append((op, past))

    def receive(self, sink: int) -> None:
        """Deliver all operations to one region."""
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
        """Return all positions, in order."""
        value = self.spaces[region].lookup(KEY)
        return value.positions(0, value.length()) if isinstance(value, List) else []

    def size(self, region: int) -> int:
        """Return the number of elements."""
        return len(self.positions(region))

    def insert(self, region: int, index: int, values: list[bytes]) -> list[Position]:
        """Insert values one after another before `index`. Return their positions."""
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
        st.sampled_from(["insert", "head", "tail", "remove", "receive"]),
        st.floats(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps)
@pytest.mark.rule("LST-2")
def test_positions_differ_and_lie_between_neighbours(
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
        elif action == "receive":
            replicas.receive(region)
        replicas.seal(region)
    assert len(set(given_out)) == len(given_out)
    for region in (*range(REGIONS), *range(REGIONS)):
        replicas.receive(region)
    assert replicas.positions(0) == replicas.positions(1) == replicas.positions(2)


runs = st.lists(st.tuples(st.integers(0, REGIONS - 1), st.integers(1, 4)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.floats(0, 1), runs)
@pytest.mark.rule("LST-11")
def test_text_of_region_at_one_place_stays_together(
    start: int, where: float, typed: list[tuple[int, int]]
) -> None:
    replicas = Replicas()
    if start:
        replicas.insert(0, 0, [b"-"] * start)
    for region in range(REGIONS):
        replicas.receive(region)
    cursors = [round(where * start)] * REGIONS
    own: list[list[Position]] = [[] for _ in range(REGIONS)]
    for region, count in typed:  # regions receive nothing of each other meanwhile
        own[region] += replicas.insert(region, cursors[region], [b"x"] * count)
        cursors[region] += count
    for region in (*range(REGIONS), *range(REGIONS)):
        replicas.receive(region)
    merged = replicas.positions(0)
    for run in own:
        if run:
            at = merged.index(run[0])
            assert merged[at : at + len(run)] == run


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, REGIONS - 1),
            st.sampled_from(["head", "tail", "pop", "receive"]),
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
        elif action == "receive":
            replicas.receive(region)
        replicas.seal(region)
        assert all(len(position) == 4 for position in replicas.positions(region))


def test_text_typed_in_middle_takes_two_components() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"(", b")"])
    replicas.receive(1)
    typed = replicas.insert(1, 1, [b"x"] * 100)
    assert {len(position) for position in typed} == {8}


# -- elements --------------------------------------------------------------------------------


def held(space: Keyspace) -> List:
    value = space.lookup(KEY)
    assert isinstance(value, List)
    return value


def two_that_set_one_element() -> Replicas:
    """Return three elements, after regions 1 and 2 have set the second one concurrently and
    exchanged their operations."""
    replicas = Replicas()
    replicas.insert(0, 0, [b"a", b"b", b"c"])
    replicas.receive(1)
    for region, value in ((0, b"one"), (1, b"two")):
        lists.assign(replicas.spaces[region], KEY, 1, value)
        replicas.seal(region)
    replicas.receive(0)
    replicas.receive(1)
    return replicas


@pytest.mark.rule("LST-7")
def test_both_values_are_kept_and_one_is_shown() -> None:
    replicas = two_that_set_one_element()
    for space in replicas.spaces[:2]:
        value = held(space)
        assert value.values(0, 3) == value.visible() == [b"a", b"one", b"c"]
        assert [sibling[1] for sibling in value.siblings()] == [
            (0, b"a"), (1, b"one"), (1, b"two"), (2, b"c"),
        ]  # fmt: skip
        assert value.at(-2) == b"one"
        assert value.min_dot() == make_origin(1) << SEQ_BITS | 1


def test_state_is_read_back_element_by_element() -> None:
    value = held(two_that_set_one_element().spaces[0])
    copy = List()
    copy.load(value.state())
    assert copy.state() == value.state()
    assert copy.siblings() == value.siblings()
    position = value.positions(0, 1)[0]
    spelled_out = List()
    spelled_out.load((1, position, (make_origin(1) << SEQ_BITS | position[2], 0, b"a", 0)))
    assert spelled_out.state() == (1, position, b"a")  # equal content, equal bytes


@pytest.mark.parametrize(
    "state",
    [
        b"",
        (),
        (1, (1, 2, 3, 4)),
        (1, b"p", b"v"),
        (1, (), b"v"),
        (1, (1, 2, 3), b"v"),
        (1, (1, 2, 3, b"4"), b"v"),
        (1, (1, 2, 3, STEP_MAX + 1), b"v"),
        (1, (1, 0, 3, 4), b"v"),
    ],
)
def test_invalid_list_state_is_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        List().load(state)


def test_merge_keeps_what_either_has_not_seen_removed() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"a", b"b", b"c", b"d"])
    replicas.receive(1)
    here, there = replicas.spaces[0], replicas.spaces[1]
    lists.pop(here, KEY, 0)
    lists.assign(here, KEY, 0, b"B")
    lists.pop(there, KEY, -1)
    lists.push_tail(there, KEY, [b"e"])
    merged = List()
    merged.load(held(here).state())
    merged.merge(held(there), here.vector, there.vector)
    merged.items.check()
    assert merged.visible() == [b"B", b"c", b"e"]
    other_way = List()
    other_way.load(held(there).state())
    other_way.merge(held(here), there.vector, here.vector)
    assert other_way.state() == merged.state()


@pytest.mark.rule("LST-7")
def test_set_element_survives_removal_of_old_value() -> None:
    replicas = two_that_set_one_element()
    replicas.receive(2)
    lists.remove(replicas.spaces[2], KEY, replicas.positions(2))
    replicas.seal(2)
    lists.assign(replicas.spaces[0], KEY, 1, b"again")
    replicas.seal(0)
    for region in (0, 1, 2):
        replicas.receive(region)
        assert held(replicas.spaces[region]).visible() == [b"again"]
    lists.remove(replicas.spaces[0], KEY, [(0, 1, 1, 0)])  # nothing is there
    assert held(replicas.spaces[0]).visible() == [b"again"]
    assert lists.pop(replicas.spaces[0], KEY, -1) == b"again"


def test_delete_leaves_what_it_had_not_seen() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"a"])
    replicas.receive(1)
    lists.push_tail(replicas.spaces[1], KEY, [b"b"])
    replicas.seal(1)
    replicas.spaces[0].delete(KEY)
    replicas.seal(0)
    for region in (0, 1):
        replicas.receive(region)
        assert held(replicas.spaces[region]).visible() == [b"b"]


def test_insertion_into_nothing_and_before_first() -> None:
    db = Keyspace(make_origin(1), BUILT_IN)
    lists.insert(db, KEY, 5, b"b")
    lists.insert(db, KEY, 0, b"a")
    lists.remove(db, KEY, [])
    assert db.seq == 2
    assert held(db).visible() == [b"a", b"b"]


def test_element_is_register_of_list() -> None:
    element = Element()
    element.load((make_origin(1) << SEQ_BITS | 1, 0, b"v", 0))
    assert (element.code(), element.visible()) == (List().code(), b"v")


@pytest.mark.rule("LST-11")
def test_text_typed_backwards_stays_together_too() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"(", b")"])
    for region in (1, 2):
        replicas.receive(region)
        for letter in (b"c", b"b", b"a"):
            assert [len(p) for p in replicas.insert(region, 1, [letter])] == [8]
    for region in (0, 1, 2):
        replicas.receive(region)
    assert b"".join(held(replicas.spaces[0]).values(0, 8)) == b"(abcabc)"


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_list_accepts_inserts_beyond_extreme_positions(index: int) -> None:
    """An insertion beyond the ends would be applied here and refused by all others, for ever."""
    here, there, peer = Replica(1), Replica(3), make_origin(2)
    first, last = (-STEP_MAX, peer, -1, 0), (STEP_MAX, peer, 2, 0)
    effects = (
        (LIST, INSERT, KEY, (), -STEP_MAX, -1, b"first"),
        (LIST, INSERT, KEY, (), STEP_MAX, 1, b"last"),
        (LIST, INSERT, KEY, first, -STEP_MAX, -1, b"under first"),
        (LIST, INSERT, KEY, last, STEP_MAX, 1, b"under last"),
    )
    here.accept(Op.from_bytes(Op(peer, 1, 0, {}, effects).to_bytes()))
    items = here.list(KEY)
    expected = [b"first", b"under first", b"last", b"under last"]
    assert items[:] == expected
    for value in (b"a", b"b", b"c"):
        for place in (index, 0, len(expected) + 2):
            items.insert(place, value)
            expected.insert(place, value)
            here.seal()
    assert items[:] == expected
    assert {len(each) for each in held(here.keyspace).positions(0, 13)} <= {4, 8, 12}
    for op in here.since({}):
        there.accept(Op.from_bytes(op.to_bytes()))
    assert there.list(KEY) == items


def test_list_after_removal_has_one_form() -> None:
    """Only a hostile peer adds a value to an element and then removes that value alone."""
    here, copy, peer = Replica(1), Replica(3), make_origin(2)
    here.list(KEY).append(b"a")
    position = held(here.keyspace).positions(0, 1)[0]
    for seq, effect in (
        (1, (LIST, ASSIGN, KEY, 0, position, b"b")),
        (2, (LIST, REMOVE, KEY, position)),
    ):
        here.accept(Op(peer, seq, 0, {}, (effect,)))
    assert here.list(KEY) == [b"a"]
    copy.merge(here.snapshot())
    assert copy.to_bytes() == here.to_bytes()


def test_positions_of_another_version_are_refused() -> None:
    for read in (
        lambda: List().load((2, "whatever")),
        lambda: BUILT_IN.check_effect((LIST, 16, b"k")),
    ):
        with pytest.raises(DecodeError, match=r"list positions: format version 2; .* version 1"):
            read()
    with pytest.raises(DecodeError, match="type 5 has an unknown operation 3"):
        BUILT_IN.check_effect((LIST, 3, b"k"))
