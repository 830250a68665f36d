"""A replica puts off what must wait while a command works in slices."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.hold import Hold
from crdt.embed.replica import Outcome, Replica


def nothing() -> None:
    """Stand in for the end of all commands."""


def op_of(replica: Replica) -> Op:
    """Return what a replica has written."""
    op = replica.seal()
    assert op is not None
    return op


def writing(replica: Replica) -> Hold:
    """Begin a command that writes."""
    hold = Hold(nothing)
    hold.is_writing = True
    replica.update_hold(hold)
    return hold


def test_nothing_is_sealed_while_a_command_writes() -> None:
    here = Replica(1)
    hold = writing(here)
    here.set("s").add("a")
    assert here.seal() is None
    hold.is_writing = False
    here.update_hold(hold)
    assert here.hold is None
    assert op_of(here).effects


def test_op_waits_in_order_until_hold_ends() -> None:
    here, there = Replica(1), Replica(2)
    hold = writing(here)
    here.set("s").add("here")
    ops: list[Op] = []
    for number in range(2):
        there.string("k").set(str(number))
        ops.append(op_of(there))
    assert [here.accept(op) for op in ops] == [Outcome.HELD, Outcome.HELD]
    assert here.causal_buffer.missing(here.keyspace.vector) == {}
    hold.is_writing = False
    here.update_hold(hold)
    assert here.string("k") == "1"
    assert not here.keyspace.outbox


def test_op_is_refused_where_buffer_is_full() -> None:
    here, there = Replica(1, waiting_bytes=1), Replica(2)
    writing(here)
    there.string("k").set("v")
    assert here.accept(op_of(there)) is Outcome.REFUSED


@pytest.mark.parametrize(("key", "outcome"), [("read", Outcome.HELD), ("other", Outcome.APPLIED)])
def test_op_waits_for_reads_of_its_keys_only(key: str, outcome: Outcome) -> None:
    here, there = Replica(1), Replica(2)
    hold = Hold(nothing)
    hold.keys[b"read"] = 1
    here.update_hold(hold)
    there.string(key).set("v")
    assert here.accept(op_of(there)) is outcome
    assert hold.has_delayed == (outcome is Outcome.HELD)
    hold.keys.clear()
    here.update_hold(hold)
    assert here.string(key) == "v"


def test_flush_and_reads_of_all_keys_wait_for_each_other() -> None:
    here, there = Replica(1), Replica(2)
    there.keyspace.flush()
    flush = op_of(there)
    hold = Hold(nothing)
    hold.keys[b"read"] = 1
    assert hold.delays(flush)
    hold.keys.clear()
    hold.reads_all = 1
    there.string("k").set("v")
    assert hold.delays(op_of(there))
    assert not hold.is_over()
    here.update_hold(hold)
    assert here.hold is hold


def test_other_ops_pass_one_that_waits() -> None:
    here, first, second = Replica(1), Replica(2), Replica(3)
    hold = Hold(nothing)
    hold.keys[b"read"] = 1
    here.update_hold(hold)
    first.string("read").set("v")
    here.accept(op_of(first))
    second.string("k").set("v")
    ops = [op_of(second)]
    second.string("k").set("w")
    ops.append(op_of(second))
    assert here.accept(ops[1]) is Outcome.HELD
    assert here.accept(ops[0]) is Outcome.APPLIED
    assert here.string("k") == "w"
    assert here.keyspace.lookup(b"read") is None


@pytest.mark.parametrize("need", ["snapshot", "merge", "since", "apply", "reset", "vector"])
def test_what_needs_the_whole_state_ends_the_commands(need: str) -> None:
    here, there = Replica(1), Replica(2)
    there.string("k").set("v")
    hold = Hold(nothing)

    def finish() -> None:
        here.string("left").set("v")
        hold.is_writing = False
        here.update_hold(hold)

    hold.finish = finish
    hold.is_writing = True
    here.update_hold(hold)
    match need:
        case "snapshot":
            there.merge(here.snapshot())
            assert there.string("left") == "v"
        case "merge":
            here.merge(there.snapshot())
        case "since":
            assert len(here.since({})) == 1
        case "apply":
            here.apply(there.changes_for(here.vector))
            assert here.string("k") == "v"
        case "reset":
            here.reset()
            assert here.keyspace.size() == 0
        case _:
            assert here.vector[here.origin] == 1
    assert here.hold is None


def test_nothing_is_collected_while_a_command_works() -> None:
    here = Replica(1, members=[1])
    here.counter("k").increment(1)
    here.counter("k").delete()
    here.seal()
    hold = writing(here)
    assert here.collect() == 0
    hold.is_writing = False
    here.update_hold(hold)
    assert here.collect() == 1
