"""Checking types: correct types pass, wrong ones are found in few schedules and shrunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from crdt.testing import SUBJECTS, Disagreement, HistoryEvent, check_subject, check_type, subject_of
from crdt.testing.builtin_types import single_types
from crdt.testing.checking import Report
from crdt.testing.running import search
from tests.crdt.testing import planted

CART = [(planted.ADD, b"milk"), (planted.REMOVE, b"milk"), (planted.ADD, b"eggs")]
REGISTER = [(planted.WRITE, stamp, value) for stamp in (1, 2) for value in (b"a", b"b")]
TALLY = [(planted.ADD, 1), (planted.ADD, 10)]


def by_own_stamp(history: Sequence[HistoryEvent]) -> Any:
    """Return the latest value. This specification of `planted.Register` finds the stamp in the
    command."""
    live = [t for t in history if not any(other.saw(t) for other in history)]
    live.sort(key=lambda event: (-event.command[1], event.dot))
    return live[0].command[2] if live else None


Make = Callable[[], Any]
Spec = Callable[[Sequence[HistoryEvent]], Any]

RIGHT: list[tuple[Make, list[Any], Spec]] = [
    (planted.Cart, CART, single_types.add_wins),
    (planted.Register, REGISTER, by_own_stamp),
    (planted.Tally, TALLY, single_types.total),
    (planted.Blocklist, CART, single_types.remove_wins),
]

VALUE = "value equals specification"

# the wrong type, the law that finds it, and the number of steps
WRONG: list[tuple[Make, list[Any], Spec, str, int]] = [
    (planted.ForgetfulCart, CART, single_types.add_wins, VALUE, 4),
    (planted.GreedyCart, CART, single_types.add_wins, VALUE, 3),
    (planted.UnsortedCart, CART, single_types.add_wins, "merge is commutative", 2),
    (planted.OneSidedCart, CART, single_types.add_wins, VALUE, 2),
    (planted.LossyCart, CART, single_types.add_wins, VALUE, 3),
    (planted.HastyRegister, REGISTER, by_own_stamp, VALUE, 3),
    (planted.UndecidedRegister, REGISTER, by_own_stamp, VALUE, 2),
    (planted.DoubleTally, TALLY, single_types.total, VALUE, 4),
    (planted.StubbornTally, TALLY, single_types.total, "a deleted key is gone", 2),
    (planted.RashBlocklist, CART, single_types.remove_wins, VALUE, 3),
    (planted.HoardingBlocklist, CART, single_types.remove_wins, "no garbage is left", 1),
    (planted.Cart, CART, single_types.remove_wins, VALUE, 2),
]


@pytest.mark.no_cover  # it plays through everything that has tests of its own
@pytest.mark.parametrize(("make", "commands", "spec"), RIGHT)
def test_right_type_keeps_all_laws(make: Make, commands: list[Any], spec: Spec) -> None:
    report = check_type(make, commands, spec, schedules=30)
    assert set(report.laws) >= {
        VALUE,
        "a state reads back as it was",
        "duplicates are harmless",
        "encoding is canonical",
        "equal vectors, equal bytes",
        "equal vectors, equal digests",
        "garbage collection is invisible",
        "local effect equals remote effect",
        "merge is associative",
        "merge is commutative",
        "merge is idempotent",
        "merge equals operations",
        "no garbage is left",
    }


@pytest.mark.parametrize(("make", "commands", "spec", "law", "steps"), WRONG)
def test_wrong_type_is_found_and_shrunk(
    make: Make, commands: list[Any], spec: Spec, law: str, steps: int
) -> None:
    failure = search(subject_of(make, commands, spec), range(50))
    assert failure is not None
    assert isinstance(failure.error, Disagreement)
    assert failure.error.law == law
    assert len(failure.steps) == steps


def test_failure_is_script_and_two_values() -> None:
    with pytest.raises(AssertionError) as caught:
        check_type(planted.GreedyCart, CART, single_types.add_wins)
    text = str(caught.value)
    assert re.search(r"write \d \(1, b'milk'\)", text)
    assert "shows set(), the specification says {b" in text
    assert "found with seed" in text


def test_error_of_our_own_type_fails_its_check() -> None:
    subject = subject_of(planted.GreedyCart, CART, single_types.add_wins)
    with pytest.raises(AssertionError, match="found with seed"):
        check_subject(subject, schedules=10)


@pytest.mark.trio
async def test_check_runs_inside_event_loop() -> None:
    report = check_type(planted.Tally, TALLY, single_types.total, schedules=2)
    assert report.schedules == 2


def test_report_lists_checks() -> None:
    report = check_type(planted.Tally, TALLY, single_types.total, schedules=2)
    assert (report.subject, report.schedules) == ("Tally", 2)
    assert report.laws[VALUE] > 10


def test_arguments_of_check_subject_are_named() -> None:
    odd: Any = "Cart"
    with pytest.raises(TypeError, match=r"subject: expected Subject, not str: use subject_of"):
        check_subject(odd)
    for name in ("schedules", "seed", "length"):
        options: Any = {name: "5"}
        with pytest.raises(TypeError, match=f"{name}: expected an integer, not str"):
            check_subject(SUBJECTS["set"], **options)


def test_check_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="commands is empty"):
        check_type(planted.Cart, [], single_types.add_wins)
    with pytest.raises(ValueError, match="`schedules` is 0"):
        check_type(planted.Tally, TALLY, single_types.total, schedules=0)


def test_report_is_for_reading() -> None:
    laws = {"merge is idempotent": 12, "encoding is canonical": 4}
    report = Report("Cart", 3, laws, ("needs no order",), 180)
    assert str(report).splitlines() == [
        "Cart: 3 schedules of 180 steps kept these laws",
        "         4  encoding is canonical",
        "        12  merge is idempotent",
        "  needs no order",
    ]


def test_check_of_our_own_type_counts_schedules_and_steps() -> None:
    report = check_subject(SUBJECTS["set"], schedules=2, seed=3, length=10)
    assert (report.subject, report.schedules, report.contract) == ("set", 2, ())
    assert report.steps >= 20
    assert report.laws[VALUE] >= 20
    assert "steps" not in report.laws
