"""The second stack on which scripts run."""

from __future__ import annotations

import gc

import pytest

from crdb.engine.scripting.fiber import Fiber


def test_task_pauses_and_goes_on() -> None:
    fiber, seen = Fiber(), [0]

    def task() -> None:
        for number in (1, 2):
            seen.append(number)
            fiber.pause()
        seen.append(3)

    assert not fiber.start(task)
    assert seen == [0, 1]
    assert not fiber.resume()
    assert fiber.resume()
    assert seen == [0, 1, 2, 3]


def test_one_stack_serves_many_tasks() -> None:
    fiber, seen = Fiber(), list[int]()
    for number in range(3):
        assert fiber.start(lambda number=number: seen.append(number))
    assert seen == [0, 1, 2]


def test_error_of_a_task_is_raised_where_it_was_started() -> None:
    fiber = Fiber()

    def task() -> None:
        fiber.pause()
        raise ValueError("from within")

    assert not fiber.start(task)
    with pytest.raises(ValueError, match="from within"):
        fiber.resume()
    assert fiber.start(lambda: None), "the next task gets a new stack"


def test_task_that_nobody_resumes_is_told_to_end() -> None:
    fiber, told = Fiber(), list[bool]()

    def task() -> None:
        told.append(fiber.pause())

    assert not fiber.start(task)
    fiber.body = fiber.caller = None
    gc.collect()
    assert told == [False]
