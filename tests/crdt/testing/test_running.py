"""Schedules as scripts, and failures: found, distinguished and shrunk."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from crdt import Replica
from crdt.testing import (
    SUBJECTS,
    Disagreement,
    Failure,
    Step,
    Subject,
    parse,
    run_script,
    script,
    search,
)
from crdt.testing.running import attempt, diagnose, find_unsteady, signature, spell


def test_schedule_is_script_and_back() -> None:
    subject = SUBJECTS["set"]
    steps = [Step("write", 1, 2), Step("deliver", 0, 0), Step("advance", 3, 0), Step("settle")]
    text = script(subject, steps)
    assert text.splitlines() == [
        "subject set",
        f"write 2 {subject.commands[2]}",
        "deliver 1 0",
        "advance all 30",
        "settle",
    ]
    assert parse(subject, text + "\n\n# the end\n") == steps


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown step 'dance'"):
        parse(SUBJECTS["set"], "dance 1")
    with pytest.raises(ValueError, match="no command 'SADD x y'"):
        parse(SUBJECTS["set"], "write 1 SADD x y")
    with pytest.raises(ValueError, match="step 'deliver' takes 2 numbers, and has 1: '1'"):
        parse(SUBJECTS["set"], "deliver 1")
    with pytest.raises(ValueError, match="'x' is not the number of a region"):
        parse(SUBJECTS["set"], "collect x")
    odd: Any = None
    with pytest.raises(TypeError, match="text: expected str, not NoneType: use the lines that"):
        parse(SUBJECTS["set"], odd)


def broken(reading: object) -> Subject:
    """Return a subject whose replicas are read wrongly."""

    def read(replica: Replica) -> object:
        if isinstance(reading, Exception) and replica.keyspace.size():
            raise reading
        return {}

    set_ = SUBJECTS["set"]
    return Subject("broken", set_.commands, set_.perform, read, set_.spec)


def test_failure_contains_replay_call() -> None:
    failure = search(broken(None), range(5))
    assert failure is not None
    assert len(failure.steps) == 1
    text = str(failure)
    assert text.startswith(f"found with seed {failure.seed}, 1 step:")
    assert "subject broken" in text
    with pytest.raises(Disagreement):
        run_script(broken(None), text.partition("\n\n")[2].partition("\n\n")[0])


@pytest.mark.parametrize(
    "error", [KeyError("lost"), AttributeError("none"), TypeError("odd"), RuntimeError("no")]
)
def test_crash_is_failure_of_its_own_kind(error: Exception) -> None:
    failure = search(broken(error), range(5))
    assert failure is not None
    assert type(failure.error) is type(error)
    assert signature(failure.error)[0] == type(error).__name__
    assert type(error).__name__ in str(failure)
    assert len(failure.steps) == 1


def test_another_failure_is_not_taken_for_same() -> None:
    assert signature(Disagreement("one law", "")) != signature(Disagreement("another", ""))


def test_kept_laws_are_counted() -> None:
    counts = {"value equals specification": 1}
    assert attempt(SUBJECTS["set"], [Step("write", 0, 0)], counts) is None
    assert counts["value equals specification"] > 1


def test_no_failure_is_none() -> None:
    assert search(SUBJECTS["set"], range(1), 5) is None


def test_failure_without_seed_is_one_too() -> None:
    failure = Failure(SUBJECTS["set"], [], Disagreement("a law", "was broken"))
    assert str(failure).splitlines() == ["0 steps:", "", "subject set", "", "a law: was broken"]


def test_commands_without_literal_are_numbered() -> None:
    assert spell(("add", object()), 3) == "command 3"
    assert spell(("add", "milk"), 3) == "('add', 'milk')"


def test_type_that_does_not_fail_again_is_called_random() -> None:
    rng = Random(1)

    def read(replica: Replica) -> object:
        del replica
        return rng.random()

    set_ = SUBJECTS["set"]
    random_subject = Subject("random", set_.commands, set_.perform, read, set_.spec)
    steps = [Step("write", 0, 0), Step("settle")]
    doubt = find_unsteady(random_subject, steps, Disagreement("another law", "was broken"))
    assert doubt is not None
    assert doubt.law == "the same steps give the same results"
    assert "run 2:" in str(doubt)
    assert "in two runs region" in str(doubt)
    again = find_unsteady(random_subject, steps, doubt)
    assert again is not None
    assert again.args == doubt.args
    failure = diagnose(random_subject, steps, Disagreement("another law", "was broken"))
    assert isinstance(failure.error, Disagreement)
    assert failure.error.law == doubt.law


def test_progress_is_reported_after_each_schedule() -> None:
    reported: list[tuple[int, int]] = []
    search(
        SUBJECTS["set"], range(2), 5, on_progress=lambda done, total: reported.append((done, total))
    )
    assert reported == [(1, 2), (2, 2)]


def test_command_without_literal_is_spelled_by_its_number() -> None:
    assert spell((object(),), 3) == "command 3"
    assert spell((float,), 4) == "command 4"


def test_unrepeatable_failure_is_reported_as_such() -> None:
    steps = [Step("write", 0, 0), Step("settle")]
    doubt = find_unsteady(SUBJECTS["set"], steps, Disagreement("another law", "was broken"))
    assert doubt is not None
    assert doubt.args[1].splitlines() == [
        "they do not",
        "run 1: another law: was broken",
        "run 2: no failure",
        "run 3: no failure",
    ]


def test_failure_that_goes_away_once_it_is_shrunk_is_doubted() -> None:
    set_ = SUBJECTS["set"]
    limit, performed = 1 << 60, 0

    def perform(replica: Replica, command: object) -> object:
        nonlocal performed
        performed += 1
        return set_.perform(replica, command)

    def read(replica: Replica) -> object:
        if replica.keyspace.size() and performed <= limit:
            raise Disagreement("a law", "was broken")
        return set_.read(replica)

    subject = Subject("tiring", set_.commands, perform, read, set_.spec)
    steps, error = [Step("write", 0, 0), Step("settle")], Disagreement("a law", "was broken")
    steady = diagnose(subject, steps, error)
    assert steady.error.args == error.args
    limit, performed = performed - 1, 0
    failure = diagnose(subject, steps, error)
    assert failure.steps == steady.steps == [Step("write", 0, 0)]
    assert isinstance(failure.error, Disagreement)
    assert failure.error.law == "the same steps give the same results"
    assert "run 3: no failure" in str(failure.error)
