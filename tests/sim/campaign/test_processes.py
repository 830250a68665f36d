"""Campaigns in several processes: the same results, and an error if a process dies."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from contextlib import suppress

import pytest

from sim.campaign.processes import CpuExceeded, ProcessLost, limit_cpu, run_in_processes
from sim.engine.events import Engine


def square(number: int) -> int:
    return number * number


def die_at_four(number: int) -> int:
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def wait(number: int) -> int:
    if number:
        time.sleep(600)
    return number


def test_results_come_in_order_of_items() -> None:
    assert list(run_in_processes(square, range(7), 3)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(run_in_processes(square, [5], 1)) == [25]


def test_process_that_is_killed_is_named_and_others_are_ended() -> None:
    results = run_in_processes(die_at_four, range(8), 2)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ProcessLost, match="4: its process has ended with status -9"):
        next(results)
    assert multiprocessing.active_children() == []


def test_abandoned_results_leave_no_process() -> None:
    results = run_in_processes(wait, range(4), 2)
    assert next(results) == 0
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert multiprocessing.active_children() == []


def test_work_is_first_asked_to_end_and_then_broken_off() -> None:
    requests: list[BaseException] = []
    with limit_cpu(60, requests.append):
        signal.raise_signal(signal.SIGVTALRM)  # as the timer does
    assert [type(request) for request in requests] == [CpuExceeded]
    with pytest.raises(CpuExceeded), limit_cpu(0.1, requests.append):
        loop_for_ever()
    assert len(requests) == 2


def test_work_within_limit_is_left_alone() -> None:
    requests: list[BaseException] = []
    with limit_cpu(60, requests.append):
        pass
    assert requests == []


def test_events_end_before_work_is_broken_off() -> None:
    engine = Engine()

    def follow_itself() -> None:
        engine.schedule_after(1, follow_itself)

    follow_itself()
    with pytest.raises(CpuExceeded) as caught, limit_cpu(0.1, engine.interrupt):
        engine.run_until(10**18)
    assert re.fullmatch(r"\w+ in \w+\.py:\d+", str(caught.value))
    assert engine.interruption is None


def test_guard_against_crashes_does_not_take_limit_for_one() -> None:
    with pytest.raises(CpuExceeded), limit_cpu(0.1, lambda _error: None):
        loop_behind_a_guard()


def loop_behind_a_guard() -> None:
    with suppress(Exception):
        loop_for_ever()


def loop_for_ever() -> None:
    number = 0
    while True:
        number += 1
