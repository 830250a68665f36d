"""The times at which writes go to peers, under a virtual clock."""

from __future__ import annotations

from math import ceil

import pytest
import trio
import trio.testing

from crdb.deployment.config import Config
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.turns.sealing import (
    BUSY_EFFECTS_PER_SECOND,
    BUSY_PACE_SECONDS,
    LARGE_BYTES_PER_SECOND,
    OP_EFFECTS,
    PACE_SECONDS,
)
from crdb.region.region import RegionServer
from crdt.store.keyspace import Keyspace
from replication.drivers.delayed_writer import EARLY_SECONDS
from replication.mesh.flow import FlowControl


def ignore(_event: OperatorEvent) -> None:
    """Drop the reports of the region."""


class Writing(RegionServer):
    """A region that has just sent its first op."""

    def __init__(self) -> None:
        super().__init__(Config.from_names(["us", "eu"]), "us", emit=ignore, state=None)
        self.write()
        self.instance.turn.finish()
        assert self.sealed == 1, "after a rest it goes at the end of the turn"

    def write(self) -> None:
        """Run a write of a client."""
        self.replica.string("k").set("v")

    @property
    def sealed(self) -> int:
        """Return the number of operations made."""
        return self.replica.history.stop


async def test_turns_that_follow_each_other_share_operation(
    autojump_clock: trio.testing.MockClock,
) -> None:
    here = Writing()
    here.write()
    here.instance.turn.finish()
    here.write()
    here.instance.turn.finish()
    assert here.sealed == 1
    await trio.sleep(PACE_SECONDS)
    here.instance.turn.finish()
    assert here.sealed == 2
    assert not here.replica.keyspace.outbox


async def test_busy_region_gathers_for_longer(autojump_clock: trio.testing.MockClock) -> None:
    here = Writing()
    await trio.sleep(PACE_SECONDS)
    for _ in range(ceil(BUSY_EFFECTS_PER_SECOND * PACE_SECONDS) + 1):
        here.write()
    here.instance.turn.finish()
    assert here.sealed == 2
    here.write()
    await trio.sleep(PACE_SECONDS)
    here.instance.turn.finish()
    assert here.sealed == 2
    await trio.sleep(BUSY_PACE_SECONDS - PACE_SECONDS)
    here.instance.turn.finish()
    assert here.sealed == 3


async def test_burst_after_pause_is_not_busy(
    autojump_clock: trio.testing.MockClock,
) -> None:
    here = Writing()
    await trio.sleep(2 * BUSY_PACE_SECONDS)
    for _ in range(ceil(BUSY_EFFECTS_PER_SECOND * PACE_SECONDS) + 1):
        here.write()
    here.instance.turn.finish()
    here.write()
    await trio.sleep(PACE_SECONDS)
    here.instance.turn.finish()
    assert here.sealed == 3


@pytest.mark.interpreted("replaces a method of a class that is compiled")
async def test_writes_wait_while_peers_are_far_behind(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Writing()
    here.sending.push()
    assert here.instance.pause.ends_at is None

    def pause_ns(_flow: FlowControl, _now: int) -> int:
        return 7_900_000

    monkeypatch.setattr(FlowControl, "pause_ns", pause_ns)
    here.sending.push()
    assert here.instance.pause.ends_at == here.instance.now + 7
    assert here.instance.pause.holds(b"set", writes=True)
    assert not here.instance.pause.holds(b"get", writes=False)


async def test_full_run_of_writes_is_sealed_early(autojump_clock: trio.testing.MockClock) -> None:
    here = Writing()
    for _ in range(OP_EFFECTS):
        here.write()
    here.instance.turn.finish()
    assert here.sealed == 2


async def test_sleep_seals_remaining_writes(autojump_clock: trio.testing.MockClock) -> None:
    here = Writing()
    await trio.sleep(PACE_SECONDS - EARLY_SECONDS)
    here.write()
    here.instance.turn.finish()
    assert here.sealed == 1
    here.instance.turn.before_sleep()
    assert here.sealed == 2


async def test_immediate_sleep_leaves_sealing_to_timer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    here = Writing()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.sending.run)
        here.write()
        here.instance.turn.before_sleep()
        assert here.sealed == 1
        await trio.sleep(2 * PACE_SECONDS)
        assert here.sealed == 2
        here.instance.turn.before_sleep()
        await trio.sleep(2 * PACE_SECONDS)
        assert here.sealed == 2, "nothing was written"
        nursery.cancel_scope.cancel()


LARGE = LARGE_BYTES_PER_SECOND // 10
"""The bytes of a string that takes 100 ms."""


async def test_large_string_that_is_written_again_is_gathered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Otherwise the string would be sent as a whole each time."""
    here = Writing()
    await trio.sleep(PACE_SECONDS)
    here.replica.string("big").set("x" * LARGE)
    here.instance.turn.finish()
    assert here.sealed == 2
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.sending.run)
        for _ in range(9):
            await trio.sleep(0.01)
            here.replica.string("big").set("y" * LARGE)
            here.instance.turn.finish()
            here.instance.turn.before_sleep()
        assert here.sealed == 2
        await trio.sleep(0.011)
        assert here.sealed == 3
        nursery.cancel_scope.cancel()


async def test_other_write_does_not_wait_for_large_string(
    autojump_clock: trio.testing.MockClock,
) -> None:
    here = Writing()
    await trio.sleep(PACE_SECONDS)
    here.replica.string("big").set("x" * LARGE)
    here.instance.turn.finish()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.sending.run)
        here.replica.string("big").set("y" * LARGE)
        here.instance.turn.before_sleep()
        await trio.sleep(PACE_SECONDS / 2)
        here.write()
        here.instance.turn.before_sleep()
        await trio.sleep(PACE_SECONDS)
        assert here.sealed == 3
        assert not here.replica.keyspace.outbox
        nursery.cancel_scope.cancel()


@pytest.mark.interpreted("it replaces a method of the replica")
async def test_effects_without_memory_are_sealed_later(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Writing()
    here.write()

    def fail(*_args: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Keyspace, "pending", fail)
        here.instance.turn.run_phases(seals=True)
    assert len(here.replica.keyspace.outbox) == 1
    here.instance.turn.run_phases(seals=True)
    assert not here.replica.keyspace.outbox
