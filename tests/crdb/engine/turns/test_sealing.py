"""The pacing of ops under a clock that the test sets."""

from __future__ import annotations

import math

from crdb.engine.turns.sealing import (
    BUSY_EFFECTS_PER_SECOND,
    BUSY_PACE_SECONDS,
    LARGE_BYTES_PER_SECOND,
    OP_EFFECTS,
    PACE_SECONDS,
    SealPacing,
)
from crdt.embed.replica import RUN_BYTES_MAX, Replica


def seal(replica: Replica, pacing: SealPacing, now: float) -> None:
    """Seal as a turn does."""
    pacing.record_seal(replica.keyspace, now)
    replica.seal()


def test_first_effect_is_due_immediately() -> None:
    replica, pacing = Replica(1), SealPacing()
    replica.string("k").set("v")
    assert pacing.seconds_left(replica.keyspace, 5.0) == 0.0


def test_next_op_waits_for_pace() -> None:
    replica, pacing = Replica(1), SealPacing()
    replica.string("k").set("v")
    seal(replica, pacing, 5.0)
    replica.string("k").set("w")
    assert pacing.due_at(replica.keyspace) == 5.0 + PACE_SECONDS
    assert math.isclose(pacing.seconds_left(replica.keyspace, 5.0005), PACE_SECONDS - 0.0005)
    assert pacing.seconds_left(replica.keyspace, 6.0) == 0.0


def test_busy_outbox_waits_for_longer() -> None:
    replica, pacing = Replica(1), SealPacing()
    seal(replica, pacing, 5.0)
    for number in range(BUSY_EFFECTS_PER_SECOND // 1000 + 1):
        replica.counter(f"k{number}").increment(1)
    seal(replica, pacing, 5.001)
    assert pacing.due == 5.001 + BUSY_PACE_SECONDS


def test_pace_follows_rate() -> None:
    dues: list[float] = []
    for rate in (BUSY_EFFECTS_PER_SECOND // 10, BUSY_EFFECTS_PER_SECOND // 2):
        replica, pacing = Replica(1), SealPacing()
        seal(replica, pacing, 5.0)
        for number in range(rate // 100):
            replica.counter(f"k{number}").increment(1)
        seal(replica, pacing, 5.01)
        dues.append(pacing.due - 5.01)
    assert math.isclose(dues[0], PACE_SECONDS)
    assert math.isclose(dues[1], BUSY_PACE_SECONDS / 2)


def test_many_effects_do_not_wait() -> None:
    replica, pacing = Replica(1), SealPacing()
    pacing.due = 9.0
    for number in range(OP_EFFECTS):
        replica.counter(f"k{number}").increment(1)
    assert pacing.seconds_left(replica.keyspace, 5.0) == 0.0


def test_many_bytes_do_not_wait() -> None:
    replica, pacing = Replica(1), SealPacing()
    pacing.due = 9.0
    replica.string("k").set("x" * (RUN_BYTES_MAX + 1))
    assert pacing.seconds_left(replica.keyspace, 5.0) == 4.0, "it may still be written again"
    replica.string("l").set("v")
    assert pacing.seconds_left(replica.keyspace, 5.0) == 0.0


def test_large_string_waits_until_previous_one_is_sent() -> None:
    replica, pacing = Replica(1), SealPacing()
    replica.string("k").set("x" * (LARGE_BYTES_PER_SECOND // 100))
    seal(replica, pacing, 5.0)
    replica.string("k").set("y" * (LARGE_BYTES_PER_SECOND // 100))
    assert math.isclose(pacing.due_at(replica.keyspace), 5.01)
    replica.string("l").set("v")
    assert pacing.due_at(replica.keyspace) == 5.0 + PACE_SECONDS
