"""Strings and counters: interactions of SET, INCRBY and INCRBYFLOAT."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import make_origin
from crdt.causality.effect import LARGE_BYTES
from crdt.embed.replica import Replica
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers.long_double import parse
from crdt.numbers.number import COUNTER_MAX
from crdt.store.keyspace import Keyspace
from crdt.types.hash import HASH
from crdt.types.registry import BUILT_IN
from crdt.types.set import SET_TYPE
from crdt.types.string import String
from crdt.writes import hash as hashes
from crdt.writes import set as sets
from crdt.writes import string as strings
from tests.crdt.exchange import exchange

KEY = b"k"


@pytest.fixture
def db() -> Keyspace:
    return Keyspace(make_origin(1), BUILT_IN)


def held(db: Keyspace) -> String:
    value = db.lookup(KEY)
    assert isinstance(value, String)
    return value


@given(st.lists(st.one_of(st.none(), st.integers(-9, 9), st.text("1x", max_size=1))))
def test_one_region_reads_what_plain_variable_would_hold(steps: list[int | str | None]) -> None:
    """None deletes, an integer is added, a text is set."""
    db = Keyspace(make_origin(1), BUILT_IN)
    plain: bytes | None = None
    for step in steps:
        if step is None:
            db.delete(KEY)
            plain = None
        elif isinstance(step, str):
            plain = step.encode()
            strings.assign(db, KEY, plain)
        elif plain is not None and not plain.lstrip(b"-").isdigit():
            with pytest.raises(NotANumber):
                strings.increment(db, KEY, step)
        else:
            plain = b"%d" % (int(plain or b"0") + step)
            known = db.lookup(KEY) if step % 2 else None
            assert known is None or isinstance(known, String)
            assert strings.increment(db, KEY, step, known) == int(plain)
        value = db.lookup(KEY)
        assert (value.visible() if isinstance(value, String) else None) == plain


@given(st.lists(st.tuples(st.booleans(), st.integers(-99, 99))))
def test_increments_of_all_regions_add_up_on_what_was_set(
    steps: list[tuple[bool, int]],
) -> None:
    """Rules CTR-1, CTR-6."""
    here, there = Replica(1), Replica(2)
    here.string("k").set("10")
    exchange(here, there)
    for is_here, delta in steps:
        (here if is_here else there).counter("k").increment(delta)
    exchange(here, there)
    total = 10 + sum(delta for _, delta in steps)
    assert here.counter("k").value == there.counter("k").value == total


def test_set_takes_back_increments_it_observed_and_no_others() -> None:
    """Rules CTR-9, D-04."""
    here, there = Replica(1), Replica(2)
    here.counter("k").increment(5)
    exchange(here, there)
    here.string("k").set("100")
    there.counter("k").increment(3)
    exchange(here, there)
    assert here.string("k").get() == there.string("k").get() == "103"


def test_increment_beside_base_that_is_not_number_is_not_shown() -> None:
    """D-04."""
    here, there = Replica(1), Replica(2)
    here.counter("k").increment(5)
    there.string("k").set("text")
    exchange(here, there)
    for replica in (here, there):
        value = replica.keyspace.lookup(KEY)
        assert isinstance(value, String)
        assert value.read() == b"text"
        assert value.number() is None


def test_delete_keeps_concurrent_increment() -> None:
    """Rule CTR-4."""
    here, there = Replica(1), Replica(2)
    here.counter("k").increment(5)
    exchange(here, there)
    here.counter("k").delete()
    there.counter("k").increment(3)
    exchange(here, there)
    assert here.string("k").get() == there.string("k").get() == "3"


def test_later_write_is_stamped_later_than_what_it_replaces(db: Keyspace) -> None:
    """Rule ORD-7: a later write has a later stamp even if the clock went back."""
    for now, expected in ((100, 100), (50, 101), (101, 102), (200, 200)):
        db.advance(now)
        strings.assign(db, KEY, b"v")
        assert held(db).stamp == expected


def test_write_over_increments_alone_is_stamped_by_the_clock(db: Keyspace) -> None:
    """The clock may show a time before 1970. A value that was never written has no stamp to
    exceed."""
    db.advance(-2000)
    strings.increment(db, KEY, 1)
    strings.assign(db, KEY, b"v")
    assert held(db).stamp == -2000
    strings.assign(db, KEY, b"w")
    assert held(db).stamp == -1999


def test_set_ends_time_to_live_unless_it_is_kept(db: Keyspace) -> None:
    """Rule STR-6."""
    strings.assign(db, KEY, b"1")
    db.expire(KEY, 500)
    strings.assign(db, KEY, b"2", keep_ttl=True)
    assert db.deadline(KEY) == 500
    strings.assign(db, KEY, b"3")
    assert db.deadline(KEY) is None


@pytest.mark.parametrize("keep_ttl", [True, False])
def test_set_replaces_any_type(db: Keyspace, keep_ttl: bool) -> None:
    sets.add(db, KEY, [b"m"])
    strings.assign(db, KEY, b"1", keep_ttl)
    assert db.deadline(KEY) is None
    db.delete(KEY)
    sets.add(db, KEY, [b"m"])
    db.expire(KEY, 500)
    strings.assign(db, KEY, b"2", keep_ttl)
    assert held(db).read() == b"2"
    assert db.deadline(KEY) == (500 if keep_ttl else None)
    assert db.remains(KEY, SET_TYPE) is None


def test_counter_keeps_to_its_range(db: Keyspace) -> None:
    """Rule CTR-2, D-05."""
    assert strings.increment(db, KEY, COUNTER_MAX) == COUNTER_MAX
    with pytest.raises(CounterOverflow):
        strings.increment(db, KEY, 1)
    assert (held(db).read(), db.seq) == (b"%d" % COUNTER_MAX, 1)


def test_sum_that_no_integer_holds_travels_as_text(db: Keyspace) -> None:
    strings.increment(db, KEY, 1)
    value = held(db)
    value.shares[0].sum = (1 << 63) - 1
    db.data.put(KEY, value)
    strings.add_to(db, KEY, held(db), 1)
    assert held(db).shares[0].sum == b"9223372036854775808"
    strings.add_to(db, KEY, held(db), -1)
    assert held(db).shares[0].sum == (1 << 63) - 1


def add(db: Keyspace, delta: str) -> bytes:
    """Run INCRBYFLOAT."""
    number = parse(delta.encode())
    assert number is not None
    return strings.increment_decimal(db, KEY, number)


def test_fractions_add_in_decimal(db: Keyspace) -> None:
    """Rule CTR-3: 0.1 + 0.2 is 0.3."""
    assert add(db, "0.1") == b"0.1"
    assert add(db, "0.2") == b"0.3"
    assert held(db).number() == b"0.3"
    with pytest.raises(NotANumber):
        strings.increment(db, KEY, 1)
    strings.assign(db, KEY, b"1.5")
    assert add(db, "1.5") == b"3"
    assert held(db).number() == 3
    assert strings.increment(db, KEY, 1) == 4


def test_large_integers_and_long_fractions_keep_their_digits(db: Keyspace) -> None:
    strings.assign(db, KEY, b"9007199254740993")
    assert add(db, "0") == b"9007199254740993"
    assert add(db, "18446744073709551615") == b"18455751272964292608"
    strings.assign(db, KEY, b"12345678.12345678901")
    assert add(db, "0") == held(db).read() == b"12345678.1234567890096514"
    strings.assign(db, KEY, b"-9000000000000000000")
    assert add(db, "18e18") == b"9000000000000000000"
    for tiny in ("1e-400", "5e-324", "1e-18"):
        db.delete(KEY)
        assert [add(db, tiny) for _ in range(20)] == [b"0"] * 20
        assert held(db).read() == b"0"


def test_concurrent_fractions_show_one_text_in_any_order() -> None:
    """The sum is exact, whatever the order of delivery (rule CTR-3)."""
    regions = [Replica(n) for n in (1, 2, 3)]
    regions[0].string("k").set("12345678.1")
    exchange(*regions)
    for region, delta in zip(regions, ("0.3333333333333333", "1e9", "-7.77e-9"), strict=True):
        for _ in range(5):
            add(region.keyspace, delta)
    exchange(*regions)
    assert len({region.string("k").get() for region in regions}) == 1
    assert len({region.to_bytes() for region in regions}) == 1


def test_text_cannot_be_incremented(db: Keyspace) -> None:
    """Rule CTR-8."""
    strings.assign(db, KEY, b"text")
    with pytest.raises(NotANumber):
        add(db, "1")
    with pytest.raises(NotANumber):
        strings.increment(db, KEY, 1)
    strings.assign(db, KEY, b"1e4932")
    with pytest.raises(NotANumber):
        add(db, "1e4932")
    assert db.seq == 2


def test_string_of_contested_key_is_found(db: Keyspace) -> None:
    here, there = Replica(1), Replica(2)
    here.set("k").add("m")
    there.counter("k").increment(5)
    exchange(here, there)
    value = strings.held_string(here.keyspace, KEY)
    assert value is not None
    assert value.read() == b"5"
    assert strings.held_string(db, KEY) is None


def leave_tombstone(db: Keyspace) -> None:
    """Let `KEY` have held a counter of a hash that was deleted and is not yet forgotten."""
    hashes.increment(db, KEY, b"field", 1)
    db.delete(KEY)
    assert KEY in db.tombstones


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("keep_ttl", [False, True])
def test_write_ignores_tombstone_of_another_type(db: Keyspace, keep_ttl: bool) -> None:
    leave_tombstone(db)
    db.advance(2000)
    strings.assign(db, KEY, b"fast clock")
    db.expire(KEY, 9000)
    db.seal()
    db.advance(500)
    strings.assign(db, KEY, b"slow clock", keep_ttl)
    operation = strings.KEEP if keep_ttl else strings.SET
    assert db.outbox == [(strings.STRING, operation, KEY, 1501, b"slow clock")]
    assert held(db).stamp == 2001
    assert db.deadline(KEY) == (9000 if keep_ttl else None)


def test_large_write_is_replaced_beside_tombstone(db: Keyspace) -> None:
    large = b"x" * (LARGE_BYTES + 1)
    leave_tombstone(db)
    strings.assign(db, KEY, large)
    db.seal()
    strings.assign(db, KEY, large + b"1", True)
    strings.assign(db, KEY, large + b"2", True)
    assert db.pending_count() == 1
    assert held(db).read() == large + b"2"
    assert db.remains(KEY, HASH) is not None


def test_encoding_is_recorded_beside_tombstone(db: Keyspace) -> None:
    leave_tombstone(db)
    strings.assign(db, KEY, b"v")
    strings.mark(db, KEY, is_raw=True)
    assert held(db).is_raw
    assert db.remains(KEY, HASH) is not None


def test_counter_restarts_after_delete(db: Keyspace) -> None:
    strings.increment(db, KEY, 5)
    db.delete(KEY)
    assert strings.increment(db, KEY, 2) == 2
    assert held(db).read() == b"2"


def test_set_value_is_shown_as_written(db: Keyspace) -> None:
    """The increments that the SET observed are kept for a while, and do not change the value."""
    strings.increment(db, KEY, 1)
    strings.assign(db, KEY, b"1.0")
    assert held(db).shares
    assert held(db).read() == b"1.0"
    add(db, "0.5")
    assert held(db).read() == b"1.5"


def test_encoding_is_kept_until_next_write(db: Keyspace) -> None:
    strings.assign(db, KEY, b"5")
    for is_raw in (True, False):
        strings.mark(db, KEY, is_raw=is_raw)
        assert (held(db).is_raw, held(db).is_text) == (is_raw, not is_raw)
    strings.assign(db, KEY, b"6")
    assert (held(db).is_raw, held(db).is_text) == (False, False)
    sets.add(db, b"s", [b"a"])
    strings.mark(db, b"s", is_raw=True)
    strings.mark(db, b"none", is_raw=True)
    assert db.keys() == [KEY, b"s"]
