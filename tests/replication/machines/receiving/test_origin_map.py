"""The origin map: the visible data stays the same, by op and by snapshot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import make_dot, make_origin, region_of
from crdt.causality.effect import Effect
from crdt.causality.op import Op
from crdt.causality.schema import is_bytes, is_dot
from crdt.embed.replica import Outcome, Replica
from crdt.errors import DecodeError
from crdt.types.definition import Operation, OriginNames, TypeDefinition, holds_origins
from crdt.types.multi_value import MultiValue
from crdt.types.registry import BUILT_IN
from crdt.writes import hash as hashes
from crdt.writes import list as lists
from crdt.writes import sorted_set as zsets
from crdt.writes import string as strings
from replication.follow.follower import MappedApplier
from replication.machines.receiving.applier import LocalApplier
from replication.machines.receiving.origin_map import OriginMap, blocks
from tests.replication.ends import replica, write

HIGH = OriginMap([10, 20, 30])
KEYS = [b"k", b"l"]


def act(here: Replica, kind: int, key: bytes, number: int) -> None:
    """Make one write of some type. All types share the same keys."""
    db = here.keyspace
    held = db.lookup_for_write(key)
    code = 0 if held is None else held.code()
    name = key.decode()
    if kind == 0 or code == 0:
        make_value(here, name, number, code)
    elif kind == 1:
        db.delete(key)
    elif kind == 2:
        db.expire(key, (1 << 45) + number)
    elif code == 1:
        strings.assign(db, key, b"7", number % 2 == 0)
        strings.increment(db, key, number)
    elif code == 3:
        hashes.increment(db, key, b"n", number)
        if number % 2:
            hashes.assign(db, key, [b"n", b"3"])
        else:
            hashes.remove(db, key, [b"n", b"f"])
    elif code == 4:
        zsets.increment(db, key, b"m", float(number))
        if number % 3 == 0:
            zsets.assign(db, key, [b"m", 2.0])
        elif number % 3 == 1:
            zsets.remove(db, key, [b"m"])
    elif code == 11:
        change_stream(here.stream(name), number)
    elif code == 12:
        here.hyperloglog(name).add(f"{number}")
    elif code == 13:
        change_document(here.json(name), number)
    else:
        lists.insert(db, key, 1, b"%d" % number)
        lists.assign(db, key, 0, b"x")
        if number % 2:
            lists.pop(db, key, 0)


def make_value(here: Replica, name: str, number: int, code: int) -> None:
    """Replace the value of a key, or set a string."""
    db, key = here.keyspace, name.encode()
    if number % 8 or code not in {0, 1}:
        db.delete(key)
    match number % 8:
        case 0:
            here.string(name).set(f"v{number}")
        case 1:
            hashes.assign(db, key, [b"f", b"1"])
        case 2:
            zsets.assign(db, key, [b"m", 1.0])
        case 3:
            lists.push_tail(db, key, [b"a", b"b", b"c"])
        case 4:
            here.stream(name).group("g").create("0")
            here.stream(name).append(f="v")
        case 5:
            here.json(name).set({"n": 1, "l": [{"x": 1}, [1, 2]]})
        case 6:
            here.hyperloglog(name).add(f"{number}")
        case _:
            here.counter(name).increment(number)


def change_stream(stream: Any, number: int) -> None:
    """Add, remove or acknowledge an entry."""
    stream.append(n=f"{number}")
    group = stream.group("g")
    if group.exists and number % 2:
        group.acknowledge(*[index for index, _ in group.read("c", 2)])
    elif number % 3 == 0:
        del stream[next(iter(stream))[0]]


def change_document(document: Any, number: int) -> None:
    """Change something inside an element of an array, if it is there, or the array."""
    array = document["l"]
    first = array[0]
    if number % 3 == 0 and first.get("x") is not None:
        first["x"].increment(number)
    elif number % 3 == 1:
        array.insert(0, {"x": number})
    elif len(array) > 1:
        array.pop(-1)


steps = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from(KEYS), st.integers(0, 30)),
    max_size=25,
)


def written(
    plan: list[tuple[int, int, bytes, int]], *, history_bytes: int = 1 << 20
) -> tuple[Replica, Replica]:
    """Return two regions after concurrent writes, between which they exchanged operations now and
    then."""
    regions = (replica(1, history_bytes=history_bytes), replica(2, history_bytes=history_bytes))
    for turn, (place, kind, key, number) in enumerate(plan):
        here, there = regions[place], regions[1 - place]
        act(here, kind, key, number)
        if turn % 4 == 3:
            for op in here.since(there.vector):
                there.accept(op)
    for here, there in (regions, regions[::-1]):
        for op in here.since(there.vector):
            there.accept(op)
    return regions


A, B = make_origin(1), make_origin(2, 3)
X, Y = make_origin(10), make_origin(20, 3)
A_0, A_7, B_0 = make_dot(A, 0), make_dot(A, 7), make_dot(B, 0)
X_0, X_7, Y_0 = make_dot(X, 0), make_dot(X, 7), make_dot(Y, 0)
SHARES_AB, SHARES_XY = (A, 1, 2, 3.5, B, 1, 1, 7), (X, 1, 2, 3.5, Y, 1, 1, 7)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ((0, 0, b"k", ()), (0, 0, b"k", ())),
        ((0, 0, b"k", (1, SHARES_AB)), (0, 0, b"k", (1, SHARES_XY))),
        ((0, 0, b"k", (3, (b"f", SHARES_AB))), (0, 0, b"k", (3, (b"f", SHARES_XY)))),
        ((0, 1, b"k", A), (0, 1, b"k", A)),
        ((1, 0, b"k", A, b"v"), (1, 0, b"k", A, b"v")),
        ((1, 4, b"k", A, B, b"v"), (1, 4, b"k", A, B, b"v")),
        ((1, 1, b"k", A, b"v", SHARES_AB), (1, 1, b"k", A, b"v", SHARES_XY)),
        ((3, 1, b"k", A, b"f", b"v", SHARES_AB), (3, 1, b"k", A, b"f", b"v", SHARES_XY)),
        ((3, 4, b"k", b"f", SHARES_AB), (3, 4, b"k", b"f", SHARES_XY)),
        ((4, 1, b"k", A, b"f", 1, SHARES_AB), (4, 1, b"k", A, b"f", 1, SHARES_XY)),
        ((4, 4, b"k", b"f", SHARES_AB), (4, 4, b"k", b"f", SHARES_XY)),
        ((5, 16, b"k", (), A, 1, b"v"), (5, 16, b"k", (), A, 1, b"v")),
        ((5, 16, b"k", (0, A_7), 0, 1, b"v"), (5, 16, b"k", (0, X_7), 0, 1, b"v")),
        ((5, 16, b"k", (A, A_7, A_7), 1, 1, b"v"), (5, 16, b"k", (A, X_7, A_7), 1, 1, b"v")),
        ((5, 17, b"k", A, (A, A_0, A_7), b"v"), (5, 17, b"k", A, (A, X_0, A_7), b"v")),
        (
            (5, 18, b"k", (0, A_0, A_7), (0, B_0, A_7, 1, 2)),
            (5, 18, b"k", (0, X_0, A_7), (0, Y_0, A_7, 1, 2)),
        ),
        ((11, 0, b"k", A, A, 1, b"f", b"v"), (11, 0, b"k", A, A, 1, b"f", b"v")),
        ((11, 6, b"k", b"g", A_7, A, 1), (11, 6, b"k", b"g", X_7, A, 1)),
    ],
)
def test_only_origins_are_mapped(there: Effect, here: Effect) -> None:
    assert HIGH.effect(there) == here


def test_every_kind_of_server_is_known() -> None:
    definitions = BUILT_IN.by_code.values()
    of_redis = {*range(1, 6), 11, 12, 13}
    assert {each.code for each in definitions if each.rename_origins is not None} == of_redis
    itself = {each.code for each in definitions if each.rename_effect is not None}
    assert itself == {13}, "whose addresses hold dots at any depth"
    kinds = {kind for kind in BUILT_IN.shapes if kind[0] in {0, *of_redis} - itself}
    by_code = {0: (1, 2, 3, 4), 1: (2, 3, 4), 2: (0, 1), 3: (0, 2, 3, 5), 4: (0, 2, 3)}
    by_code |= {11: (0, 1, 2, 3, 4, 5), 12: (0,)}
    plain = {(code, each) for code, several in by_code.items() for each in several}
    assert {kind for kind in kinds if not holds_origins(BUILT_IN.shapes[kind])} == plain


def copy(source: Replica, applier: MappedApplier) -> None:
    """Merge the whole state of `source`."""
    incoming = applier.incoming()
    for piece in source.snapshot():
        incoming.feed(piece)
    applier.merge(incoming)


@given(steps)
def test_renamed_ops_mean_same(plan: list[tuple[int, int, bytes, int]]) -> None:
    here, _ = written(plan)
    follower = Replica(255)
    applier = MappedApplier(follower, HIGH)
    for op in here.since({}):
        assert applier.accept(op.to_bytes()) is Outcome.APPLIED
    assert follower.digest() == here.digest()
    assert applier.vector() == applier.held() == here.vector
    assert {region_of(origin) for origin in follower.vector} <= {10, 20}


@given(steps)
def test_renamed_snapshots_mean_same(plan: list[tuple[int, int, bytes, int]]) -> None:
    here, there = written(plan)
    follower = Replica(255)
    applier = MappedApplier(follower, HIGH)
    copy(here, applier)
    assert follower.digest() == here.digest()
    assert applier.vector() == here.vector
    # later writes find the dots that they observed
    for key in KEYS:
        there.keyspace.delete(key)
    act(there, 0, b"k", 3)
    act(there, 4, b"k", 3)
    for op in there.since(applier.vector()):
        here.accept(op)
        applier.accept(op.to_bytes())
    assert follower.digest() == here.digest()


@given(
    st.dictionaries(
        st.builds(make_origin, st.integers(1, 3), st.integers(0, 9)), st.integers(0, 99)
    )
)
def test_names_go_both_ways(vector: dict[int, int]) -> None:
    renamed = HIGH.vector(vector)
    assert HIGH.back(renamed) == vector
    assert sorted(map(HIGH.origin, vector)) == [HIGH.origin(o) for o in sorted(vector)]
    assert HIGH.back({make_origin(11): 1}) == {}


def test_dots_keep_their_numbers() -> None:
    assert HIGH.dot(make_dot(make_origin(2, 5), 77)) == make_dot(make_origin(20, 5), 77)
    assert HIGH.dot(0) == 0


def test_types_that_know_their_dots_alone_are_not_renamed() -> None:
    op = Op(make_origin(1), 1, 0, {}, ((6, 0, b"k", b"v"),))
    with pytest.raises(DecodeError, match="type 6 cannot be followed under other names"):
        HIGH.op(op)
    with pytest.raises(DecodeError, match="MultiValue cannot be followed under other names"):
        HIGH.value(MultiValue())
    assert OriginMap([1, 2, 3]).op(op) is op


def test_type_that_renames_its_effects_is_followed() -> None:
    def rename(effect: Effect, names: OriginNames) -> Effect:
        return (*effect[:3], names.origin(effect[3]))

    made = TypeDefinition(
        "named",
        200,
        MultiValue,
        check_effect=lambda effect: None,
        rename_origins=lambda value, names: None,
        rename_effect=rename,
    )
    renaming = OriginMap([10, 20, 30], BUILT_IN.with_types([made]))
    assert renaming.effect((200, 0, b"k", A)) == (200, 0, b"k", X)


def test_effect_of_wrong_form_is_not_renamed() -> None:
    with pytest.raises(DecodeError, match="type 5, operation 18: item 3 is of the wrong form"):
        HIGH.effect((5, 18, b"k", 5))


def test_identity_map_copies_nothing() -> None:
    here = replica(1)
    write(here, 2)
    follower = Replica(255)
    applier = MappedApplier(follower, blocks(255, 1)[0])
    assert applier.origin_map.identical
    copy(here, applier)
    assert follower.vector == here.vector
    assert follower.to_bytes() == here.to_bytes()


def test_region_beyond_block_is_refused() -> None:
    with pytest.raises(DecodeError, match="region 4 of a source: there is room for 3 regions"):
        HIGH.origin(make_origin(4))
    assert HIGH.back({}) == {}


@given(st.integers(1, 255), st.integers(1, 32))
def test_blocks_do_not_meet(own: int, count: int) -> None:
    numbers = [number for block in blocks(own, count) for number in block.numbers]
    assert len(numbers) == len(set(numbers)) == 254 // count * count
    assert own not in numbers


def test_follower_effects_stay_local() -> None:
    applier = MappedApplier(Replica(1), HIGH)
    assert applier.lost({make_origin(1): 5}) == 0
    assert isinstance(applier, LocalApplier)


def test_contested_key_keeps_all_its_types() -> None:
    one, two = replica(1), replica(2)
    one.string("k").set("v")
    two.set("k").add("x")
    for op in two.since({}):
        one.accept(op)
    follower = Replica(255)
    applier = MappedApplier(follower, HIGH)
    copy(one, applier)
    assert follower.digest() == one.digest()
    assert follower.keyspace.data[b"k"].state() != one.keyspace.data[b"k"].state()


def test_concurrent_writes_keep_mapped_origins() -> None:
    one, two = replica(1), replica(2)
    for region in (one, two):
        region.string("s").set("v")
        region.set("t").add("x")
    for op in two.since({}):
        one.accept(op)
    follower = Replica(255)
    applier = MappedApplier(follower, HIGH)
    copy(one, applier)
    value = follower.keyspace.data[b"s"]
    assert [region_of(dot >> 40) for dot, _ in value.siblings()] == [10, 20]
    two.set("t").remove("x")
    for op in two.since(one.vector):
        one.accept(op)
        applier.accept(op.to_bytes())
    assert follower.set("t") == one.set("t") == {"x"}


def test_dots_in_effects_are_renamed() -> None:
    marker = TypeDefinition(
        name="marker",
        code=100,
        make=MultiValue,
        operations=(Operation("mark", (is_bytes,), repeated=(is_dot,)),),
        rename_origins=lambda value, names: None,
    )
    names = OriginMap([10, 20, 30], BUILT_IN.with_types([marker]))
    one, two = make_dot(make_origin(1, 4), 5), make_dot(make_origin(2), 7)
    effect = names.effect((100, 0, b"k", b"text", one, two))
    there = make_dot(make_origin(10, 4), 5), make_dot(make_origin(20), 7)
    assert effect == (100, 0, b"k", b"text", *there)
    for item in (0, -1, b"", None):
        with pytest.raises(DecodeError, match="item 4 is of the wrong form"):
            names.effect((100, 0, b"k", b"text", item))
