"""Virtual time: events happen at their time, and simultaneous ones in the order of request."""

from __future__ import annotations

from functools import partial

import pytest

from sim.engine.events import Engine


def test_time_decides_and_then_order_of_asking() -> None:
    engine, done = Engine(), list[tuple[str, int]]()

    def note(what: str) -> None:
        done.append((what, engine.now))

    for what, time in (("c", 30), ("a", 10), ("b", 30), ("d", 30)):
        engine.at(time, partial(note, what))
    engine.run_until(30)
    assert done == [("a", 10), ("c", 30), ("b", 30), ("d", 30)]
    assert engine.events == 4


def test_later_event_waits() -> None:
    engine, done = Engine(), list[int]()
    engine.schedule_after(11, lambda: done.append(engine.now))
    engine.run_until(10)
    assert (done, engine.now) == ([], 10)
    engine.run_until(11)
    assert done == [11]


def test_past_is_now() -> None:
    engine, done = Engine(), list[int]()
    engine.run_until(100)
    engine.at(5, lambda: done.append(engine.now))
    assert engine.step()
    assert done == [100]


def test_time_never_goes_back() -> None:
    engine = Engine()
    engine.run_until(100)
    engine.run_until(50)
    assert engine.now == 100


def test_event_may_schedule_events_in_same_run() -> None:
    engine, done = Engine(), list[int]()

    def again() -> None:
        done.append(engine.now)
        engine.schedule_after(10, again)

    engine.schedule_after(0, again)
    engine.run_until(30)
    assert done == [0, 10, 20, 30]


def test_step_is_one_event_and_there_may_be_none() -> None:
    engine, done = Engine(), list[str]()
    assert not engine.step()
    engine.at(3, lambda: done.append("a"))
    engine.at(4, lambda: done.append("b"))
    assert engine.step()
    assert (done, engine.now, engine.events) == (["a"], 3, 1)


def test_interruption_is_raised_between_two_events() -> None:
    engine, done = Engine(), list[int]()
    engine.at(1, lambda: engine.interrupt(KeyboardInterrupt()))
    engine.at(1, lambda: done.append(1))
    with pytest.raises(KeyboardInterrupt):
        engine.run_until(1)
    assert done == []
    assert engine.events == 1
