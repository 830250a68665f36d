"""Playing a conflict scenario: the calls to a backend, and the reasons for which it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sim.nodes.client import Refusal, Reply
from sim.scenarios.conflicts import Commands, ConflictScenario, ScenarioError
from tests.contract.conflicts.playing import play_conflict


class Scripted:
    """A backend with prepared replies that records what it is asked for."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Any] = []

    def begin(self, names: Sequence[str]) -> None:
        self.asked.append(("begin", *names))

    def run(self, place: str, commands: Commands) -> list[Reply]:
        self.asked.append((place, *commands))
        return [self.replies.pop(0)]

    def sync(self, places: Sequence[str]) -> None:
        self.asked.append(("sync", *places))

    def wait(self, ms: int) -> None:
        self.asked.append(("wait", ms))

    def set_clock(self, place: str, ms: int | None) -> None:
        self.asked.append(("clock", place, ms))


def play(*lines: str, replies: Sequence[Reply] = ()) -> list[Any]:
    """Return what a backend is asked for by a scenario of regions r1 and r2."""
    backend = Scripted(*replies)
    steps = tuple(enumerate(("regions r1 r2", *lines), 1))
    play_conflict(ConflictScenario("it", steps), backend)
    return backend.asked


def test_scenario_is_played_on_backend() -> None:
    asked = play(
        "instant",
        "unlink all",
        "check r1@5 INCR k => 7 as n",
        "sync r1",
        "wait 70ms",
        "write r2 SET ${n} x",
        'check all GET k => "${n}"',
        "check r1 MGET a b => [1, ${n}]".replace("${n}", '"${n}"'),
        "sync",
        replies=[7, "OK", 7, 7, [1, 7]],
    )
    assert asked == [
        ("begin", "r1", "r2"),
        ("clock", "r1", 5),
        ("r1", ("INCR", "k")),
        ("clock", "r1", None),
        ("sync", "r1"),
        ("wait", 70),
        ("r2", ("SET", "7", "x")),
        ("r1", ("GET", "k")),
        ("r2", ("GET", "k")),
        ("r1", ("MGET", "a", "b")),
        ("sync", "r1", "r2"),
    ]


def test_captured_reply_fills_part_of_text() -> None:
    asked = play("check r1 INCR k => 7 as n", "write r1 SET key:${n} x", replies=[7, "OK"])
    assert asked[-1] == ("r1", ("SET", "key:7", "x"))


@pytest.mark.parametrize(
    ("lines", "replies", "why"),
    [
        (['check r1 GET k => "a"'], ["b"], "r1 replies 'b', expected"),
        (['check all GET k => "a"'], ["a", "b"], "r2 replies 'b', expected"),
        (['check all GET k => any ["a", "b"]'], ["a", "b"], "r2 replies 'b', another region 'a'"),
        (["write r1 FOO"], [Refusal("ERR no")], "r1 refuses it: ERR no"),
        (["write r3 PING"], [], "no region is called 'r3'; there are: r1, r2"),
        (["sync r3"], [], "the regions are: r1, r2"),
        (["unlink r1"], [], "only a simulated link can be cut alone: write unlink all"),
        (["settle"], [], "there is no step 'settle'"),
    ],
)
def test_scenario_fails_with_reason(lines: list[str], replies: list[Reply], why: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        play(*lines, replies=replies)
    assert why in str(caught.value)


def test_regions_may_differ_between_syncs() -> None:
    check = 'check r1 GET k => any ["a", "b"]'
    assert len(play(check, "sync", check, replies=["a", "b"])) == 3
