"""The command line: accepted options, and one clear line for each error."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.campaign.command import SEED_MAX, parser
from sim.faults.kinds import FAULTS


def test_seed_alone_is_enough() -> None:
    asked = parser().parse_args(["7"])
    assert asked.seed == 7
    assert asked.seeds is None
    assert [asked.shrink, asked.trace, asked.write] == [False] * 3


def test_everything_can_be_asked_at_once() -> None:
    line = "9 --minutes 0.5 --regions 4 --topology ring --writes 20 --svg a.svg"
    line += " --followers 2 --faults cut,crash --jobs 3"
    asked = parser().parse_args(line.split())
    assert (asked.minutes, asked.regions, asked.topology, asked.writes) == (0.5, 4, "ring", 20)
    assert (asked.followers, asked.faults, asked.jobs) == (2, ("cut", "crash"), 3)
    assert asked.svg == Path("a.svg")


def test_range_includes_both_ends() -> None:
    assert list(parser().parse_args(["--seeds", "3-5"]).seeds) == [3, 4, 5]
    assert list(parser().parse_args(["--seeds", "3-3"]).seeds) == [3]


def test_all_faults_and_none() -> None:
    assert parser().parse_args(["1", "--faults", "all"]).faults == tuple(FAULTS)
    assert parser().parse_args(["1", "--faults", "none"]).faults == ()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x", "'x' is no seed"),
        (f"{SEED_MAX + 1}", "is no seed"),
        ("²", "is no seed"),
        ("--seeds 5", "'5' is no range of seeds"),
        ("--seeds 5-4", "'5-4' are not 1 to 1000000 seeds, upwards"),
        ("--seeds 0-1000000", "'0-1000000' are not 1 to 1000000 seeds, upwards"),
        (f"--seeds 0-{10**30}", "is no seed"),
        ("--seeds a-4", "is no range of seeds"),
        ("--seeds 4-b", "is no range of seeds"),
        ("--seeds ²-³", "is no range of seeds"),
        ("1 --minutes 0", "'0' is no number of minutes"),
        ("1 --minutes soon", "'soon' is no number of minutes"),
        ("1 --minutes nan", "'nan' is no number of minutes"),
        ("1 --regions 11", "'11' is not 2 to 10"),
        ("1 --regions 1", "'1' is not 2 to 10"),
        ("1 --regions ²", "'²' is not 2 to 10"),
        ("1 --followers 10", "'10' is not 0 to 9"),
        ("1 --followers ²", "'²' is not 0 to 9"),
        ("1 --jobs 0", "'0' is not 1 to 1000"),
        ("1 --jobs ²", "'²' is not 1 to 1000"),
        ("1 --writes 0", "'0' is not 1 to 100000"),
        ("1 --writes ²", "'²' is not 1 to 100000"),
        ("1 --faults cut,flood", "no fault is called 'flood'; there are: cut, split"),
        ("1 --topology cube", "invalid choice"),
    ],
)
def test_refused_options_give_one_line(
    line: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(line.split())
    output = capsys.readouterr().err
    assert stopped.value.code == 2
    assert output.startswith("sim: ")
    assert output.count("\n") == 1
    assert why in output


def test_greatest_seed_is_one() -> None:
    assert parser().parse_args([str(SEED_MAX)]).seed == SEED_MAX
