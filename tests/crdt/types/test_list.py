"""Lists: the positions of elements that several regions insert, and how elements that were set are
kept.

Rules LST-2 and LST-11. Two elements never share a position. An element lands between the neighbours
that its region saw. Elements stay together if a region inserts them with one command, or one after
another at one place. A queue with many pushes and pops leaves nothing behind.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt import Replica
from crdt.causality.dots import SEQ_BITS, make_origin
from crdt.causality.observed import Observed
from crdt.causality.op import Op
from crdt.causality.schema import KEY_MAX, STEP_MAX
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.structures.runs import INDEX_BITS
from crdt.types.components.list_elements import LIST, REMOVE, Element, Position
from crdt.types.list import ASSIGN, INSERT, List
from crdt.types.registry import BUILT_IN
from crdt.writes import list as lists
from tests.crdt.list_replicas import KEY, REGIONS, Replicas

TOP = make_origin(1) << SEQ_BITS
KEY_1 = 1 << INDEX_BITS
"""The run of the top level of region 1, and the key of the only element of its first effect."""


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
def test_queue_leaves_nothing_behind(history: list[tuple[int, str, bool]]) -> None:
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
        value = space.remains(KEY, LIST)
        assert value is None or (isinstance(value, List) and value.tree is None)
        assert (value is None) == (replicas.size(region) == 0)


def test_text_typed_in_middle_is_one_run() -> None:
    replicas = Replicas()
    replicas.insert(0, 0, [b"(", b")"])
    replicas.receive(1)
    typed = replicas.insert(1, 1, [b"x"] * 100)
    assert len({position[:2] for position in typed}) == 1


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
    k, dot, key = value.positions(0, 1)[0]
    spelled_out = List()
    element = (dot | key >> INDEX_BITS, 0, b"a", 0)
    spelled_out.load((2, (), k, dot, (key,), (element,)))
    assert spelled_out.state() == (2, (), k, dot, (key,), (b"a",))  # equal content, equal bytes


@pytest.mark.parametrize(
    "state",
    [
        b"",
        (),
        (2,),
        (2, 7),
        (2, (), 0, TOP, (KEY_1,)),
        (2, (), STEP_MAX + 1, TOP, (KEY_1,), (b"v",)),
        (2, (), 0, b"", (KEY_1,), (b"v",)),
        (2, (), 0, 7, (KEY_1,), (b"v",)),  # no origin
        (2, (), 0, TOP + 1, (KEY_1,), (b"v",)),  # a run in the middle that is not listed
        (2, (), 0, TOP, b"k", (b"v",)),
        (2, (), 0, TOP, (KEY_1,), b"v"),
        (2, (), 0, TOP, (), ()),
        (2, (), 0, TOP, (KEY_1,), (b"v", b"w")),
        (2, (), 0, TOP, (KEY_1, 0), (b"v", b"w")),  # twice the same
        (2, (), 0, TOP, (KEY_1, -1), (b"v", b"w")),
        (2, (), 0, TOP, (KEY_MAX, 1), (b"v", b"w")),
        (2, (), 0, TOP, (KEY_MAX + 1,), (b"v",)),
        (2, (), 0, TOP, (1,), (b"v",)),  # no effect has the sequence number 0
        (2, (), 0, TOP, (KEY_1,), (7,)),
        (2, (), 1, TOP, (KEY_1,), (b"v",), 0, TOP, (KEY_1,), (b"w",)),
        (2, (), 0, TOP, (KEY_1,), (b"v",), 0, TOP, (KEY_1,), (b"w",)),
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
    lists.remove_range(replicas.spaces[2], KEY, 0, 3)
    replicas.seal(2)
    lists.assign(replicas.spaces[0], KEY, 1, b"again")
    replicas.seal(0)
    for region in (0, 1, 2):
        replicas.receive(region)
        assert held(replicas.spaces[region]).visible() == [b"again"]
    lists.remove(replicas.spaces[0], KEY, [(0, TOP, 99 * KEY_1)])  # nothing is there
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


@pytest.mark.parametrize("is_remote", [False, True])
def test_delete_of_long_list_leaves_its_blocks_to_be_freed(is_remote: bool) -> None:
    value = List(2, 2)
    for seq in range(1, 8):
        value.insert((LIST, INSERT, KEY, (), 0, 1, b"v"), TOP | seq)
    observed = Observed({}, make_origin(1), 9, 0)
    observed.is_local = not is_remote
    value.remove(observed, None)
    assert value.is_empty()
    dropped = value.take_dropped()
    assert dropped is not None
    assert dropped.size == 7
    assert value.take_dropped() is None
    value.insert((LIST, INSERT, KEY, (), 0, 1, b"v"), TOP | 10)
    value.remove(observed, None)
    assert value.take_dropped() is None
    assert value.length() == is_remote


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
            replicas.insert(region, 1, [letter])
    for region in (0, 1, 2):
        replicas.receive(region)
    assert b"".join(held(replicas.spaces[0]).values(0, 8)) == b"(abcabc)"


@pytest.mark.parametrize("index", [0, 1, 2, 3])
def test_list_accepts_inserts_beyond_extreme_positions(index: int) -> None:
    """An insertion beyond the ends would be applied here and refused by all others, for ever."""
    here, there, peer = Replica(1), Replica(3), make_origin(2)
    first = (-STEP_MAX, peer << SEQ_BITS, -KEY_1)
    last = (STEP_MAX, peer << SEQ_BITS, 2 * KEY_1)
    effects = (
        (LIST, INSERT, KEY, (), -STEP_MAX, -1, b"first"),
        (LIST, INSERT, KEY, (), STEP_MAX, 1, b"last"),
        (LIST, INSERT, KEY, first, -STEP_MAX, -1, b"under first"),
        (LIST, INSERT, KEY, last, STEP_MAX, 1, b"under last"),
    )
    here.accept(Op.from_bytes(Op(peer, 1, 0, {}, effects).to_bytes()))
    items = here.list(KEY)
    expected = [b"under first", b"first", b"last", b"under last"]
    assert items[:] == expected
    for value in (b"a", b"b", b"c"):
        for place in (index, 0, len(expected) + 2):
            items.insert(place, value)
            expected.insert(place, value)
            here.seal()
    assert items[:] == expected
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
        lambda: List().load((1, "whatever")),
        lambda: BUILT_IN.check_effect((LIST, 0, b"k")),
    ):
        with pytest.raises(DecodeError, match=r"list positions: format version 1; .* version 2"):
            read()
    with pytest.raises(DecodeError, match="type 5 has an unknown operation 19"):
        BUILT_IN.check_effect((LIST, 19, b"k"))
