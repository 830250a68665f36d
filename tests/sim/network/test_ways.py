"""Ways and pipes: order, delay, and faults."""

from __future__ import annotations

import pytest

from geo.latency import Latency, ms
from sim.engine.events import MS, SECOND, Engine
from sim.engine.rng import SeededRandom
from sim.network.ways import (
    BURST_NS_MAX,
    LOSSES_WHOLE,
    RETRANSMIT_NS,
    TIMEOUT_DOUBLINGS,
    Network,
    Pipe,
)


class Ends:
    """A pipe from eu to us, and its output."""

    def __init__(self, latency: Latency) -> None:
        self.engine = Engine()
        self.network = Network(
            self.engine, ["eu", "us"], latency=lambda _a, _b: latency, rng=SeededRandom(1, "test")
        )
        self.way = self.network.way("eu", "us")
        self.got: list[tuple[int, bytes]] = []
        self.ended: list[tuple[int, str]] = []
        self.pipe = self.connect()

    def connect(self) -> Pipe:
        """Make another pipe with the same far end."""
        return Pipe(
            self.way,
            lambda data: self.got.append((self.engine.now // MS, data)),
            lambda reason: self.ended.append((self.engine.now // MS, reason)),
        )

    @property
    def bytes(self) -> bytes:
        """Return all bytes that have arrived."""
        return b"".join(data for _, data in self.got)

    def conserves(self) -> bool:
        """Return whether all sent data was delivered, lost, or is in transit (I34)."""
        tally = self.way.tally
        under_way = sum(pipe.bytes_in_flight() for pipe in self.way.pipes)
        return tally.sent == tally.delivered + tally.lost + under_way


@pytest.fixture
def ends() -> Ends:
    return Ends(Latency.constant(ms(40)))


def test_bytes_take_delay_of_way(ends: Ends) -> None:
    ends.pipe.send(b"a")
    ends.engine.run_until(39 * MS)
    assert not ends.got
    ends.engine.run_until(40 * MS)
    assert ends.got == [(40, b"a")]


def test_bytes_stay_in_order_under_varying_delay() -> None:
    ends = Ends(Latency.uniform(0, ms(100)))
    sent = [bytes([i]) for i in range(200)]
    for data in sent:
        ends.pipe.send(data)
        ends.engine.run_until(ends.engine.now + MS)
    ends.engine.run_until(SECOND)
    assert [data for _, data in ends.got] == sent
    assert ends.conserves()


def test_closed_way_delays_data_until_opened(ends: Ends) -> None:
    ends.pipe.send(b"a")
    ends.way.close_once()
    ends.pipe.send(b"b")
    ends.engine.run_until(SECOND)
    assert not ends.got
    ends.way.open_once()
    ends.pipe.send(b"c")
    ends.engine.run_until(SECOND + RETRANSMIT_NS + 200 * MS)
    assert ends.bytes == b"abc"
    assert ends.conserves()


def test_way_opens_when_as_many_faults_are_over_as_began(ends: Ends) -> None:
    ends.way.close_once()
    ends.way.close_once()
    ends.way.open_once()
    assert not ends.way.is_open
    ends.way.open_once()
    assert ends.way.is_open
    with pytest.raises(AssertionError):
        ends.way.open_once()


def test_slow_way_and_narrow_one(ends: Ends) -> None:
    ends.way.slowness = 300
    ends.pipe.send(b"a")
    ends.engine.run_until(SECOND)
    assert ends.got == [(120, b"a")]
    ends.way.slowness = 100
    ends.way.bandwidth = 1000
    ends.pipe.send(bytes(100))
    ends.pipe.send(bytes(100))
    ends.engine.run_until(2 * SECOND)
    assert [at for at, _ in ends.got[1:]] == [1090, 1140, 1190, 1240]
    assert len(ends.bytes) == 201


def test_noise_flips_one_bit(ends: Ends) -> None:
    ends.way.flips = 1_000_000
    ends.pipe.send(bytes(50))
    ends.engine.run_until(SECOND)
    assert sum(bin(byte).count("1") for byte in ends.bytes) == 1
    assert ends.way.tally.flipped == 1


def test_pieces_add_up(ends: Ends) -> None:
    ends.way.chops = 100
    data = bytes(range(200))
    for _ in range(20):
        ends.pipe.send(data)
    ends.pipe.send(b"x")
    ends.engine.run_until(SECOND)
    assert ends.bytes == data * 20 + b"x"
    assert len(ends.got) > 41
    assert min(len(data) for _, data in ends.got) == 1
    assert ends.conserves()


def test_end_comes_after_data(ends: Ends) -> None:
    ends.pipe.send(b"a")
    ends.pipe.end("bye")
    ends.pipe.send(b"too late")
    ends.pipe.end("again")
    ends.engine.run_until(SECOND)
    assert (ends.bytes, ends.ended) == (b"a", [(40, "bye")])
    assert ends.pipe not in ends.way.pipes
    assert ends.conserves()


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 99])
def test_break_cuts_at_any_byte(ends: Ends, keep: int) -> None:
    ends.pipe.send(b"ab")
    ends.pipe.send(b"cd")
    ends.pipe.break_off("reset", keep)
    ends.engine.run_until(SECOND)
    assert ends.bytes == b"abcd"[:keep]
    assert ends.ended == [(40, "reset")]
    assert ends.conserves()


@pytest.mark.parametrize("keep", [0, 1, 150, 200, 399, 999])
def test_break_cuts_pieces_too(ends: Ends, keep: int) -> None:
    ends.way.chops = 100
    data = bytes(range(200))
    ends.pipe.send(data)
    ends.pipe.send(data)
    under_way = ends.pipe.bytes_in_flight()
    ends.pipe.break_off("reset", keep)
    ends.engine.run_until(SECOND)
    assert under_way == 400
    assert ends.bytes == (data * 2)[:keep]
    assert ends.conserves()


def test_silent_break_is_not_reported(ends: Ends) -> None:
    ends.pipe.send(b"ab")
    ends.pipe.break_off("", 1)
    ends.pipe.send(b"cd")
    ends.engine.run_until(SECOND)
    assert (ends.bytes, ends.ended) == (b"a", [])
    assert ends.conserves()


def test_connection_ends_once(ends: Ends) -> None:
    ends.pipe.break_off("a")
    ends.engine.run_until(SECOND)
    ends.pipe.break_off("b")
    ends.pipe.end("c")
    ends.engine.run_until(2 * SECOND)
    assert ends.ended == [(40, "a")]


def test_broken_end_can_break_again_before_detection(ends: Ends) -> None:
    ends.pipe.end("bye")
    ends.pipe.break_off("reset")
    ends.engine.run_until(SECOND)
    assert ends.ended == [(40, "reset")]


def test_late_bytes_of_old_connection_still_arrive() -> None:
    ends = Ends(Latency.uniform(0, ms(100)))
    old, new = ends.pipe, ends.connect()
    for i in range(30):
        old.send(bytes([i]))
        new.send(bytes([100 + i]))
    ends.engine.run_until(SECOND)
    mixed = [data[0] for _, data in ends.got]
    assert [x for x in mixed if x < 100] == list(range(30))
    assert mixed != sorted(mixed)


def test_network_knows_all_ways(ends: Ends) -> None:
    assert [(way.source, way.sink) for way in ends.network] == [("eu", "us"), ("us", "eu")]
    ends.pipe.send(b"abc")
    ends.engine.run_until(SECOND)
    assert ends.network.total_traffic().delivered == 3
    ends.network.way("us", "eu").slowness = 500
    assert ends.network.worst_delay() == 200 * MS


def test_way_is_clear_when_everything_has_arrived(ends: Ends) -> None:
    assert (ends.way.clear_at, ends.network.clear_at) == (0, 0)
    ends.pipe.send(b"a")
    ends.engine.run_until(10 * MS)
    ends.connect().send(b"b")
    assert ends.way.clear_at == ends.network.clear_at == 50 * MS
    ends.engine.run_until(60 * MS)
    assert (ends.way.clear_at, ends.network.clear_at) == (0, 60 * MS)


def test_lost_bytes_delay_later_ones(ends: Ends) -> None:
    ends.way.losses = LOSSES_WHOLE
    ends.pipe.send(b"lost each time")
    ends.way.losses = 0
    waits = sum(RETRANSMIT_NS << doubling for doubling in range(TIMEOUT_DOUBLINGS))
    assert ends.network.clear_at == waits + 40 * MS
    assert ends.way.tally.retransmitted == TIMEOUT_DOUBLINGS
    ends.pipe.send(b", and what comes behind it")
    assert ends.network.clear_at == waits + 40 * MS, "it goes with what it waits for"
    ends.engine.run_until(ends.network.clear_at - 1)
    assert ends.bytes == b""
    ends.engine.run_until(ends.network.clear_at)
    assert ends.bytes == b"lost each time, and what comes behind it"


def test_reopened_way_delivers_by_its_bound(ends: Ends) -> None:
    ends.way.close_once()
    ends.pipe.send(b"a")
    ends.engine.run_until(SECOND)
    ends.way.open_once()
    clear_at = ends.network.clear_at
    assert SECOND + 40 * MS <= clear_at < SECOND + RETRANSMIT_NS + 40 * MS
    ends.engine.run_until(clear_at - 1)
    assert ends.bytes == b""
    ends.engine.run_until(clear_at)
    assert ends.bytes == b"a"


def test_faults_hold_data_up_and_little_bandwidth_does_not(ends: Ends) -> None:
    way = ends.way
    way.bandwidth = 100
    ends.pipe.send(bytes(50))
    assert not way.is_held_up
    way.bandwidth = 0
    way.close_once()
    assert way.is_held_up
    ends.engine.run_until(SECOND)
    way.open_once()
    assert way.is_held_up, "what waited is sent again"
    ends.engine.run_until(way.clear_at)
    assert not way.is_held_up
    way.slowness = 300
    ends.pipe.send(b"a")
    way.slowness = 100
    assert way.is_held_up
    ends.engine.run_until(ends.engine.now + 120 * MS)
    assert not way.is_held_up
    ends.pipe.stop_reading()
    assert way.is_held_up
    ends.pipe.resume_reading()
    assert not way.is_held_up


def test_data_that_takes_exceptionally_long_is_held_up(ends: Ends) -> None:
    ends.way.latency = Latency.constant(ends.way.slow_ns)
    ends.pipe.send(b"a")
    assert not ends.way.is_held_up
    ends.way.latency = Latency.constant(ends.way.slow_ns + 1)
    ends.pipe.send(b"a")
    assert ends.way.is_held_up
    ends.engine.run_until(ends.way.slow_ns + 1)
    assert not ends.way.is_held_up


def test_arrived_bytes_are_read_immediately(ends: Ends) -> None:
    ends.pipe.stop_reading()
    ends.pipe.send(b"a")
    ends.engine.run_until(50 * MS)
    ends.pipe.send(b"b")
    ends.pipe.resume_reading()
    ends.engine.run_until(SECOND)
    assert ends.got == [(50, b"a"), (90, b"b")]
    assert ends.conserves()


def test_burst_of_losses_ends(ends: Ends) -> None:
    ends.way.bursts = 1_000
    ends.pipe.send(b"a")
    ends.engine.run_until(60 * SECOND)
    assert 0 < ends.way.lossy_until <= BURST_NS_MAX
    assert ends.bytes == b"a"


def test_noise_that_is_rare_leaves_bytes_as_they_are(ends: Ends) -> None:
    ends.way.flips = 1
    ends.pipe.send(b"abc")
    ends.engine.run_until(SECOND)
    assert (ends.bytes, ends.way.tally.flipped) == (b"abc", 0)
