"""The text of a failure: a call to paste, and the readings after each step."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from crdt.testing import Failure, Foreign, Step, check_type, replay, subject_of
from crdt.testing.builtin_types import single_types
from crdt.testing.failure_text import annotated, comment, quoted, reading_text, spelled
from crdt.testing.subject import Disagreement
from tests.crdt.testing import planted
from tests.crdt.testing import right_types as right
from tests.crdt.testing import wrong_types as wrong

CART = [(planted.ADD, b"milk"), (planted.REMOVE, b"milk"), (planted.ADD, b"eggs")]


def is_even(value: Any) -> bool:
    return value % 2 == 0


def total(history: Any) -> int:
    return sum(event.command[1] for event in history)


class Greedy(planted.GreedyCart):
    """The same type, with another code."""

    code = 129


def two_phases(history: Any) -> set[str]:
    """Return the members that were added and never removed."""
    names = {"add": set[str](), "remove": set[str]()}
    for event in history:
        names[event.command[0]].add(event.command[1])
    return names["add"] - names["remove"]


def both(*members: str) -> list[tuple[str, str]]:
    return [(name, member) for member in members for name in ("add", "remove")]


ODD = both("a\n", "\\", "'", "x  # y", "#", "é")
QUOTES = both("'''")
BESIDE: dict[str, Any] = {"count": right.PNCounter, "set": wrong.ReaddingSet}
BESIDE_COMMANDS = [("count", "add", 1), ("set", "remove", "a"), ("set", "add", "a")]
CARTS: dict[str, Any] = {"good": planted.Cart, "bad": Greedy}
CARTS_COMMANDS = [(name, *command) for name in CARTS for command in CART]

PASTED: list[tuple[Any, list[Any], Any, dict[str, Any]]] = [
    (planted.GreedyCart, CART, single_types.add_wins, {"delete": False}),
    (right.PNCounter, [("add", 1)], None, {"invariant": is_even, "duplicates": False}),
    (right.PNCounter, [("add", 1)], None, {"invariant": [is_even]}),
    (wrong.ReaddingSet, ODD, None, {}),
    (wrong.ReaddingSet, QUOTES, None, {}),
    (BESIDE, BESIDE_COMMANDS, None, {}),
    (BESIDE, BESIDE_COMMANDS, {"count": total, "set": two_phases}, {"delivery": "any"}),
    (CARTS, CARTS_COMMANDS, {"good": single_types.add_wins, "bad": single_types.add_wins}, {}),
    ({"set": right.ObservedRemoveSet}, [("set", "add", 1)], None, {"invariant": is_even}),
]
NAMES: dict[str, Any] = {
    "replay": replay,
    "is_even": is_even,
    "total": total,
    "two_phases": two_phases,
    "add_wins": single_types.add_wins,
    "Greedy": Greedy,
    **{name: getattr(planted, name) for name in ("Cart", "GreedyCart")},
    **{name: getattr(right, name) for name in ("PNCounter", "ObservedRemoveSet")},
    "ReaddingSet": wrong.ReaddingSet,
}


@pytest.mark.parametrize(("make", "commands", "spec", "options"), PASTED)
def test_printed_call_fails_in_same_way(
    make: Any, commands: list[Any], spec: Any, options: dict[str, Any]
) -> None:
    with pytest.raises((AssertionError, TypeError)) as caught:
        check_type(make, commands, spec, schedules=20, **options)
    report = str(caught.value)
    call = report[report.index("\nreplay(") + 1 :]
    with pytest.raises((AssertionError, TypeError)) as again:
        exec(call, dict(NAMES))
    assert str(again.value) in report


def test_each_step_shows_what_it_changed() -> None:
    subject = subject_of(wrong.MaxCounter, [("add", 1), ("add", -1)])
    steps = [Step("write", 0, 0), Step("advance", 3, 0), Step("write", 0, 1), Step("settle")]
    failure = Failure(subject, steps[:3], Disagreement("a law", "was broken"))
    assert annotated(failure).splitlines() == [
        "write 1 ('add', 1)  # region 1 shows 1",
        "advance all 30",
        "write 1 ('add', -1)  # region 1 shows 0",
        "# when all has arrived: region 2 shows 1",
    ]
    mended = Failure(subject_of(right.PNCounter, [("add", 1)]), steps[:1], failure.error)
    assert "region 1 shows 1, region 2 shows 1, region 3 shows 1" in annotated(mended)


def test_failure_before_all_has_arrived_ends_with_its_step() -> None:
    subject = subject_of(right.PNCounter, [("add", 1)], None, {"invariant": is_even})
    failure = Failure(subject, [Step("write", 0, 0)], Disagreement("a law", "was broken"))
    assert annotated(failure) == "write 1 ('add', 1)  # region 1 shows 1"


def test_comment_is_one_line_without_second_comment() -> None:
    assert comment("  # ", {}) == ""
    assert comment("  # ", {"region 1": "'a  # b'\n"}) == "  # region 1 shows 'a # b'"


def test_answers_to_queries_are_named() -> None:
    assert reading_text({"value": 3, "has(1)": True}) == "3, has(1) = True"
    assert reading_text({b"a": 1}) == "{b'a': 1}"
    assert len(reading_text({"value": "a" * 100})) < 70


def test_script_is_quoted_as_it_can_be_read() -> None:
    assert quoted("settle") == "'''\nsettle\n'''"
    assert quoted("write 1 ('a', '\\n')").startswith("r'''")
    for script in ("write 1 (\"'''\",)", "write 1 ('\\n',)", "settle"):
        assert eval(quoted(script)).strip() == script


def test_nameless_value_is_shown_by_its_argument() -> None:
    document = Foreign(make=set[int], mutate=print, apply=print, value=len)
    assert spelled({"a": right.PNCounter, "b": document}) == ("{'a': PNCounter, 'b': document}")
    assert spelled({"a": lambda: 0, "b": right.PNCounter}) == ""
    assert spelled((KeyError,)) == "(KeyError,)"
    assert spelled([("add", object())]) == ""
    assert spelled([]) == "[]"
    assert spelled(None) == "None"


def test_nameless_arguments_are_listed() -> None:
    nameless: Any = partial(total)
    with pytest.raises(AssertionError) as caught:
        check_type(right.PNCounter, [("add", 1)], nameless, invariant=partial(is_even))
    note = "Replay it (`from crdt.testing import replay`), with `spec` and `invariant` as passed to"
    assert note in str(caught.value)
    assert "replay(PNCounter, [('add', 1)], spec, '''" in str(caught.value)
    assert ", invariant=invariant)" in str(caught.value)


def test_commands_that_fill_screen_are_called_by_their_name() -> None:
    many = [("add", number) for number in range(200)]
    with pytest.raises(AssertionError, match=r"replay\(PNCounter, commands, None, "):
        check_type(right.PNCounter, many, invariant=is_even)
