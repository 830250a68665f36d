"""Groups of commands about deadlines: drawn in order, close together, and with equal stamps."""

from __future__ import annotations

from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.deadlines import SPREAD_NS, TOGETHER, contend_for_deadline, draw_deadline_steps
from sim.schedule.step import ScheduleStep

NAMES = ("eu", "us", "ap")


def drawn(seed: int, end: int = 200 * SECOND) -> list[ScheduleStep]:
    return list(draw_deadline_steps(SeededRandom(seed, "x"), NAMES, end))


def test_steps_are_in_order_and_groups_are_drawn_of_each_kind() -> None:
    steps = drawn(1)
    times = [step.at for step in steps]
    assert times == sorted(times)
    assert steps == drawn(1)
    assert steps != drawn(2)
    keys = {step.commands[0][1].partition(":")[0] for step in steps}
    assert keys == {"ends", "lasts"}
    assert drawn(1, end=0) == []


def test_keys_of_one_turn_end_together() -> None:
    steps = [step for step in drawn(1) if step.commands[0][1].startswith("ends")]
    for step in steps:
        assert len({words[1] for words in step.commands}) == TOGETHER
        assert len({words[4] for words in step.commands}) == 1


def test_all_regions_change_one_key_two_times() -> None:
    first, *others = contend_for_deadline(SeededRandom(3, "x"), NAMES, SECOND, "k")
    assert [words[0] for words in first.commands] == ["SADD", "PEXPIRE"]
    assert len(others) == 12
    for start in (0, 3, 6, 9):
        group = others[start : start + 3]
        assert {step.regions[0] for step in group} == set(NAMES)
        assert group[-1].at - group[0].at < SPREAD_NS
    for step in (*others[3:6], *others[9:]):
        assert step.commands == (("PTTL", "k"), ("PEXPIRETIME", "k"))
    assert {words[1] for step in others for words in step.commands} == {"k"}


def test_absolute_deadlines_are_equal() -> None:
    steps = contend_for_deadline(SeededRandom(1, "x"), NAMES * 20, SECOND, "k")
    stamps = {w[2] for step in steps for w in step.commands if w[0] == "PEXPIREAT"}
    assert len(stamps) == 1
