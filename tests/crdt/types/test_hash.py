"""Hashes: each field is a string and a counter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers.long_double import parse
from crdt.numbers.number import COUNTER_MAX
from crdt.store.keyspace import Keyspace
from crdt.types.hash import HASH, Hash
from crdt.types.registry import BUILT_IN
from crdt.writes import hash as hashes
from tests.crdt.exchange import exchange

KEY = b"h"
FIELDS = st.sampled_from([b"f", b"g", b"h"])
STEPS = st.lists(st.tuples(st.sampled_from(("set", "add", "remove", "delete")), FIELDS))


@pytest.fixture
def db() -> Keyspace:
    return Keyspace(make_origin(1), BUILT_IN)


def items(db: Keyspace) -> dict[bytes, bytes]:
    value = db.lookup(KEY)
    return dict(value.items()) if isinstance(value, Hash) else {}


@given(STEPS)
def test_one_region_reads_what_dictionary_would_hold(steps: list[tuple[str, bytes]]) -> None:
    db, plain = Keyspace(make_origin(1), BUILT_IN), dict[bytes, bytes]()
    for step, field in steps:
        if step == "set":
            plain[field] = b"7"
            hashes.assign(db, KEY, [field, b"7"])
        elif step == "add":
            plain[field] = b"%d" % (int(plain.get(field, b"0")) + 2)
            assert hashes.increment(db, KEY, field, 2) == int(plain[field])
        elif step == "remove":
            assert hashes.remove(db, KEY, [field]) == (plain.pop(field, None) is not None)
        else:
            plain.clear()
            db.delete(KEY)
        assert items(db) == plain
        value = db.lookup(KEY)
        assert (value.visible() if value is not None else []) == sorted(plain.items())


@pytest.mark.parametrize(
    ("remove", "expected"), [(True, {"f": "3"}), (False, {"f": "3", "unseen": "v"})]
)
def test_unobserved_field_survives(remove: bool, expected: dict[str, str]) -> None:
    """Rules HSH-5, HSH-7, CTR-4."""
    here, there = Replica(1), Replica(2)
    here.hash("h").increment("f", 5)
    here.hash("h")["g"] = "old"
    exchange(here, there)
    if remove:
        del here.hash("h")["f"], here.hash("h")["g"]
    else:
        here.hash("h").delete()
        there.hash("h")["unseen"] = "v"
    there.hash("h").increment("f", 3)
    exchange(here, there)
    assert dict(here.hash("h")) == dict(there.hash("h")) == expected


def test_increments_of_field_add_up_on_what_was_set() -> None:
    """Rules HSH-2, HSH-4, HSH-9, CTR-6, D-06."""
    here, there = Replica(1), Replica(2)
    here.hash("h")["f"] = "10"
    exchange(here, there)
    here.hash("h").increment("f", 1)
    there.hash("h").increment("f", 2)
    exchange(here, there)
    assert here.hash("h")["f"] == there.hash("h")["f"] == "13"


def add(db: Keyspace, delta: str) -> bytes:
    """Run HINCRBYFLOAT."""
    number = parse(delta.encode())
    assert number is not None
    return hashes.increment_decimal(db, KEY, b"f", number)


def test_field_that_is_not_number_is_not_added_to(db: Keyspace) -> None:
    """Rule CTR-8."""
    hashes.assign(db, KEY, [b"f", b"text", b"g", b"1.5"])
    for field in (b"f", b"g"):
        with pytest.raises(NotANumber, match="integer"):
            hashes.increment(db, KEY, field, 1)
    with pytest.raises(NotANumber, match="float"):
        add(db, "1")
    hashes.assign(db, KEY, [b"f", b"1e4932"])
    with pytest.raises(NotANumber, match="Infinity"):
        add(db, "1e4932")
    assert db.seq == 2


def test_fractions_add_in_decimal(db: Keyspace) -> None:
    """Rule CTR-3."""
    assert add(db, "0.1") == b"0.1"
    assert add(db, "0.2") == b"0.3"
    assert hashes.remove(db, KEY, [b"f"]) == 1
    assert add(db, "1.5") == b"1.5"


def test_field_keeps_to_range_of_counters(db: Keyspace) -> None:
    """Rule CTR-2, D-05."""
    hashes.increment(db, KEY, b"f", COUNTER_MAX)
    with pytest.raises(CounterOverflow):
        hashes.increment(db, KEY, b"f", 1)
    assert items(db) == {b"f": b"%d" % COUNTER_MAX}


def test_field_that_is_not_there_reads_as_none(db: Keyspace) -> None:
    hashes.assign(db, KEY, [b"f", b"v"])
    value = db.lookup(KEY)
    assert isinstance(value, Hash)
    assert (value.get(b"f"), value.get(b"g")) == (b"v", None)
    assert value.make().code() == 1
    assert value.code() == HASH
