"""User types in a keyspace: wrapped, checked, contested and collected."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from crdt import DecodeError, Op, Replica
from crdt.causality.dots import SEQ_BITS, SEQ_MAX, make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.types.custom import Custom, Seen, as_sent, plain
from crdt.types.definition import OriginNames
from crdt.types.registry import BUILT_IN
from crdt.types.set import Set
from crdt.wire.codec import pack_body
from tests.crdt import hostile
from tests.crdt.exchange import converge, exchange, held, regions
from tests.crdt.testing.planted import ADD, Blocklist, Cart, Register, Tally


def test_custom_type_travels_like_built_in() -> None:
    here, there = regions(2, types=(Cart,))
    here.value("k", Cart).do(ADD, b"milk")
    exchange(here, there)
    assert there.value("k", Cart).get() == {b"milk"}
    here.value("k", Cart).do(ADD, b"eggs")
    there.merge(here.snapshot())
    assert there.value("k", Cart).get() == {b"milk", b"eggs"}
    assert here.to_bytes() == there.to_bytes()
    assert here.digest() == there.digest()


def test_unknown_custom_type_is_refused() -> None:
    here, there = Replica(1, types=(Cart,)), Replica(2)
    here.value("k", Cart).do(ADD, b"milk")
    (op,) = here.since({})
    with pytest.raises(DecodeError, match="knows no type 128"):
        there.accept(Op.from_bytes(op.to_bytes()))
    with pytest.raises(DecodeError, match="unknown type 128"):
        there.merge(here.snapshot())
    assert there.vector == {}


def test_type_may_check_what_it_is_given() -> None:
    here, there = Replica(1, types=(Cart, Tally)), Replica(2, types=(Cart, Tally))
    here.keyspace.vector[here.origin] = 1
    with pytest.raises(DecodeError, match="no effect of a cart"):
        there.accept(Op(here.origin, 1, 0, {}, ((128, 5, b"k", b"x"),)))
    there.accept(Op(here.origin, 1, 0, {}, ((130, 0, b"k", 5),)))
    assert there.value("k", Tally).get() == 5


def test_state_that_it_cannot_read_is_refused() -> None:
    with pytest.raises(DecodeError, match="no state of a Cart"):
        Custom(Cart).load(((1, 2, 3),))
    for state in (7, ((1, b"five"),), ((1.5, 5),), ((1, 5), (b"x", 5))):
        with pytest.raises(DecodeError, match="no state of a Tally"):
            Custom(Tally).load(state)


def test_type_that_checks_nothing_is_tried_out() -> None:
    here = Replica(1, types=(Tally,))
    here.value("k", Tally).do(ADD, 5)
    state = here.to_bytes()
    for effect in ((130, 0, b"k"), (130, 0, b"k", b"text"), (130, 0, b"k", None)):
        op = Op(make_origin(2), 1, 0, {}, ((130, 0, b"l", 1), effect))
        with pytest.raises(DecodeError, match="no effect of a Tally"):
            here.accept(op)
        assert here.to_bytes() == state


class Careless(Tally):
    """A type whose errors have their own texts."""

    def check(self, effect: tuple[Any, ...]) -> None:
        if effect[1] < 0:
            raise RuntimeError("less than nothing")


@pytest.mark.parametrize("payload", [(), (b"text",), (-1,)])
def test_error_of_check_is_wrapped(payload: tuple[Any, ...]) -> None:
    here = Replica(1, types=(Careless,))
    with pytest.raises(DecodeError, match="no effect of a Careless"):
        here.accept(Op(make_origin(2), 1, 0, {}, ((130, 0, b"k", *payload),)))
    with pytest.raises(ValueError, match="operation 0"):
        here.value("k", Careless).do(0, *payload)
    assert here.vector == {}


class Anything(Register):
    """A type that accepts any effect."""

    code = 142

    def apply(self, effect: tuple[Any, ...], dot: int, observed: Observed) -> None:
        self.writes = {dot: (1, effect[1:])}  # pyright: ignore[reportAttributeAccessIssue]


def nested(depth: int) -> tuple[Any, ...]:
    """Return an empty tuple in so many tuples."""
    return (nested(depth - 1),) if depth else ()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x81\x01\x02",  # a mapping
        b"\xd6\xff\0\0\0\1",  # a time
        b"\xd8\1" + b"\1" * 16,  # an integer of more than 64 bits
        b"\x91" * 64 + b"\x90",
        b"\x91" * 900 + b"\x90",
    ],
)
def test_payloads_that_come_are_plain(raw: bytes) -> None:
    """Mappings have no single order, and deeply nested payloads may overflow the stack of a
    reader."""
    here = Replica(1, types=(Anything,))
    body = pack_body((2, make_origin(2), 1, 0, 0, (), ((142, 0, b"k", b"?"),))).replace(
        b"\xa1?", raw
    )
    op = Op.from_bytes(b"\1" + zlib.crc32(body).to_bytes(4, "big") + body)
    with pytest.raises(DecodeError, match="not nested too deep"):
        here.accept(op)
    assert here.vector == {}


def test_payloads_that_are_made_are_plain() -> None:
    here = Replica(1, types=(Anything,))
    for item in ({1: 2}, nested(64)):
        with pytest.raises(ValueError, match="cannot be sent"):
            here.value("k", Anything).do(0, item)
    assert here.vector == {}
    here.value("k", Anything).do(0, nested(62), None, True, 1.5, "text")
    assert here.value("k", Anything).get()[1:] == (None, True, 1.5, b"text")


def test_custom_type_may_meet_another_type() -> None:
    here, there = regions(2, types=(Cart, Blocklist))
    here.set("k").add("a")
    there.value("k", Cart).do(ADD, b"milk")
    here.value("l", Blocklist).do(ADD, b"milk")
    there.set("l").add("a")
    exchange(here, there)
    assert here.value("k", Cart).get() == there.value("k", Cart).get() == {b"milk"}
    assert here.value("l", Blocklist).get() == {b"milk"}, "its dots tell that it is of region 1"
    here.value("k", Cart).delete()
    exchange(here, there)
    assert there.keyspace.lookup(b"k") is None


def test_custom_type_may_have_tombstones() -> None:
    here, there = regions(2, types=(Blocklist,))
    here.value("k", Blocklist).do(1, b"milk")
    assert b"k" in here.keyspace.tombstones
    converge(here, there)
    assert not here.keyspace.tombstones
    assert not there.keyspace.garbage


def test_minimal_type_is_enough() -> None:
    replica = Replica(1, types=(Register,))
    replica.value("k", Register).do(0, 5, b"a")
    value = held(replica)
    assert isinstance(value, Custom)
    assert value.code() == 129
    assert value.min_dot() == 0
    assert value.visible() == b"a"
    assert not value.has_garbage()
    assert not value.collect({})
    assert not value.is_empty()
    assert value.siblings() == []
    Custom(Register).check((129, 0, b"k", 5, b"a"))


def test_our_own_types_need_no_wrapper() -> None:
    types = BUILT_IN.with_types([Set, Cart])
    assert types.makers[2] is Set
    assert isinstance(types.makers[Cart.code](), Custom)


@pytest.mark.parametrize("code", [127, 256, "128", None])
def test_codes_of_ones_own_are_apart_from_ours(code: Any) -> None:
    other = type("Other", (Cart,), {"code": code})
    with pytest.raises(ValueError, match=r"128\.\.255, .* below 128 belong"):
        Replica(1, types=(other,))


def test_class_without_code_is_not_type() -> None:
    plain: Any = int
    with pytest.raises(ValueError, match=r"128\.\.255, not None"):
        Replica(1, types=(plain,))


def test_no_two_types_have_one_code() -> None:
    other = type("Other", (Cart,), {})
    with pytest.raises(ValueError, match="two types have the code 128"):
        Replica(1, types=(Cart, other))


def test_value_has_one_plain_form() -> None:
    assert plain({"b", "a"}) == ["a", "b"]
    assert plain({2: {"x"}, 1: (3,)}) == [[1, [3]], [2, ["x"]]]
    assert plain([1.5, None, True, b"x"]) == [1.5, None, True, b"x"]
    assert plain(3 + 4j) == "(3+4j)"
    assert plain({1 << 64, 5}) == [5, "18446744073709551616"]


def test_custom_effect_arrives_as_sent() -> None:
    assert as_sent(3, ("text", [1, (2,)], b"x")) == (b"text", (1, (2,)), b"x")


def test_merge_receives_both_vectors() -> None:
    seen = Seen({2: 5})
    assert seen.covers(make_dot(2, 5))
    assert not seen.covers(make_dot(2, 6))


@pytest.mark.parametrize("make", [Blocklist, Cart, Register, Tally])
def test_spoiled_state_is_refused_or_works(make: type[Any]) -> None:
    """A state that `load` accepts must not fail later, during a merge or a snapshot."""
    rng = random.Random(make.__name__)
    replica = Replica(1, types=(make,))
    payloads: dict[str, tuple[Any, ...]] = {"Tally": (5,), "Register": (5, b"a")}
    payload = payloads.get(make.__name__, (b"milk",))
    replica.value("k", make).do(ADD, *payload)
    replica.value("k", make).do(ADD, *payload)
    good = held(replica).state()
    outcomes = {False: 0, True: 0}
    for _ in range(300):
        value, other = Custom(make), Custom(make)
        try:
            value.load(hostile.spoil(rng, good))
        except DecodeError:
            outcomes[False] += 1
            continue
        outcomes[True] += 1
        other.load(good)
        other.merge(value, {}, {make_origin(1): 1})
        value.merge(other, {make_origin(1): 1}, {})
        for each in (value, other):
            each.remove(Observed({}, make_origin(2), 5, 0), None)
            assert isinstance(each.is_live(), bool)
            pack_body([each.visible(), each.state()])
    assert all(outcomes.values())


class Visits:
    """The origins that have visited, and the last dot of each. It can be renamed."""

    code = 130

    def __init__(self) -> None:
        self.last: dict[int, int] = {}

    def apply(self, effect: tuple[Any, ...], dot: int, observed: Observed) -> None:
        """Record a visit of the origin that the effect names."""
        self.last[effect[1]] = dot

    def remove(self, observed: Observed) -> None:
        """Forget the visits that were observed."""
        self.last = {o: dot for o, dot in self.last.items() if not observed.covers(dot)}

    def merge(self, other: Visits, mine: Seen, theirs: Seen) -> None:
        """Merge another copy."""
        self.last |= other.last

    def value(self) -> list[int]:
        """Return the origins."""
        return sorted(self.last)

    def is_live(self) -> bool:
        """Return whether there is a visit."""
        return bool(self.last)

    def state(self) -> Any:
        """Return all of it."""
        return tuple(sorted(self.last.items()))

    def load(self, state: Any) -> None:
        """Restore what `state` returned."""
        self.last = dict(state)

    def rename_origins(self, names: OriginNames) -> None:
        """Rename all origins."""
        self.last = {names.origin(o): names.dot(dot) for o, dot in self.last.items()}

    def rename_effect(self, effect: tuple[Any, ...], names: OriginNames) -> tuple[Any, ...]:
        """Rename the origin of a visit."""
        return (effect[0], names.origin(effect[1]))


class Shifted:
    """Names that belong to the next region."""

    def origin(self, origin: int) -> int:
        """Return the new name of an origin."""
        return origin + make_origin(2) - make_origin(1)

    def dot(self, dot: int) -> int:
        """Return the new name of a dot."""
        return make_dot(self.origin(dot >> SEQ_BITS), dot & SEQ_MAX)


def test_definition_renames_origins_of_type() -> None:
    replica = Replica(1, types=(Visits, Cart))
    replica.value("k", Visits).do(0, replica.origin)
    value = held(replica)
    definition = replica.keyspace.types.definition(value)
    assert definition.name == "Visits"
    assert definition.rename_effect is not None
    assert definition.rename_origins is not None
    effect = (130, 0, b"k", make_origin(1))
    assert definition.rename_effect(effect, Shifted()) == (130, 0, b"k", make_origin(2))
    definition.rename_origins(value, Shifted())
    assert value.visible() == [make_origin(2)]
    assert value.state() == ((make_origin(2), make_dot(make_origin(2), 1)),)
    assert replica.keyspace.types.by_code[Cart.code].rename_origins is None
