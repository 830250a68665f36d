"""Conflict scenarios: parsing, and playing a file of them in the simulator."""

from __future__ import annotations

import pytest

from sim.scenarios.conflicts import (
    ClientStep,
    ScenarioError,
    parse_client_step,
    parse_conflicts,
)
from sim.scenarios.expectation import Expectation
from sim.scenarios.language import EXPECTED, ScenarioMistake
from sim.scenarios.scenario import perform_block

FILE = """# about
scenario one: a write
# more
regions r1 r2
unlink all
write r1 SET k v

scenario two
regions r1 r2
instant
"""


def test_file_holds_scenarios() -> None:
    one, two = parse_conflicts(FILE)
    assert one.name == "one: a write"
    assert one.steps == ((4, "regions r1 r2"), (5, "unlink all"), (6, "write r1 SET k v"))
    assert (one.is_instant, two.is_instant) == (False, True)


def test_step_before_first_scenario_is_refused() -> None:
    with pytest.raises(ScenarioError, match="line 1: 'sync': a file begins with `scenario NAME`"):
        parse_conflicts("sync")


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["r1", "GET", "k"], ClientStep("r1", (("GET", "k"),))),
        (["all@99", "GET", "k"], ClientStep("all", (("GET", "k"),), 99)),
        (
            ["r1", "MULTI", ";", "GET", "k", ";", "EXEC", EXPECTED, '["as x"] as both'],
            ClientStep(
                "r1",
                (("MULTI",), ("GET", "k"), ("EXEC",)),
                None,
                Expectation("exact", ["as x"]),
                "both",
            ),
        ),
    ],
)
def test_client_step_is_read(words: list[str], step: ClientStep) -> None:
    assert parse_client_step(words) == step


def test_clock_that_is_not_number_is_refused() -> None:
    with pytest.raises(ScenarioMistake, match="'now' is not a time in ms: write R@1700000000000"):
        parse_client_step(["r1@now", "PING"])


def test_file_of_scenarios_is_played_in_simulator() -> None:
    text = (
        FILE
        + "\nscenario three\nunmodelled\nregions eu us\nunlink all\nunlink eu > us\nsync eu us\n"
    )
    text += 'check all PING => "PONG"\n'
    assert perform_block(text).text == text


def test_file_of_scenarios_has_no_picture() -> None:
    with pytest.raises(ScenarioError, match="a file of many scenarios has no picture"):
        perform_block(FILE, is_drawn=True)


def test_wrong_reply_in_simulator_names_its_line() -> None:
    text = 'scenario x\nregions eu us\nwrite all SET k v\ncheck all@5 GET k => "w"\n'
    with pytest.raises(ScenarioError, match=r"line 4: .*: eu replies 'v', expected"):
        perform_block(text)
