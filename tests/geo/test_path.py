"""Shortest paths, compared with a search of all paths."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadData
from geo.path import Link, Path, hops, shortest_paths

NAMES = "abcdef"


@st.composite
def graphs(draw: st.DrawFn) -> dict[Link, int]:
    """Draw directed links between six regions, with small weights, so that ties are frequent."""
    links = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(
        lambda it: it[0] != it[1]
    )
    return draw(st.dictionaries(links, st.integers(0, 3), max_size=18))


def adjacency(weights: dict[Link, int]) -> dict[str, list[str]]:
    return {name: [sink for sink in NAMES if (name, sink) in weights] for name in NAMES}


def simple_paths(weights: dict[Link, int], regions: tuple[str, ...], cost: int) -> Iterator[Path]:
    """Yield every path that continues from these regions and visits none twice."""
    yield Path(regions, cost)
    for (source, sink), weight in weights.items():
        if source == regions[-1] and sink not in regions:
            yield from simple_paths(weights, (*regions, sink), cost + weight)


@given(graphs())
def test_naive_twin_agrees(weights: dict[Link, int]) -> None:
    best: dict[str, Path] = {}
    for path in simple_paths(weights, ("a",), 0):
        rival = best.get(path.regions[-1])
        rank = (path.cost, len(path.regions), path.regions)
        if rival is None or rank < (rival.cost, len(rival.regions), rival.regions):
            best[path.regions[-1]] = path
    found = shortest_paths("a", adjacency(weights), lambda source, sink: weights[source, sink])
    assert found == best


@given(graphs())
def test_nearest_come_first_and_costs_add_up(weights: dict[Link, int]) -> None:
    found = shortest_paths("a", adjacency(weights), lambda source, sink: weights[source, sink])
    costs = [path.cost for path in found.values()]
    assert costs == sorted(costs)
    assert all(path.cost == sum(weights[link] for link in path.links) for path in found.values())


def test_path_names_its_links() -> None:
    found = shortest_paths("a", {"a": ["b"], "b": ["c"], "c": []}, hops)
    assert found["c"].links == (("a", "b"), ("b", "c"))
    assert found["a"] == Path(("a",), 0)
    assert found["a"].links == ()


def test_negative_weight_is_refused() -> None:
    with pytest.raises(BadData, match="from a to b weighs -1"):
        shortest_paths("a", {"a": ["b"], "b": []}, lambda _source, _sink: -1)
