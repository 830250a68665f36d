"""Operations as bytes: canonical, and checked when they are read."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import CRDTError, DecodeError, Op, Replica, make_origin
from crdt.causality import op_pieces
from crdt.causality.dots import ORIGINS_MAX, SEQ_MAX
from crdt.causality.effect import LARGE_BYTES, large_bytes
from crdt.causality.op import MANY_EFFECTS, VERSION, read_vector, write_vector
from crdt.causality.op_pieces import OpPieces
from crdt.store.keyspace import RECENT_EFFECTS
from crdt.wire import codec
from tests.crdt import hostile

SAMPLE = Op(make_origin(2), 5, 1000, {make_origin(3): 7, make_origin(1): 2}, ((2, 0, b"k", b"a"),))


def test_operation_comes_back() -> None:
    op = Op.from_bytes(SAMPLE.to_bytes())
    assert (op.origin, op.first, op.last, op.base) == (make_origin(2), 5, 5, 1000)
    assert op.deps == SAMPLE.deps
    assert op.effects == SAMPLE.effects
    assert op == SAMPLE
    assert hash(op) == hash(SAMPLE)
    assert op != "an operation"
    assert repr(op) == f"<Op {make_origin(2)}:5..5>"


def test_equal_operations_have_equal_bytes() -> None:
    turned = dict(reversed(SAMPLE.deps.items()))
    again = Op(SAMPLE.origin, 5, 1000, turned, SAMPLE.effects)
    assert again.to_bytes() == SAMPLE.to_bytes()
    assert SAMPLE.to_bytes() is SAMPLE.to_bytes()


def test_single_write_takes_few_bytes() -> None:
    replica = Replica(1)
    replica.advance(1_790_000_000_000)
    replica.set("basket").add("milk")
    (op,) = replica.since({})
    assert len(op.to_bytes()) <= 40


WRONG: list[Any] = [
    (),
    (2, 16384, 1, 0, 0, (), ()),
    (2, 16384, 1, 0, 0, (), b""),
    (2, 0, 1, 0, 0, (), ((0, 2, b""),)),
    (2, 1 << 22, 1, 0, 0, (), ((0, 2, b""),)),
    (2, 16384, 0, 0, 0, (), ((0, 2, b""),)),
    (2, 16384, SEQ_MAX, 0, 0, (), ((0, 2, b""),)),
    (2, 16384, 1, 0, 1 << 60, (), ((0, 2, b""),)),
    (2, 16384, 1, 0, 0, (1,), ((0, 2, b""),)),
    (2, 16384, 1, 0, 0, (1, -1), ((0, 2, b""),)),
    (2, 16384, 1, 0, 0, (5, 1, 5, 2), ((0, 2, b""),)),
    (2, 16384, 1, 0, 0, (0, 1), ((0, 2, b""),)),
    (2, 16384, 1, 0, 0, (), ((0, 9, b""),)),
    (2, 16384, 1, 0, 0, (), ((0, 2, b""),), 0),
]


@pytest.mark.parametrize("items", WRONG, ids=repr)
def test_invalid_op_is_refused(items: object) -> None:
    with pytest.raises(DecodeError):
        Op.from_bytes(codec.pack(items))


@pytest.mark.parametrize(
    ("version", "reason"),
    [(1, "format version 1; .* reads version 2"), (b"2", "no format version; .* version 2")],
)
def test_another_version_is_refused_by_its_number(version: object, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"an operation: {reason}"):
        Op.from_bytes(codec.pack((version, "whatever that holds")))


@pytest.mark.parametrize("count", [1, MANY_EFFECTS - 1, MANY_EFFECTS, 300])
def test_operations_of_any_length_have_one_form(count: int) -> None:
    effects = tuple([(1, 0, b"key", index, b"value") for index in range(count)])
    one, two, three = make_origin(1), make_origin(2), make_origin(3)
    op = Op(one, 7, 1700000000123, {three: 9, two: 5}, effects, 0xABCDEF)
    head = (VERSION, one, 7, 0xABCDEF, 1700000000123, (two, 5, three, 9))
    assert op.to_bytes() == codec.pack((*head, effects))


@given(st.integers(0, 8 * len(SAMPLE.to_bytes()) - 1))
def test_flipped_bit_is_noticed(bit: int) -> None:
    data = bytearray(SAMPLE.to_bytes())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        Op.from_bytes(bytes(data))


@given(st.dictionaries(st.integers(1, 100), st.integers(0, SEQ_MAX)))
def test_vector_comes_back(vector: dict[int, int]) -> None:
    flat = write_vector(vector)
    assert read_vector(flat) == vector
    assert flat == write_vector(dict(reversed(vector.items())))


@pytest.mark.parametrize("flat", [(2, 1, 1, 1), (1, 1, 1, 1), (1, 1, 2, 1, 2, 2)])
def test_vector_has_one_form(flat: tuple[int, ...]) -> None:
    with pytest.raises(DecodeError, match="each once and in order"):
        read_vector(flat)


def test_vector_of_too_many_origins_is_refused() -> None:
    flat = tuple(item for origin in range(1, ORIGINS_MAX + 2) for item in (origin, 1))
    assert len(read_vector(flat[2:])) == ORIGINS_MAX
    with pytest.raises(DecodeError, match="more than"):
        read_vector(flat)


def test_large_operation_is_divided_between_effects() -> None:
    effects = tuple((1, 0, b"%d" % index, 0, bytes(100 * index)) for index in range(1, 8))
    whole = Op(make_origin(2), 5, 1000, {make_origin(3): 7}, effects)
    parts = whole.divided(600)
    assert [(part.first, part.last) for part in parts] == [
        (5, 6),
        (7, 7),
        (8, 8),
        (9, 9),
        (10, 10),
        (11, 11),
    ]
    assert [part.deps for part in parts] == [whole.deps] + [{}] * 5
    assert sum((part.effects for part in parts), ()) == effects
    assert whole.divided(1 << 20) == [whole]
    assert [part.last for part in whole.divided(0)] == list(range(5, 12))


@pytest.mark.parametrize("packed", [(1,), (4,), (9,), (2, 3), (1, 1, 2, 1)])
def test_op_counts_the_bytes_that_its_effects_count(packed: tuple[int, ...]) -> None:
    replica = Replica(1)
    for number in range(6):
        names = [f"{number} {index}" for index in range(300 + number)]
        replica.set("k").add(*names)
    replica.set("k").add("short")
    for count in packed:
        replica.keyspace.pack_effects(count)
    whole = replica.keyspace.pending()
    assert whole is not None
    for op in (whole, whole.part(2, 5), whole.part(1, 7)):
        assert op.outbox_bytes() == sum(map(large_bytes, op.effects)) > 300
    assert whole.packed is not None
    whole.packed.weights[0] += 5
    for op in (whole, whole.part(0, sum(packed[:2]))):
        expected = sum(map(large_bytes, op.effects)) + 5
        assert op.outbox_bytes() == expected, "the weights that are known are used"


def test_remainder_of_partly_applied_op() -> None:
    effects = tuple((2, 0, b"k", b"%d" % index) for index in range(3))
    whole = Op(make_origin(2), 5, 1000, {make_origin(3): 7}, effects)
    rest = whole.beyond(6)
    assert (rest.first, rest.last, rest.base, rest.deps) == (7, 7, 1000, whole.deps)
    assert rest.effects == effects[2:]


@pytest.mark.parametrize("seed", range(60))
def test_hostile_operation_is_refused_or_harmless(seed: int) -> None:
    rng = random.Random(seed)
    replica = Replica(1, members=(1, 2, 3))
    replica.advance(1000)
    replica.set("k").add("a")
    replica.hash("l").increment("f", 5)
    sent = {2: 0, 3: 0}
    for _ in range(40):
        region = rng.choice((2, 3))
        effects = tuple(hostile.effect(rng) for _ in range(rng.randint(1, 2)))
        try:
            raw = Op(make_origin(region), sent[region] + 1, rng.choice(hostile.ODD), {}, effects)
            op = Op.from_bytes(raw.to_bytes())
            replica.accept(op)
        except (DecodeError, OverflowError):
            continue
        sent[region] = op.last
    assert sent[2] + sent[3] > 10
    check_that_it_works(replica)


def check_that_it_works(replica: Replica) -> None:
    """Read everything, encode it, read that again, and collect garbage."""
    db = replica.keyspace
    for key in db.keys():  # noqa: SIM118
        value: Any = db.lookup(key)
        value.visible()
        value.siblings()
        if hasattr(value, "ranked"):
            value.ranked().check()
    copy = Replica(9)
    copy.advance(db.expiry_clock)
    copy.merge_bytes(replica.to_bytes())
    assert copy.digest() == replica.digest()
    for region in (2, 3):
        replica.record_report(region, replica.vector, db.expiry_clock)
    replica.collect()
    replica.merge_bytes(replica.to_bytes())
    with pytest.raises(CRDTError):
        replica.merge_bytes(replica.to_bytes()[:-1])


def test_different_effects_under_one_dot_contradict() -> None:
    effects = tuple((2, 0, b"k", b"%d" % index) for index in range(3))
    whole = Op(make_origin(2), 5, 1000, {}, effects)
    other = Op(make_origin(2), 7, 1000, {}, ((2, 0, b"k", b"9"),))
    later_base = Op(make_origin(2), 6, 1001, {}, effects[1:])
    after = Op(make_origin(2), 8, 1000, {}, effects)
    for op, is_contradiction in (
        (whole, False),
        (whole.part(1, 3), False),
        (after, False),
        (other, True),
        (later_base, True),
    ):
        assert whole.contradicts(op) is is_contradiction
        assert op.contradicts(whole) is is_contradiction


def test_large_op_packed_in_advance_stays_in_pieces() -> None:
    replica = Replica(1)
    for number in range(3_000):
        replica.set("k").add(f"a longer member {number}")
    whole = replica.keyspace.pending()
    for _ in range(4):
        replica.keyspace.pack_effects(1_000)
    packed = replica.keyspace.pending()
    assert whole is not None
    assert packed is not None
    data = packed.data()
    assert isinstance(data, OpPieces)
    assert data.joined() == packed.to_bytes() == whole.to_bytes()
    assert packed.size() == len(data) == len(whole.to_bytes())
    assert packed.fingerprint() == whole.fingerprint()
    assert Op.from_bytes(packed.to_bytes()) == whole
    assert replica.seal() is not None
    (kept,) = replica.since({})
    assert kept == whole


def test_recent_effects_are_packed_but_the_latest() -> None:
    here, other = Replica(1), Replica(1)
    keyspace = here.keyspace
    for number in range(100):
        for replica in (here, other):
            replica.set("k").add(f"member {number}")
        keyspace.pack_recent()
        packed = keyspace.packed
        assert packed is None or packed.count < keyspace.pending_count()
    assert keyspace.packed is not None
    assert keyspace.packed.counts == [RECENT_EFFECTS] * 3
    whole, plain = here.seal(), other.seal()
    assert whole is not None
    assert plain is not None
    assert whole.to_bytes() == plain.to_bytes()
    assert here.to_bytes() == other.to_bytes()


def test_effects_with_large_items_are_not_packed_in_advance() -> None:
    replica = Replica(1)
    for number in range(2 * RECENT_EFFECTS):
        replica.string("k").set("x" * LARGE_BYTES * 2 if number == 0 else "short")
        replica.set("members").add(str(number))
    replica.keyspace.pack_recent()
    assert replica.keyspace.packed is None


@pytest.mark.interpreted("replaces a function of a module that is compiled")
def test_effects_that_could_not_be_packed_are_packed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, other = Replica(1), Replica(1)
    for number in range(4 * RECENT_EFFECTS):
        for replica in (here, other):
            replica.set("k").add(f"member {number}")
        if number % RECENT_EFFECTS == 0:
            with monkeypatch.context() as patch:
                patch.setattr(op_pieces.codec, "pack_all", raise_memory_error)
                here.keyspace.pack_recent()
            assert here.keyspace.packed is None
    here.keyspace.pack_recent()
    whole, plain = here.seal(), other.seal()
    assert whole is not None
    assert plain is not None
    assert whole.to_bytes() == plain.to_bytes()


def raise_memory_error(*_: object) -> bytes:
    raise MemoryError


def test_effects_packed_in_advance_change_no_byte() -> None:
    replica = Replica(1)
    for number in range(5):
        replica.set("k").add(str(number))
    whole = replica.keyspace.pending()
    assert whole is not None
    replica.keyspace.pack_effects(3)
    replica.keyspace.pack_effects(3)
    assert replica.keyspace.packed is not None
    assert replica.keyspace.packed.counts == [3, 1]
    packed = replica.keyspace.pending()
    assert packed is not None
    assert packed.to_bytes() == whole.to_bytes()
    for limit in (1, 40, 80, 1000):
        parts = zip(packed.divided(limit), whole.divided(limit), strict=True)
        assert all(part.to_bytes() == other.to_bytes() for part, other in parts)
    assert replica.seal() is not None
    assert not replica.keyspace.packed
