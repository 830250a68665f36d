"""Links of every bandwidth catch up in about the transfer time, and stay up meanwhile."""

from __future__ import annotations

import random

import pytest

from replication.machines.sending.pacing import FIRST_BYTES, LEAST_BYTES
from replication.protocol.backoff import CONNECT_NS_MAX, WAIT_NS_MAX
from replication.protocol.events import Closed
from replication.protocol.limits import Limits
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld

VALUE_BYTES = 900
ROOMY = Tuning(history_bytes=8 << 20)
SHORT = Tuning(history_bytes=100_000)


class Parted:
    """A world in which `us` lacks writes of `eu`, on ways of so many bytes a second."""

    def __init__(self, rate: int, regions: int = 2, tuning: Tuning = ROOMY) -> None:
        self.rate = rate
        self.world = SimWorld(Plan.of(["eu", "us", "ap"][:regions], delay_ms=20, tuning=tuning), 1)
        self.world.sleep(2 * SECOND)
        self.world.cut("eu", "us")
        self.size = 0
        self.rng = random.Random(1)

    def write(self, count: int, size: int = VALUE_BYTES) -> None:
        """Write values that do not compress, each in its own op, and wait until all but `us` have
        them."""
        self.begin_writing("eu", count, size)
        self.world.sleep(SECOND)

    def begin_writing(
        self, source: str, count: int, size: int = VALUE_BYTES, *, is_one_op: bool = False
    ) -> None:
        """Begin to write values that do not compress, each in its own op or all in one."""
        commands = [
            ("SET", f"{source}{self.size}.{number}", self.rng.randbytes(size // 2).hex())
            for number in range(count)
        ]
        if is_one_op:
            self.world.run_all(source, ("MULTI",), *commands, ("EXEC",))
        else:
            for command in commands:
                self.world.run(source, *command)
                self.world.sleep(2 * MS)
        if source == "eu":
            self.size += count * size

    def heal(self) -> float:
        """Heal the cut. Return the number of seconds until `us` has caught up."""
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


@pytest.mark.parametrize("rate", [5_000, 10_000, 20_000])
@pytest.mark.parametrize("is_one_op", [True, False], ids=["one-op", "many-ops"])
@pytest.mark.parametrize("count", [100, 300])
def test_both_directions_catch_up_at_same_time(rate: int, is_one_op: bool, count: int) -> None:
    """Limit the time of two transfers in opposite directions.

    A window of bytes takes its time on the way. Then its acknowledgement waits behind a window of
    the other direction. So each direction uses at least half of its bandwidth. One second is added
    for connecting.
    """
    parted = Parted(rate)
    for source in ("us", "eu"):
        parted.begin_writing(source, count, is_one_op=is_one_op)
    parted.world.sleep(SECOND)
    assert parted.heal() < 2 * parted.needed + 1
    assert parted.ended == 0


@pytest.mark.parametrize("rate", [500, 1_000, 3_000])
@pytest.mark.parametrize("is_one_op", [True, False], ids=["one-op", "many-ops"])
def test_both_directions_catch_up_even_if_first_window_takes_too_long(
    rate: int, is_one_op: bool
) -> None:
    """Limit the time if the first window of each direction is too large.

    Each of these windows delays the acknowledgements of the other direction for longer than the
    silence that ends a link. So the next connections have smaller windows. The limit allows for
    three connections whose windows of 16, 4 and 1 KB were sent in vain. It also allows each of them
    the silence that ends it and the time to dial again. Again each direction uses at least half of
    its bandwidth.
    """
    parted = Parted(rate)
    for source in ("us", "eu"):
        parted.begin_writing(source, 30, is_one_op=is_one_op)
    parted.world.sleep(SECOND)
    in_vain = (FIRST_BYTES + FIRST_BYTES // 4 + LEAST_BYTES) / rate
    until_dialled = (Limits().silence_ns_max + CONNECT_NS_MAX + WAIT_NS_MAX) / SECOND
    assert parted.heal() < 2 * (parted.needed + in_vain) + 3 * until_dialled
    ended = parted.closed()
    parted.world.sleep(60 * SECOND)
    assert parted.closed() == ended


@pytest.mark.parametrize("rate", [20_000, 100_000, 500_000, 1_000_000])
@pytest.mark.parametrize("regions", [2, 3])
def test_ops_in_transit_are_not_requested_from_others(rate: int, regions: int) -> None:
    parted = Parted(rate, regions)
    parted.write(600)
    parted.heal()
    assert parted.brought < 1.15 * parted.size
    assert parted.world.sites["us"].replica.effects_duplicate < 20
