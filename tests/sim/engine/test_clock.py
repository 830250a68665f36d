"""Wall clocks: offset, drift and steps."""

from __future__ import annotations

from sim.engine.clock import EPOCH_MS, WallClock
from sim.engine.events import MS, SECOND


def test_right_clock_shows_epoch_and_whole_milliseconds_since() -> None:
    clock = WallClock()
    assert clock.read_ms(0) == EPOCH_MS
    assert clock.read_ms(3 * MS - 1) == EPOCH_MS + 2
    assert clock.read_ms(3 * MS) == EPOCH_MS + 3


def test_offset_and_steps_add_up() -> None:
    clock = WallClock(offset_ms=-50)
    clock.step_by(20)
    clock.step_by(-100)
    assert clock.read_ms(SECOND) == EPOCH_MS + 1000 - 130


def test_drift_is_in_millionths() -> None:
    assert WallClock(drift_ppm=1000).read_ms(10 * SECOND) == EPOCH_MS + 10_010
    assert WallClock(drift_ppm=-1000).read_ms(10 * SECOND) == EPOCH_MS + 9_990


def test_new_drift_keeps_earlier_offset() -> None:
    clock = WallClock(drift_ppm=1000)
    clock.set_drift(-2000, 10 * SECOND)
    assert clock.read_ms(10 * SECOND) == EPOCH_MS + 10_010
    assert clock.read_ms(15 * SECOND) == EPOCH_MS + 15_000


def test_stopped_clock_stands_still_but_for_steps() -> None:
    clock = WallClock()
    clock.stop_at(clock.read_ms(SECOND))
    clock.step_by(-300)
    assert clock.read_ms(9 * SECOND) == EPOCH_MS + 700
    clock.stop_at(None)
    assert clock.read_ms(9 * SECOND) == EPOCH_MS + 8_700


def test_coarse_clock_shows_multiples_of_its_tick() -> None:
    clock = WallClock(offset_ms=-50)
    clock.tick_ms = 1_000
    assert clock.read_ms(10 * SECOND) == EPOCH_MS + 9_000
