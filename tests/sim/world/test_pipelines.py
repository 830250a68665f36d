"""A pipeline that is longer than one batch is answered to its end."""

from __future__ import annotations

import pytest

from crdb.engine.instance import Instance
from sim.engine.checker import Violation
from sim.schedule.plan import Plan
from sim.world.pipelines import REQUESTS, check_pipelines, send_pipeline
from sim.world.world import SimWorld


def test_long_pipeline_is_answered() -> None:
    send_pipeline(SimWorld(Plan.of(["eu", "us"])), "us")


def do_nothing(*_: object) -> None:
    """Wake nobody."""


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_pipeline_that_stops_in_the_middle_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Instance, "wake", do_nothing)
    with pytest.raises(Violation, match="pipelines: eu answers 4096 of 5000 requests"):
        send_pipeline(SimWorld(Plan.of(["eu", "us"])), "eu")


def test_pipeline_is_sent_in_some_runs() -> None:
    sent: list[int] = []
    for seed in range(30):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        before = sum(site.instance.statistics.commands for site in world.sites.values())
        check_pipelines(world)
        after = sum(site.instance.statistics.commands for site in world.sites.values())
        sent.append(after - before)
    assert set(sent) == {0, REQUESTS}
