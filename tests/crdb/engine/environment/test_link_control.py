"""Convergence: the links that count, and the replies that decide."""

from __future__ import annotations

import pytest

from crdb.engine.environment.link_control import (
    ConvergenceWait,
    LinkInfo,
    LinkOutOfReach,
    LinkState,
    NoSuchLink,
)
from tests.crdb.links import FlowingLinks
from tests.crdb.regions import Regions


@pytest.mark.parametrize("state", LinkState)
def test_link_is_live_unless_cut_or_peer_absent(state: LinkState) -> None:
    link = LinkInfo("a", "b", state)
    assert link.is_live == (state not in {LinkState.CUT, LinkState.DOWN})


def test_converged_when_all_ops_have_arrived() -> None:
    regions = Regions(3)
    links = FlowingLinks(regions)
    assert ConvergenceWait(links).is_over()
    regions.run(1, "SET", "k", "v")
    wait = ConvergenceWait(links)
    assert not wait.is_over()
    links.flow()
    assert wait.is_over()


def test_regions_that_no_live_link_connects_may_differ() -> None:
    regions = Regions(3)
    links = FlowingLinks(regions)
    for other in ("region-2", "region-3"):
        links.cut("region-1", other)
        links.cut(other, "region-1")
    regions.run(1, "SET", "k", "v")
    assert ConvergenceWait(links).is_over()
    regions.run(2, "SET", "k", "v")
    assert not ConvergenceWait(links).is_over()
    links.flow()
    assert ConvergenceWait(links).is_over()


def test_one_way_link_requires_only_its_direction() -> None:
    regions = Regions(2)
    links = FlowingLinks(regions)
    links.cut("region-1", "region-2")
    regions.run(1, "SET", "k", "v")
    assert ConvergenceWait(links).is_over()
    regions.run(2, "SET", "k", "v")
    assert not ConvergenceWait(links).is_over()


def test_relayed_effects_are_waited_for() -> None:
    regions = Regions(3)
    links = FlowingLinks(regions)
    links.cut("region-1", "region-2")
    regions.run(1, "SET", "k", "v")
    regions.send(1, 3)
    assert not ConvergenceWait(links).is_over()
    regions.send(3, 2)
    assert ConvergenceWait(links).is_over()


def test_only_replies_after_query_count() -> None:
    regions = Regions(2)
    links = FlowingLinks(regions, distant=[2])
    links.ask()
    links.answer()
    regions.run(2, "SET", "k", "v")
    wait = ConvergenceWait(links)
    assert not wait.is_over()
    asked = links.asked
    assert not wait.is_over()
    assert links.asked == asked, "one question at a time"
    links.answer()
    assert not wait.is_over()
    assert links.asked == asked + 1, "it is put again when the answer is not good enough"
    links.flow()
    links.answer()
    assert wait.is_over()


def test_errors_name_both_regions() -> None:
    assert str(NoSuchLink("a", "b")) == "there is no link from a to b"
    assert "from a to b" in str(LinkOutOfReach("a", "b"))
