"""The reader and the judge of conformance scenarios, so that a scenario cannot pass by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.contract.scenarios.cases import (
    FAMILIES,
    LATER_MS,
    Act,
    Case,
    Expectation,
    Player,
    Refused,
    chosen,
    ours,
    read_line,
    satisfies,
    theirs,
)

YAML = """
- id: everything
  type: string
  regions: 2
  requires: ["json"]
  steps:
    - {t: 1, at: 1, cmd: ["SET", "k", 1], clock_ms: 1700, capture: "first"}
    - {t: 1, at: "*", cmd: ["GET", "k"], expect_any: ["1", "2"]}
    - {t: 2, sync: true}
    - {t: 2, sync: [1, 2]}
    - {t: 2, wait_ms: 30}
    - {t: 2, at: 2, tx: [["GET", "k"], ["DEL", "k"]], expect: ["1", 1]}
    - {t: 2, at: 2, cmd: ["X"], compare: "approx", tol: 0.5, expect: 3, select: "ids"}
    - {t: 2, at: 2, cmd: ["X"], expect_error: "^WRONGTYPE"}
    - {t: 3, at: 1, subscribe: "news"}
    - {t: 3, at: 1, message: "hello"}
"""


def test_all_families_of_ours_are_there() -> None:
    found = list(ours())
    assert len({case.name for case in found}) == len(found)
    assert len(found) > 60
    assert {case.family for case in found} == FAMILIES
    assert all(any(act.expect for act in case.acts) for case in found)


@pytest.mark.parametrize(
    ("line", "act"),
    [
        ("sync", Act(sync=())),
        ("sync 1 3", Act(sync=(1, 3))),
        ("later", Act(wait_ms=LATER_MS)),
        ("wait 70", Act(wait_ms=70)),
        ("2 SET k v", Act(at=2, commands=(("SET", "k", "v"),))),
        ("2 @99 GET k", Act(at=2, commands=(("GET", "k"),), clock_ms=99)),
        (
            "* GET k => any [1, null]",
            Act(at="*", commands=(("GET", "k"),), expect=Expectation("any", [1, None])),
        ),
        (
            "1 [SET a 1 | INCR a] => [true, 2] as both",
            Act(
                at=1,
                commands=(("SET", "a", "1"), ("INCR", "a")),
                is_transaction=True,
                expect=Expectation("exact", [True, 2]),
                capture="both",
            ),
        ),
        (
            '1 XRANGE s - + => ids unordered ["1-0"]',
            Act(
                at=1,
                commands=(("XRANGE", "s", "-", "+"),),
                expect=Expectation("unordered", ["1-0"], select="ids"),
            ),
        ),
    ],
)
def test_lines(line: str, act: Act) -> None:
    assert read_line(line) == act


def test_the_form_of_the_specification(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(YAML, encoding="utf-8")
    (case,) = theirs(file)
    later = Act(wait_ms=LATER_MS)
    assert case == Case(
        "everything",
        "string",
        2,
        (
            Act(at=1, commands=(("SET", "k", "1"),), clock_ms=1700, capture="first"),
            Act(at="*", commands=(("GET", "k"),), expect=Expectation("any", ["1", "2"])),
            later,
            Act(sync=()),
            Act(sync=(1, 2)),
            Act(wait_ms=30),
            Act(
                at=2,
                commands=(("GET", "k"), ("DEL", "k")),
                is_transaction=True,
                expect=Expectation("exact", ["1", 1]),
            ),
            Act(at=2, commands=(("X",),), expect=Expectation("approx", 3, 0.5, "ids")),
            Act(at=2, commands=(("X",),), expect=Expectation("error", "^WRONGTYPE")),
            later,
            Act(at=1, subscribe="news"),
            Act(at=1, message="hello"),
        ),
        ("json",),
    )


@pytest.mark.parametrize(
    ("reply", "wanted", "other"),
    [
        ("OK", Expectation("exact", True), "KO"),
        (1, Expectation("exact", True), 0),
        ({}, Expectation("exact", []), {"a": 1}),
        (("a", ["b"]), Expectation("exact", ["a", ["b"]]), ["a", "b"]),
        ({"b", "a"}, Expectation("unordered", ["a", "b"]), {"a"}),
        (["b", "a", "a"], Expectation("unordered", ["a", "b", "a"]), ["a", "b", "b"]),
        ("3.1000000000000001", Expectation("approx", 3.1), "3.2"),
        (["m", 1.0], Expectation("approx", ["m", "1"]), ["n", 1.0]),
        (None, Expectation("approx", None), 0.0),
        ('[{"a": 1}]', Expectation("json", {"a": 1}), '{"a": 2}'),
        (2, Expectation("any", [1, 2]), 3),
        (40, Expectation("range", [40, 50]), 51),
        ("v7.2", Expectation("match", r"v\d"), "seven"),
        (["a", "x", "b"], Expectation("subsequences", [["a", "b"], ["x"]]), ["b", "x", "a"]),
    ],
)
def test_replies_are_judged(reply: Any, wanted: Expectation, other: Any) -> None:
    assert satisfies(reply, wanted)
    assert not satisfies(other, wanted)
    assert not satisfies(Refused("ERR"), wanted)


def test_an_error_is_judged_by_its_text() -> None:
    wanted = Expectation("error", "^WRONGTYPE")
    assert satisfies(Refused("WRONGTYPE Operation"), wanted)
    assert not satisfies(Refused("ERR"), wanted)
    assert not satisfies("WRONGTYPE", wanted)


def test_parts_of_replies() -> None:
    entries: list[Any] = [("1-0", {"a": "b"}), ("2-0", {})]
    assert chosen(entries, "ids") == ["1-0", "2-0"]
    assert chosen([["stream", entries]], "ids") == ["1-0", "2-0"]
    assert chosen([{"message_id": "1-0"}], "ids") == ["1-0"]
    assert chosen([{"name": "g"}], "names") == ["g"]


class Scripted:
    """A backend that says what it was told to say, and remembers what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.asked: list[Any] = []

    def run(self, at: int, commands: Sequence[Sequence[str]], is_transaction: bool) -> Any:
        self.asked.append((at, *commands))
        return self.replies.pop(0)

    def sync(self, regions: Sequence[int]) -> None:
        self.asked.append(("sync", *regions))

    def wait(self, ms: int) -> None:
        self.asked.append(("wait", ms))

    def clock(self, at: int, ms: int | None) -> None:
        self.asked.append(("clock", at, ms))

    def subscribe(self, at: int, channel: str) -> None:
        self.asked.append(("subscribe", at, channel))

    def message(self, at: int) -> Any:
        return self.replies.pop(0)


def play(*lines: str, replies: Sequence[Any], regions: int = 2) -> list[Any]:
    """What a backend is asked for by a scenario."""
    backend = Scripted(*replies)
    acts = tuple(map(read_line, lines))
    Player(Case("it", "string", regions, acts), backend).play()
    return backend.asked


def test_a_scenario_is_carried_out() -> None:
    asked = play(
        "1 @5 INCR k => 7 as n",
        "sync 1 2",
        "2 SET ${n} x",
        '* GET k => "7"',
        replies=[7, True, "7", "7"],
    )
    assert asked == [
        ("clock", 1, 5),
        (1, ("INCR", "k")),
        ("clock", 1, None),
        ("sync", 1, 2),
        (2, ("SET", "7", "x")),
        (1, ("GET", "k")),
        (2, ("GET", "k")),
    ]


@pytest.mark.parametrize(
    ("lines", "replies"),
    [
        (['1 GET k => "a"'], ["b"]),
        (['* GET k => "a"'], ["a", "b"]),
        (['* GET k => any ["a", "b"]'], ["a", "b"]),
    ],
)
def test_a_wrong_reply_fails(lines: list[str], replies: list[Any]) -> None:
    with pytest.raises(AssertionError):
        play(*lines, replies=replies)


def test_regions_may_differ_between_syncs() -> None:
    lines = ["1 GET k => any [1, 2]", "sync", "1 GET k => any [1, 2]"]
    assert play(*lines, replies=[1, 2])
