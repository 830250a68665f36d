"""Scenarios: the files in `tests/scenarios`, and their language."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.checkers.replicas.convergence import ConvergenceChecker
from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.scenarios import scenario
from sim.scenarios.scenario import (
    FORMS,
    ScenarioError,
    parse_scenario,
    perform_block,
)

SCENARIOS = sorted(Path(__file__).parents[2].joinpath("scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_file_equals_its_replay(path: Path) -> None:
    """If the output has changed on purpose: `python -m sim --scenario tests/scenarios/*.txt
    --write`."""
    expected = path.read_text(encoding="utf-8")
    assert replayed(expected).splitlines() == expected.splitlines()


def replayed(text: str) -> str:
    """Return a file with its actual output."""
    return perform_block(text).text


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12


def played(*steps: str, regions: str = "eu us") -> list[str]:
    """Return the output after some steps."""
    text = "\n".join([f"regions {regions}", *steps, "----"])
    return replayed(text).partition("----\n")[2].splitlines()


def test_blocks_end_with_empty_line() -> None:
    text = "# why\nwrite eu SET k v  # how\n----\nold answer\n\n\nread eu GET k\n----\nanother\n"
    first, second = parse_scenario(text)
    assert first.steps == ((2, "write eu SET k v  # how"),)
    assert first.source == ("# why", "write eu SET k v  # how")
    assert [line for _, line in second.steps] == ["read eu GET k"]


def test_block_may_lack_its_answer() -> None:
    assert replayed("regions eu us\nwrite eu SET k v") == (
        "regions eu us\nwrite eu SET k v\n----\neu: k = v\nus: nothing\n"
    )


def test_replaying_twice_changes_nothing() -> None:
    once = replayed("regions eu us\nwrite eu SET k v\nsettle\n----\n\nread us GET k\n----\n")
    assert replayed(once) == once


@pytest.mark.parametrize(
    ("steps", "number", "why"),
    [
        (["dance eu"], 2, "there is no step 'dance'; there are: regions, topology, "),
        (["write eu SET k 'v"], 2, "a quotation mark is not closed"),
        (["wait"], 2, "too few words: wait TIME"),
        (["", "wait 5s 6s"], 3, "too many words: wait TIME"),
        (["write eu"], 2, r"too few words: write R\|all COMMAND"),
        (["cut eu us ap"], 2, r"too many words: cut A \[B\]"),
        (["settle now"], 2, "too many words: settle"),
    ],
)
def test_nonsense_is_named_with_its_line(steps: list[str], number: int, why: str) -> None:
    with pytest.raises(ScenarioError, match=f"line {number}: .*{why}"):
        played(*steps)


def test_quotes_protect_spaces_and_comments() -> None:
    assert played(
        'write eu SET k "a # b"  # a comment', "read eu GET k", "  # another", "settle"
    ) == ["eu> GET k: a # b", "eu: k = a # b", "us: k = a # b"]


def test_reads_and_vectors_and_what_is_down_are_shown() -> None:
    assert played(
        "write eu INCRBY n 2 ; SET k v",
        "read all GET n ; GET k",
        "settle",
        "vectors",
        "crash us",
    ) == [
        "eu> GET n ; GET k: 2 v",
        "us> GET n ; GET k: - -",
        "eu has 1=2",
        "us has 1=2",
        "eu: k = v, n = 2",
        "us: down",
    ]


def test_cut_of_one_region_is_healed_pair_by_pair() -> None:
    assert (
        played(
            "cut eu",
            "write eu SET k v",
            "heal eu us",
            "wait 2s",
            "cut us ap",
            "read ap GET k",
            "heal",
            "settle",
            regions="eu us ap",
        )[0]
        == "ap> GET k: v"
    )


def test_silence_in_one_direction_stops_link_of_other() -> None:
    reported = played(
        "silence eu > us", "write us SET k v", "write eu SET l w", "wait 2s", "read all KEYS *"
    )
    assert reported[:2] == ["eu> KEYS *: [l k]", "us> KEYS *: [k]"]


def test_clocks_can_be_stopped_stepped_and_started() -> None:
    assert played(
        "clock all stop",
        "write eu SET k v PX 1000",
        "settle",
        "clock us +1s",
        "wait 5s",
        "read all EXISTS k",
        "clock us +1s",
        "read all EXISTS k",
        "clock all go",
        "wait 1s",
        "read all EXISTS k",
    )[:6] == [
        "eu> EXISTS k: 1",
        "us> EXISTS k: 1",
        "eu> EXISTS k: 1",
        "us> EXISTS k: 0",
        "eu> EXISTS k: 0",
        "us> EXISTS k: 0",
    ]


def test_scenario_that_does_not_converge_is_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.scenarios.runner.CONVERGE_MAX", 10 * MS)
    with pytest.raises(
        ScenarioError, match="line 3: 'settle': the regions have not converged within 0 s"
    ):
        played("write eu SET k v", "settle")


def test_followers_are_declared_cut_promoted_and_shown() -> None:
    assert played(
        "follower f 255 eu",
        "write eu SET k v",
        "settle",
        "cut f",
        "write eu SET k w",
        "wait 1s",
        "read f GET k",
        "heal",
        "settle",
        "promote f",
        "write f SET k x",
        "wait 1s",
    ) == ["f> GET k: v", "eu: k = w", "us: k = w", "f: k = x"]


def test_follower_keeps_its_data_until_its_source_has_some() -> None:
    promoted = ["follower f 255 eu", "promote f", "write f SET k x", "follow f", "wait 1s"]
    assert played(*promoted)[-1] == "f: k = x"
    assert played(*promoted, "write eu SET other v", "settle")[-1] == "f: other = v"


def test_unaware_region_writes_immediately() -> None:
    assert played(
        "write us SET k v",
        "settle",
        "crash us",
        "restart us unaware",
        "read us GET k",
        "write us SET l w",
        "wait 2s",
        regions="eu us",
    )[1:] == ["eu: k = v, l = w", "us: k = v, l = w"]


@pytest.mark.interpreted("gives a checker another method")
def test_broken_promise_is_named_with_line_that_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lie(_checker: ConvergenceChecker, _region: object, _changes: object) -> None:
        raise Violation("convergence", "they differ")

    monkeypatch.setattr(ConvergenceChecker, "on_turn_end", lie)
    with pytest.raises(ScenarioError, match="line 3: 'write us SET k v': convergence: they differ"):
        played("wait 1s", "write us SET k v")


@pytest.mark.interpreted("gives a checker another method")
def test_crash_is_named_with_its_line_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(_checker: ConvergenceChecker, _region: object, _changes: object) -> None:
        raise LookupError("not there")

    monkeypatch.setattr(ConvergenceChecker, "on_turn_end", fall)
    why = r"line 3: 'write us SET k v': no crash: LookupError: not there \(fall in test_scenario.py"
    with pytest.raises(ScenarioError, match=why):
        played("wait 1s", "write us SET k v")


def test_every_step_is_described() -> None:
    assert scenario.__doc__ is not None
    for name, form in FORMS.items():
        assert form.usage.partition(" ")[0] == name
        assert f" {name} " in scenario.__doc__.replace("`", " ")


def test_scenario_is_drawn_from_its_first_step_on() -> None:
    text = "regions eu us\ncut eu us\nwrite eu SET k v\nheal\nsettle\n----\n"
    drawn = perform_block(text, is_drawn=True).picture
    assert drawn.lstrip().startswith("<svg")
    assert "SET k v" in drawn
    assert "boot" not in drawn


def test_run_may_be_followed_by_block_of_comments() -> None:
    text = "run 7\nregions eu us\nlength 1s\n----\n\n# nothing happens here\n----\n"
    verdict = "unknown: nothing was written"
    assert replayed(text) == f"run 7\nregions eu us\nlength 1s\n----\n{verdict}\n"
