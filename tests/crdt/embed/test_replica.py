"""The replica: operations in and out, states, clocks, incarnations and statistics."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from crdt import (
    DecodeError,
    DotReused,
    HistoryTruncated,
    Op,
    Outcome,
    Replica,
    make_origin,
    region_of,
)
from crdt.causality.dots import INCARNATION_MAX
from crdt.causality.effect import ANY_TYPE, FLUSH
from crdt.causality.op import OP_BYTES
from crdt.embed.replica import RUN_BYTES_MAX, RUN_MAX, origin_id, split
from tests.crdt.exchange import deliver_to, exchange, regions


def test_operation_is_applied_once() -> None:
    here, there = regions(2)
    here.counter("k").increment(5)
    (op,) = here.since(there.vector)
    assert there.accept(op) is Outcome.APPLIED
    assert there.accept(op) is Outcome.DUPLICATE
    assert there.counter("k").value == 5
    assert there.statistics().operations_duplicate == 1
    assert there.statistics().effects_duplicate == 1
    assert there.statistics().effects_applied == 1


@pytest.mark.parametrize("known", [1, 2])
def test_only_new_part_of_operation_is_applied(known: int) -> None:
    """An operation that one replica divides may arrive undivided from another."""
    here, there = regions(2)
    here.counter("k").increment(1)
    here.counter("k").increment(2)
    here.counter("k").increment(4)
    (op,) = here.since({})
    there.accept(op.part(0, known))
    assert there.accept(op) is Outcome.APPLIED
    assert there.counter("k").value == 7
    assert there.vector == here.vector
    assert there.statistics().effects_applied == 3


def test_operation_waits_for_its_past() -> None:
    here, there, third = regions()
    here.set("k").add("a")
    deliver_to(here, there)
    there.set("k").discard("a")
    (add,), (remove,) = here.since({}), there.since(here.vector)
    assert third.accept(remove) is Outcome.HELD
    assert third.statistics().waiting_bytes > 0
    assert third.accept(add) is Outcome.APPLIED
    assert third.vector == there.vector
    assert third.statistics().waiting_bytes == 0
    assert len(third.set("k")) == 0


def test_early_operation_of_one_origin_waits() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    here.seal()
    here.set("k").add("b")
    first, second = here.since({})
    assert there.accept(second) is Outcome.HELD
    assert there.accept(first) is Outcome.APPLIED
    assert there.vector == here.vector
    assert there.accept(second) is Outcome.DUPLICATE
    assert there.statistics().waiting_bytes == 0


def seven_operations() -> list[Op]:
    """Return five operations of one replica, and two of another that depend on some of them."""
    one, other = regions(2)
    one.list("l").extend(["x", "y"])
    one.seal()
    one.set("s").add("a", "b")
    one.seal()
    deliver_to(one, other)
    other.set("s").discard("a")
    other.seal()
    one.hash("h")["f"] = "1"
    one.seal()
    one.counter("c").increment(5)
    one.seal()
    deliver_to(one, other)
    other.counter("c").increment(7)
    other.seal()
    one.string("s2").delete()
    one.list("l").pop(0)
    one.seal()
    return one.since({}) + [op for op in other.since({}) if op.origin == other.origin]


def test_any_order_of_operations_ends_in_one_digest() -> None:
    """Each operation is offered once."""
    made = seven_operations()
    assert len(made) == 7
    digests: set[bytes] = set()
    for order in permutations(made):
        reader = Replica(3)
        for op in order:
            assert reader.accept(op) in (Outcome.APPLIED, Outcome.HELD)
        assert reader.statistics().waiting_bytes == 0
        assert reader.causal_buffer.queues == {}
        digests.add(reader.digest())
    assert len(digests) == 1


def test_earlier_writes_are_sealed_first() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    there.set("k").add("b")
    (op,) = here.since({})
    there.accept(op)
    (mine,) = there.since(here.vector)
    assert mine.deps == {}
    there.set("k").add("c")
    assert there.since(here.vector)[-1].deps == {here.origin: 1}


def test_foreign_write_under_own_origin_is_noticed() -> None:
    here, impostor = Replica(1), Replica(1)
    impostor.set("k").add("a")
    (op,) = impostor.since({})
    with pytest.raises(DotReused):
        here.accept(op)
    with pytest.raises(DotReused):
        here.merge(impostor.snapshot())
    assert here.vector == {}


def test_replica_behind_log_needs_snapshot() -> None:
    here = Replica(1, history_bytes=500)
    there = Replica(2)
    for index in range(20):
        here.set("k").add(f"{index}")
        here.seal()
    with pytest.raises(HistoryTruncated):
        here.since(there.vector)
    there.merge(here.snapshot())
    assert there.vector == here.vector
    assert there.since(here.vector) == []
    with pytest.raises(HistoryTruncated):
        there.since({})
    here.set("k").add("more")
    deliver_to(here, there)
    assert len(there.set("k")) == 21


def test_merge_releases_held_operations() -> None:
    here, there, third = regions()
    here.set("k").add("a")
    deliver_to(here, there)
    there.set("k").add("b")
    (late,) = there.since(here.vector)
    assert third.accept(late) is Outcome.HELD
    third.merge(here.snapshot())
    assert set(third.set("k")) == {"a", "b"}


def test_snapshot_brings_vectors_of_others() -> None:
    """Otherwise a later operation of another replica would seem to have observed nothing."""
    here, there, third = regions()
    here.set("k").add("a")
    deliver_to(here, there)
    there.set("k").add("b")
    deliver_to(there, here)
    third.merge(here.snapshot())
    there.set("k").discard("a")
    deliver_to(there, third)
    assert set(third.set("k")) == {"b"}


def test_snapshot_that_was_cut_off_changes_nothing() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    pieces = list(here.snapshot())
    with pytest.raises(DecodeError, match="cut off"):
        there.merge(pieces[:-1])
    incoming = there.incoming()
    for piece in pieces:
        incoming.feed(piece)
    there.merge_incoming(incoming)
    assert set(there.set("k")) == {"a"}
    assert there.statistics().merges == 1


def test_merge_that_brings_nothing_keeps_history() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert len(here.since({})) == 1


def test_state_is_one_byte_string() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    data = here.to_bytes()
    there.merge_bytes(data)
    assert there.to_bytes() == data
    for cut in (1, 3, len(data) - 1):
        with pytest.raises(DecodeError):
            Replica(3).merge_bytes(data[:cut])
    assert list(split(b"\0\0\0\1a\0\0\0\0")) == [b"a", b""]


def test_clock_is_read_for_every_write() -> None:
    times = iter(range(1000, 2000, 7))
    here = Replica(1, clock=lambda: next(times))
    here.string("k").set("a")
    first = here.keyspace.now
    here.string("k").set("b")
    assert here.keyspace.now == first + 7


def test_long_run_is_cut_into_operations() -> None:
    here = Replica(1)
    for _ in range(RUN_MAX + 1):
        here.counter("k").increment()
    assert [len(op.effects) for op in here.since({})] == [RUN_MAX, 1]


def test_writes_stay_one_operation_up_to_its_limit() -> None:
    """Writes between two exchanges arrive together (docs/how-to/embed.md)."""
    here = Replica(1)
    large = bytes(RUN_BYTES_MAX)
    for name in "abc":
        here.string(name).set(large)
    here.string("d").set("small")
    assert [len(op.effects) for op in here.since({})] == [4]


def test_full_operations_are_sealed_while_more_is_written() -> None:
    """The outbox of an embedded replica takes no more memory than an operation and a write."""
    here = Replica(1, history_bytes=8 * OP_BYTES)
    large = bytes(RUN_BYTES_MAX)
    for number in range(10):
        here.string(f"{number}").set(large)
        assert here.keyspace.outbox_bytes <= OP_BYTES
    assert [len(op.effects) for op in here.since({})] == [3, 3, 3, 1]
    assert here.keyspace.outbox_bytes == 0
    there = Replica(2)
    for op in here.since({}):
        there.accept(op)
    assert there.digest() == here.digest()


def test_write_larger_than_operation_is_sealed_with_next() -> None:
    here = Replica(1, history_bytes=8 * OP_BYTES)
    here.hash("h").update({"f": bytes(OP_BYTES + 1)})
    here.string("s").set("small")
    assert len(here.keyspace.outbox) == 1
    assert [len(op.effects) for op in here.since({})] == [1, 1]


def test_region_number_is_origin_too() -> None:
    assert Replica(7).origin == make_origin(7) == origin_id(7)
    again = make_origin(7, 2)
    assert Replica(again).origin == again == origin_id(again)
    assert Replica(again).region == region_of(again) == 7


@pytest.mark.parametrize("number", [0, -1, 256, 1 << 40])
def test_nothing_else_is_origin(number: int) -> None:
    with pytest.raises(ValueError, match="not the number of a replica: use 1 to 255"):
        Replica(number)


def test_clock_shows_milliseconds() -> None:
    """A time that no peer would accept must not become part of a write."""
    now: Any = 1_700_000_000_000
    replica = Replica(1, clock=lambda: now)
    odd: Any = 1.7e12
    now = odd
    with pytest.raises(TypeError):
        replica.set("k").add("a")
    with pytest.raises(TypeError):
        replica.advance(odd)
    with pytest.raises(ValueError, match="no clock shows"):
        replica.advance(1 << 60)
    assert replica.since({}) == []


@pytest.mark.parametrize(
    ("region", "vector", "clock", "error"),
    [
        ("2", {}, 0, TypeError),
        (999, {}, 0, ValueError),
        (2, None, 0, TypeError),
        (2, {1: -1}, 0, ValueError),
        (2, {}, 1.5, TypeError),
    ],
)
def test_report_that_could_not_count_is_refused(
    region: Any, vector: Any, clock: Any, error: type[Exception]
) -> None:
    """Such a report would be kept, and block collection for ever."""
    replica = Replica(1, members=[1, 2])
    with pytest.raises(error):
        replica.record_report(region, vector, clock)


def test_report_counts_after_json() -> None:
    replica = Replica(1, members=[1, 2])
    replica.set("k").add("a")
    replica.record_report(2, json.loads(json.dumps(replica.vector)), 1)
    assert replica.stable() == replica.vector


def test_next_incarnation_writes_under_new_origin() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    here.set("k").add("b")
    here.reincarnate(make_origin(1, 1))
    here.set("k").add("c")
    exchange(here, there)
    assert set(there.set("k")) == {"a", "b", "c"}
    assert there.vector == {make_origin(1): 2, make_origin(1, 1): 1}
    third = Replica(3)
    third.merge(here.snapshot())
    here.set("k").discard("a", "b")
    deliver_to(here, third)
    assert set(third.set("k")) == {"c"}


def test_replica_can_restart_from_other_snapshot() -> None:
    here, other = Replica(1), Replica(9)
    here.set("k").add("a")
    other.set("k").add("b")
    here.accept(Op(make_origin(5), 2, 0, {}, ((ANY_TYPE, FLUSH, b""),)))
    here.reset()
    here.merge(other.snapshot())
    assert set(here.set("k")) == {"b"}
    here.set("k").add("c")
    assert here.vector == {make_origin(1, 1): 1, make_origin(9): 1}
    assert here.since({make_origin(9): 1})[-1].deps == {make_origin(9): 1}
    other.merge(here.snapshot())
    here.merge(other.snapshot())
    assert here.to_bytes() == other.to_bytes()


def test_writes_before_reset_may_come_back() -> None:
    """The write once counted as known and so as removed, and the replicas differed for ever."""
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    here.reset()
    assert here.vector == {}
    assert len(here.set("k")) == 0
    here.merge(there.snapshot())
    assert set(here.set("k")) == {"a"}
    here.set("k").add("b")
    here.reset()
    here.set("k").add("c")
    deliver_to(there, here)
    exchange(here, there)
    assert set(there.set("k")) == set(here.set("k")) == {"a", "c"}
    assert here.vector == there.vector == {make_origin(1): 1, make_origin(1, 2): 1}


def test_reset_of_one_that_has_written_nothing_keeps_its_name() -> None:
    here, there = regions(2)
    there.set("k").add("a")
    deliver_to(there, here)
    here.reset()
    assert here.origin == make_origin(1)
    assert here.since({}) == []
    deliver_to(there, here)
    assert set(here.set("k")) == {"a"}
    last = Replica(make_origin(1, INCARNATION_MAX))
    last.set("k").add("a")
    last.reset()
    assert last.origin == make_origin(1)


def test_reset_drops_held_ops_and_reports() -> None:
    here, there = regions(2)
    there.set("k").add("a")
    here.record_report(2, there.vector, 5)
    here.accept(Op(make_origin(3), 1, 0, {there.origin: 1}, ((2, 0, b"k", b"b"),)))
    here.reset()
    assert here.statistics().waiting_bytes == 0
    assert here.stability.reports == here.stability.pending == {}
    deliver_to(there, here)
    assert set(here.set("k")) == {"a"}


def test_new_incarnation_counts_from_one() -> None:
    here, there = regions(2)
    there.set("k").add("a")
    deliver_to(there, here)
    here.set("k").add("b")
    here.reincarnate(make_origin(1, 7))
    assert here.statistics().effects_made == 0
    here.set("k").discard("a", "b")
    (op,) = here.since(here.vector | {make_origin(1, 7): 0})
    assert (op.origin, op.first) == (make_origin(1, 7), 1)
    assert op.deps == {make_origin(1): 1, make_origin(2): 1}


def test_unsealed_writes_keep_old_incarnation() -> None:
    here = Replica(1)
    here.set("k").add("a")
    here.reincarnate(make_origin(1, 1))
    here.set("k").add("b")
    assert [op.origin for op in here.since({})] == [make_origin(1), make_origin(1, 1)]


def test_large_operation_is_divided() -> None:
    here, there, third = regions()
    for replica in (here, there, third):
        replica.op_bytes = 200
    for index in range(10):
        here.list("k").append("x" * 40)
        here.counter("c").increment(index)
    whole = here.seal()
    assert whole is not None
    parts = here.since({})
    assert len(parts) > 3
    assert parts[-1].last == whole.last == 20
    for op in parts:
        there.accept(Op.from_bytes(op.to_bytes()))
    assert third.accept(parts[0]) is Outcome.APPLIED
    assert third.accept(whole) is Outcome.APPLIED, "what is left of it"
    assert here.to_bytes() == there.to_bytes() == third.to_bytes()


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_origins_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every origin stays in the vector for ever, so a peer may not bring any number of them."""
    monkeypatch.setattr("crdt.embed.exchange.ORIGINS_MAX", 3)
    here, other = Replica(1), Replica(9)
    for incarnation in range(4):
        op = Op(make_origin(2, incarnation), 1, 0, {}, ((2, 0, b"k", b"a"),))
        if incarnation < 3:
            assert here.accept(op) is Outcome.APPLIED
        else:
            with pytest.raises(DecodeError, match="one origin too many"):
                here.accept(op)
    other.set("k").add("b")
    before = here.to_bytes()
    with pytest.raises(DecodeError, match="too many origins"):
        here.merge(other.snapshot())
    assert here.to_bytes() == before


def test_statistics_of_replica() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    here.record_report(2, there.vector, 500)
    statistics = here.statistics()
    assert statistics.vector == here.vector == {here.origin: 1}
    assert statistics.stable == here.vector
    assert (statistics.keys, statistics.effects_made, statistics.garbage_pending) == (1, 1, 0)
    assert statistics.history_bytes == here.history.bytes > 0


def test_vector_is_copy() -> None:
    here = Replica(1)
    vector = here.vector
    here.set("k").add("a")
    assert vector == {}
    with pytest.raises(TypeError, match="cannot be changed"):
        vector[5] = 7
    assert here.vector == {here.origin: 1}


def test_repr_names_replica() -> None:
    replica = Replica(make_origin(2, 1))
    replica.set("k").add("a")
    assert repr(replica) == "<Replica 2.1, 1 keys>"


@pytest.mark.parametrize("origin", [make_origin(1), make_origin(2, 3), 1])
def test_invalid_incarnation_is_refused(origin: int) -> None:
    replica = Replica(1)
    replica.set("k").add("a")
    with pytest.raises(ValueError, match="is not another incarnation of region 1"):
        replica.reincarnate(origin)
    assert replica.origin == make_origin(1)
    assert len(replica.keyspace.outbox) == 1


def test_clock_that_is_not_function_is_refused() -> None:
    with pytest.raises(TypeError, match="clock is a function that returns ms, not int"):
        Replica(1, clock=7)  # pyright: ignore[reportArgumentType]
