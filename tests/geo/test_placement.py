"""Placement: the best hub, and the pairs that are faster through a relay."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.catalog import Catalog
from geo.errors import BadData
from geo.placement import Detour, Hub, detours, hubs
from geo.topology import Topology

NAMES = ("a", "b", "c", "d")
COSTS = st.fixed_dictionaries({pair: st.integers(1, 100) for pair in permutations(NAMES, 2)})


@given(COSTS)
def test_hub_is_judged_by_paths_of_its_star(costs: dict[tuple[str, str], int]) -> None:
    def weight(source: str, sink: str) -> int:
        return costs[source, sink]

    ranked = hubs(NAMES, weight)
    assert sorted(hub.region for hub in ranked) == list(NAMES)
    assert [(hub.mean, hub.worst) for hub in ranked] == sorted(
        (hub.mean, hub.worst) for hub in ranked
    )
    for hub in ranked:
        star = Topology.star(NAMES, hub.region)
        paths = [star.path(*pair, weight=weight).cost for pair in permutations(NAMES, 2)]
        assert (hub.worst, hub.mean) == (max(paths), sum(paths) // len(paths))


@given(COSTS)
def test_detour_is_best_single_relay(costs: dict[tuple[str, str], int]) -> None:
    found = {
        (it.source, it.sink): it for it in detours(NAMES, lambda a, b: costs[a, b], percent=10)
    }
    for source, sink in permutations(NAMES, 2):
        others = [name for name in NAMES if name not in (source, sink)]
        best = min(costs[source, via] + costs[via, sink] for via in others)
        if best * 100 < costs[source, sink] * 90:
            detour = found.pop((source, sink))
            assert (detour.direct, detour.relayed) == (costs[source, sink], best)
            assert costs[source, detour.relay] + costs[detour.relay, sink] == best
    assert not found


def seven(_source: str, _sink: str) -> int:
    return 7


def test_two_regions_have_no_relay_and_two_hubs() -> None:
    assert detours("ab", seven) == []
    assert hubs("ab", seven) == [Hub("a", 7, 7), Hub("b", 7, 7)]


def test_one_region_is_not_star() -> None:
    with pytest.raises(BadData, match="two regions at least"):
        hubs("a", seven)


@pytest.mark.parametrize(("provider", "count"), [("aws", 18), ("azure", 67)])
def test_measured_tables_have_detours(provider: str, count: int) -> None:
    catalog = Catalog.shipped()
    names = [region.full_name for region in catalog.of(provider)]
    assert len(detours(names, catalog.rtt_ns)) == count


def test_greatest_saving_comes_first() -> None:
    catalog = Catalog.shipped()
    found = detours([region.name for region in catalog.of("aws")], catalog.rtt_ns)
    first = Detour(
        "af-south-1", "ap-southeast-1", "ap-northeast-2", direct=381_000_000, relayed=270_000_000
    )
    assert found[0] == first
    assert first.saved_percent == pytest.approx(29.1, abs=0.05)
