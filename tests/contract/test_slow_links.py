"""Links of every bandwidth catch up in about the transfer time, and stay up meanwhile."""

from __future__ import annotations

import random

import pytest

from replication.protocol.events import Closed
from sim.engine.events import SECOND
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld

VALUE_BYTES = 900
ROOMY = Tuning(history_bytes=8 << 20)
SHORT = Tuning(history_bytes=100_000)


class Parted:
    """A world in which `eu` has written what `us` has not heard of, on ways of so many bytes a
    second."""

    def __init__(self, rate: int, regions: int = 2, tuning: Tuning = ROOMY) -> None:
        self.rate = rate
        self.world = SimWorld(Plan.of(["eu", "us", "ap"][:regions], delay_ms=20, tuning=tuning), 1)
        self.world.sleep(2 * SECOND)
        self.world.cut("eu", "us")
        self.size = 0
        self.rng = random.Random(1)

    def write(self, count: int, size: int = VALUE_BYTES) -> None:
        """Write values that cannot be made smaller, and wait until all but `us` have them."""
        for _ in range(count):
            self.size += size
            self.world.run("eu", "SET", f"k{self.size}", self.rng.randbytes(size // 2).hex())
        self.world.sleep(SECOND)

    def heal(self) -> float:
        """Heal the cut; how many seconds it takes to catch up."""
        world = self.world
        for way in world.network:
            way.bandwidth = self.rate
        begin, sent, self.ended = world.now, self.sent(), self.closed()
        world.heal("eu", "us")
        assert world.converge(3600 * SECOND)
        took = (world.now - begin) / SECOND
        world.sleep(5 * SECOND)
        self.ended = self.closed() - self.ended
        self.brought = self.sent() - sent
        world.check_end()
        return took

    @property
    def needed(self) -> float:
        """Return the transfer time of the values alone, in seconds."""
        return self.size / self.rate

    def sent(self) -> int:
        """Return the number of bytes sent to `us`."""
        return sum(way.tally.sent for way in self.world.network if way.sink == "us")

    def closed(self) -> int:
        """Return the number of ended links."""
        return self.world.events.get(Closed.__name__, 0)


@pytest.mark.parametrize("rate", [5_000, 20_000, 40_000, 50_000, 60_000, 100_000])
def test_backlog_takes_about_time_of_its_bytes(rate: int) -> None:
    parted = Parted(rate)
    parted.write(528_000 // VALUE_BYTES)
    assert parted.heal() < 1.25 * parted.needed + 1
    assert parted.ended == 0


def test_even_one_kilobyte_second_catches_up() -> None:
    parted = Parted(1_000)
    parted.write(60)
    assert parted.heal() < 3 * parted.needed


def test_fast_link_is_not_held_up() -> None:
    parted = Parted(5_000_000)
    parted.write(1000)
    assert parted.heal() < 2 * parted.needed + 0.3


@pytest.mark.parametrize("rate", [5_000, 20_000])
def test_snapshot_over_slow_link_is_not_restarted(rate: int) -> None:
    parted = Parted(rate, tuning=SHORT)
    parted.write(400)
    assert parted.heal() < 1.25 * parted.needed + 1
    assert parted.ended == 0
    assert parted.world.events["Merged"] == 1


@pytest.mark.parametrize("rate", [5_000, 20_000])
def test_one_large_op_over_slow_link_arrives(rate: int) -> None:
    parted = Parted(rate)
    parted.write(1, 300_000)
    assert parted.heal() < 1.25 * parted.needed + 1
    assert parted.ended == 0


def test_both_directions_catch_up_at_same_time() -> None:
    parted = Parted(10_000)
    for number in range(100):
        parted.world.run("us", "SET", f"u{number}", "v" * VALUE_BYTES)
    parted.write(100)
    assert parted.heal() < 2 * parted.needed + 1
    assert parted.ended == 0


@pytest.mark.parametrize("rate", [20_000, 100_000, 500_000, 1_000_000])
@pytest.mark.parametrize("regions", [2, 3])
def test_ops_under_way_are_not_requested_from_others(rate: int, regions: int) -> None:
    parted = Parted(rate, regions)
    parted.write(600)
    parted.heal()
    assert parted.brought < 1.15 * parted.size
    assert parted.world.sites["us"].replica.effects_duplicate < 20
