"""The scenario runner: errors for steps that are not possible."""

from __future__ import annotations

import pytest

from sim.scenarios.scenario import ScenarioError, perform_block


def refused(*steps: str) -> str:
    """Return the error of the last step, which is invalid."""
    with pytest.raises(ScenarioError) as caught:
        perform_block("\n".join(["regions eu us ap", *steps]))
    line, _, why = str(caught.value).partition(f": {steps[-1]!r}: ")
    assert line == f"line {len(steps) + 1}"
    return why


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("regions eu eu", 'region 2: name "eu" is that of region 1'),
        ("regions 7", "is not valid"),
        ("regions eu all", "'all' and '>' cannot be a region's name"),
        ("topology torus", "a topology is one of mesh, ring, star, line"),
        ("delay 40", "'40' is no time: write 200ms, 5s or 2m"),
        ("delay -5ms", "'-5ms' is no time"),
        ("backlog many", "'many' is no number of bytes above 0"),
        ("waiting 0", "'0' is no number of bytes above 0"),
        ("follower us 255 eu", "'us' cannot be a follower's name, or is there already"),
        ("follower all 255 eu", "'all' cannot be a follower's name"),
        ("follower f x eu", "'x' is no number of a region: give 1 to 255"),
        ("follower f 300 eu", "'300' is no number of a region: give 1 to 255"),
        ("follower f 255 mars", "no region is called 'mars'; there are: eu, us, ap"),
        ("follower f 255 eu us eu", "name each of those it follows once"),
        ("write mars SET k v", "no region is called 'mars'; there are: eu, us, ap"),
        ("write eu SET k v ;", "a command is missing beside a semicolon"),
        ("read all ; GET k", "a command is missing beside a semicolon"),
        ("write eu STE k v", "eu refuses it: ERR unknown command"),
        ("tell mars", "no region is called 'mars'"),
        ("cut eu eu", "eu and eu are one: name two"),
        ("silence eu > mars", "no region is called 'mars'"),
        ("silence eu >", "a direction is written A > B, with spaces"),
        ("silence eu us ap", "name one or two, or write A > B for one way"),
        ("heal mars", "no region is called 'mars'"),
        ("heal eu us", "nothing is cut or silent between eu and us"),
        ("unlink eu us ap", "a direction is written A > B, with spaces"),
        ("unlink eu > eu", "a direction is written A > B, with spaces"),
        ("crash mars", "no region is called 'mars'"),
        ("restart eu", "eu is up: `crash eu` first"),
        ("promote eu", "eu is no follower: say `follower eu N A` before the rest"),
        ("follow mars", "no region is called 'mars'"),
        ("wait long", "'long' is no time"),
        ("clock mars stop", "no region is called 'mars'"),
        ("clock eu 5s", "'5s' does nothing to a clock: +5s, -5s, stop or go"),
        ("clock eu +5", "'5' is no time"),
    ],
)
def test_wrong_step_names_right_form(step: str, why: str) -> None:
    assert why in refused(step)


@pytest.mark.parametrize(
    "step",
    ["regions a b", "topology ring", "delay 1s", "backlog 5", "waiting 5", "follower f 255 eu"],
)
def test_setup_step_after_begin_is_refused(step: str) -> None:
    assert refused("wait 1s", step) == "the world has begun: say this before"


def test_regions_are_named_before_those_that_follow_them() -> None:
    assert refused("follower f 255 eu", "regions a b") == "say this before the followers"


@pytest.mark.parametrize("step", ["write eu SET k v", "read all GET k", "crash eu", "keep eu"])
def test_step_of_down_region_is_refused(step: str) -> None:
    assert refused("crash eu", step) == "eu is down: `restart eu` first"


def test_wrong_ways_to_restart_are_refused() -> None:
    assert "'kepd' is no way in which eu can restart" in refused("crash eu", "restart eu kepd")
    assert "nothing was kept of eu" in refused("crash eu", "restart eu kept")
    assert "not both" in refused("crash eu", "restart eu amnesic unaware")
    follower = ("follower f 255 eu", "crash f")
    assert "is no way in which f can restart" in refused(*follower, "restart f unaware")


def test_region_step_of_follower_is_refused() -> None:
    assert refused("follower f 255 eu", "keep f") == "f is a follower; regions are: eu, us, ap"
    assert "f is a follower" in refused("follower f 255 eu", "follower g 254 f")
    assert "f is a follower" in refused("follower f 255 eu", "unlink f > eu")


def test_follower_follows_or_not() -> None:
    assert refused("follower f 255 eu", "follow f") == "f follows already"
    assert refused("follower f 255 eu", "promote f", "promote f") == "f follows nobody now"


def test_no_link_leads_between_two_points_of_star() -> None:
    assert refused("topology star", "unlink us > ap") == "no link leads from us to ap"


def test_one_region_is_healed_with_all_others() -> None:
    healed = perform_block(
        "regions eu us ap\ncut eu\ncut us ap\nwrite eu SET k v\nheal eu\nsettle\n"
    ).text
    assert healed.endswith("eu: k = v\nus: k = v\nap: k = v\n")


def test_file_lists_its_own_region() -> None:
    assert "lists eu itself too" in refused("list eu us")
