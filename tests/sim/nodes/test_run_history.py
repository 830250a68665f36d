"""The history of a run: the operations, their origins and what they had seen."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Replica
from sim.nodes.run_history import STRIDE, Entry, RunHistory


def make(
    run_history: RunHistory, replica: Replica, member: str, *, seen: Entry | None = None
) -> Entry:
    """Make one more operation of a replica, which applies another one before if it is `seen`."""
    if seen is not None:
        replica.accept(Op.from_bytes(seen.data))
    replica.set(b"s").add(member.encode())
    op = replica.seal()
    assert op is not None
    return run_history.record_op(op, 0)


def test_operation_remembers_all_that_its_region_had_seen() -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    one = make(run_history, here, "a")
    make(run_history, there, "b", seen=one)
    last = make(run_history, there, "c")
    assert last.deps == {}
    assert run_history.observed_before(last) == {here.origin: 1}
    assert [repr(entry) for entry in run_history.in_order] == ["1:1..1", "2:1..1", "2:2..2"]
    assert [entry.number for entry in run_history.in_order] == [0, 1, 2]


def test_context_is_computed_for_every_op() -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    seen = [make(run_history, here, f"a{i}") for i in range(3 * STRIDE)]
    mine = [make(run_history, there, f"b{i}", seen=entry) for i, entry in enumerate(seen)]
    assert [run_history.observed_before(entry) for entry in mine] == [
        {here.origin: i} for i in range(1, 3 * STRIDE + 1)
    ]


def test_unknown_operation_uses_its_own_vector() -> None:
    op = Op(9 << 14, 1, 0, {1 << 14: 3}, ((1, 0, b"k", 5, b"v"),))
    assert RunHistory().observed_before(Entry(op, 0, -1)) == {1 << 14: 3}


def test_operations_are_found_by_their_dots() -> None:
    here, run_history = Replica(1), RunHistory()
    here.set(b"s").add(b"a", b"b", b"c")
    op = here.seal()
    assert op is not None
    entry = run_history.record_op(op, 5)
    last = entry.last
    assert entry.at == 5
    assert entry.data == op.to_bytes()
    assert run_history.find_by_first(here.origin, 1) is entry
    assert run_history.by_last == {(here.origin, last): entry}
    assert run_history.find_by_first(here.origin, last + 1) is None


def test_vector_names_operations_that_end_within_it() -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    make(run_history, here, "a")
    make(run_history, there, "b")
    make(run_history, here, "c")
    assert [str(entry) for entry in run_history.ops_within({here.origin: 1})] == ["1:1..1"]
    both = {here.origin: 2, there.origin: 1}
    assert [str(entry) for entry in run_history.ops_within(both)] == ["1:1..1", "2:1..1", "1:2..2"]


@pytest.mark.parametrize("steps", [1, 2, STRIDE, STRIDE + 1, 2 * STRIDE])
def test_stable_history_is_not_inspected_again(steps: int) -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    seen = [make(run_history, here, f"a{i}") for i in range(2 * STRIDE + 1)]
    for entry in seen:
        make(run_history, there, entry.data.hex(), seen=entry)
    known = {here.origin: 1, there.origin: 1}
    enough = {here.origin: 1 + steps, there.origin: 1 + steps}
    short = {here.origin: steps, there.origin: 1 + steps}
    assert run_history.explain_unclosed(enough, known) == ""
    reported = f"2:{1 + steps}..{1 + steps} had seen {{{here.origin}: {1 + steps}}}"
    assert (
        run_history.explain_unclosed(short, known)
        == run_history.explain_unclosed(short)
        == reported
    )


def test_earlier_operation_may_be_one_that_had_seen_too_much() -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    one, two = make(run_history, here, "a"), make(run_history, here, "b")
    make(run_history, there, "c", seen=one)
    make(run_history, there, "d", seen=two)
    make(run_history, there, "e")
    known = {here.origin: 1, there.origin: 1}
    assert run_history.explain_unclosed({here.origin: 1, there.origin: 3}, known).startswith(
        "2:3..3 had seen"
    )
    assert run_history.explain_unclosed({here.origin: 2, there.origin: 3}, known) == ""


def test_effects_missing_from_vector_are_listed() -> None:
    here, there, run_history = Replica(1), Replica(2), RunHistory()
    one = make(run_history, here, "a")
    make(run_history, there, "b", seen=one)
    assert run_history.explain_unclosed({here.origin: 1, there.origin: 1}) == ""
    assert run_history.explain_unclosed({here.origin: 0}) == ""
    assert (
        run_history.explain_unclosed({there.origin: 1}) == f"2:1..1 had seen {{{here.origin}: 1}}"
    )
    assert run_history.explain_unclosed({here.origin: 7}) == "1:7 ends no operation"


def test_effects_are_recorded_before_they_are_sealed() -> None:
    here, run_history = Replica(1), RunHistory()
    db = here.keyspace
    assert run_history.latest_effect(here.origin) == 0
    assert run_history.oldest_beyond(here.origin, 0, 0) is None
    for at, member in ((5, b"a"), (6, b"b")):
        here.set(b"s").add(member)
        op = db.pending()
        assert op is not None
        assert [effect[3] for effect in run_history.record_effects(db, op, at)] == [member]
        assert run_history.record_effects(db, op, at + 1) == ()
    assert run_history.latest_effect(here.origin) == 2
    assert run_history.oldest_beyond(here.origin, 1, 2) == 6
    sealed = here.seal()
    assert sealed is not None
    entry = run_history.record_op(sealed, 9)
    assert entry.at == 5
    assert run_history.oldest_beyond(here.origin, 0, 2) == 5
    assert run_history.oldest_beyond(here.origin, 2, 2) is None
    assert run_history.noted[here.origin] == []


def test_effects_lost_in_crash_are_not_the_oldest() -> None:
    here, run_history = Replica(1), RunHistory()
    make(run_history, here, "a")
    assert run_history.oldest_beyond(here.origin, 0, 1) == 0
    assert run_history.oldest_beyond(here.origin, 0, 0) is None
