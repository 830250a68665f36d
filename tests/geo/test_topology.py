"""Topologies: shapes, errors, paths, cuts and groups, compared with naive models."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadTopology, NoPath, UnknownRegion
from geo.path import Link
from geo.topology import SHAPES, Topology

NAMES = ("a", "b", "c", "d", "e")


@st.composite
def connected(draw: st.DrawFn) -> Topology:
    """Draw a ring of five, which is connected in one direction at least, and some more links."""
    order = draw(st.permutations(NAMES))
    ring = {(name, order[(place + 1) % 5]) for place, name in enumerate(order)}
    more = draw(st.sets(st.sampled_from(sorted(permutations(NAMES, 2)))))
    return Topology(NAMES, tuple(draw(st.permutations(sorted(ring | more)))))


def closure(links: set[Link]) -> set[Link]:
    """Return which regions reach each other, by Warshall's algorithm. Each region reaches
    itself."""
    reach = links | {(name, name) for name in NAMES}
    for via, source, sink in product(NAMES, repeat=3):
        if (source, via) in reach and (via, sink) in reach:
            reach.add((source, sink))
    return reach


@pytest.mark.parametrize(
    ("shape", "links", "diameter"),
    [("mesh", 20, 1), ("ring", 10, 2), ("star", 8, 2), ("line", 8, 4)],
)
def test_shapes(shape: str, links: int, diameter: int) -> None:
    topology = SHAPES[shape](NAMES)
    assert topology.regions == NAMES
    assert len(topology.links) == links
    assert topology.diameter().cost == diameter
    assert all((sink, source) in topology.links for source, sink in topology.links)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_shapes_of_few_regions(shape: str, count: int) -> None:
    topology = SHAPES[shape](NAMES[:count])
    assert len(topology.links) == [0, 2, {"mesh": 6, "ring": 6}.get(shape, 4)][count - 1]


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_of_nothing_is_refused(shape: str) -> None:
    with pytest.raises(BadTopology, match="at least one region"):
        SHAPES[shape](())


def test_hub_of_star_can_be_chosen() -> None:
    assert Topology.star(NAMES).sinks("a") == ("b", "c", "d", "e")
    assert Topology.star(NAMES, "c").sinks("c") == ("a", "b", "d", "e")
    assert Topology.star(NAMES, "c").sources("a") == ("c",)
    with pytest.raises(UnknownRegion, match="'f'"):
        Topology.star(NAMES, "f")


def test_order_of_links_does_not_depend_on_input_order() -> None:
    first = Topology("ab", [("b", "a"), ("a", "b")])
    assert first == Topology("ab", [("a", "b"), ("b", "a")])
    assert first.links == (("a", "b"), ("b", "a"))


@pytest.mark.parametrize(
    ("regions", "links", "message"),
    [
        ("aba", [], "'a' is named twice"),
        ("ab", [("a", "a")], "'a' is linked to itself"),
        ("ab", [("a", "b"), ("a", "b"), ("b", "a")], "from 'a' to 'b' is named twice"),
        ("abc", [("a", "b"), ("b", "a")], "not connected: a, b and c cannot reach each other"),
        ("ab", [("a", "b")], "not connected: a and b cannot"),
    ],
)
def test_unknown_topology_is_refused(regions: str, links: list[Link], message: str) -> None:
    with pytest.raises(BadTopology, match=message):
        Topology(regions, links)


def test_unknown_name_is_refused_everywhere() -> None:
    with pytest.raises(UnknownRegion, match="did you mean us-east-1"):
        Topology.from_pairs(["us-east-1", "eu"], [("us-eats-1", "eu")])
    mesh = Topology.mesh(NAMES)
    for ask in (mesh.sinks, mesh.sources, mesh.reachable, mesh.paths, mesh.tree, mesh.cut):
        with pytest.raises(UnknownRegion):
            ask("x")
    with pytest.raises(UnknownRegion):
        mesh.path("a", "x")
    with pytest.raises(UnknownRegion):
        mesh.isolate("x")


def test_pair_is_two() -> None:
    with pytest.raises(BadTopology, match=r"\['a'\] is no pair"):
        Topology.from_pairs("ab", [("a",)])


def test_one_way_links_make_topology_if_they_close() -> None:
    circle = Topology("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert circle.path("b", "a").regions == ("b", "c", "a")
    assert circle.diameter().cost == 2


def test_path_avoids_cut_or_does_not_exist() -> None:
    ring = Topology.ring(NAMES)
    assert ring.path("a", "c").regions == ("a", "b", "c")
    assert ring.path("a", "c", cut=ring.isolate("b")).regions == ("a", "e", "d", "c")
    with pytest.raises(NoPath, match="from a to b"):
        ring.path("a", "b", cut=ring.isolate("b"))


def test_weight_makes_detour_worth_it() -> None:
    mesh = Topology.mesh("abc")
    slow = {("a", "c"): 10}
    path = mesh.path("a", "c", weight=lambda source, sink: slow.get((source, sink), 4))
    assert (path.regions, path.cost) == (("a", "b", "c"), 8)


@given(connected(), st.data())
def test_groups_are_what_warshall_finds(topology: Topology, data: st.DataObject) -> None:
    cut = data.draw(st.sets(st.sampled_from(topology.links)))
    reach = closure(set(topology.links) - cut)
    for name in NAMES:
        assert set(topology.reachable(name, cut)) == {
            sink for sink in NAMES if (name, sink) in reach
        }
    groups = topology.components(cut)
    assert sorted(name for group in groups for name in group) == list(NAMES)
    for source, sink in product(NAMES, repeat=2):
        together = any(source in group and sink in group for group in groups)
        assert together == ((source, sink) in reach and (sink, source) in reach)


@given(connected(), st.data())
def test_tree_reaches_what_is_reachable_once(topology: Topology, data: st.DataObject) -> None:
    cut = data.draw(st.sets(st.sampled_from(topology.links)))
    for origin in NAMES:
        tree = topology.tree(origin, cut=cut)
        reached = [origin]
        for source, sink in tree:
            assert source in reached
            reached.append(sink)
        assert sorted(reached) == sorted(topology.reachable(origin, cut))


@given(connected())
def test_diameter_is_greatest_distance(topology: Topology) -> None:
    costs = [topology.path(source, sink).cost for source, sink in permutations(NAMES, 2)]
    assert topology.diameter().cost == max(costs)


@given(connected(), st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_cut_is_links_from_here_to_there(
    topology: Topology, here: set[str], there: set[str]
) -> None:
    crossing = {link for link in topology.links if link[0] in here and link[1] in there}
    assert topology.cut(here, there) == crossing
    assert topology.cut(here) == topology.cut(here, set(NAMES) - here)
    assert topology.isolate(*here) == topology.isolate(*set(NAMES) - here)
    for group in topology.components(topology.isolate(*here)):
        assert set(group) <= here or not here & set(group)


def test_traffic_of_each_link() -> None:
    star = Topology.star("abc", "b")
    assert star.carried() == {
        ("a", "b"): ("a",),
        ("b", "a"): ("b", "c"),
        ("b", "c"): ("a", "b"),
        ("c", "b"): ("c",),
    }
    assert Topology.mesh("abc").carried(cut={("a", "b")})["a", "c"] == ("a",)
    circle = Topology("ab", [("a", "b"), ("b", "a")])
    assert circle.carried(cut={("a", "b")}) == {("b", "a"): ("b",)}


def test_link_that_no_path_takes_carries_nothing() -> None:
    mesh = Topology.mesh("abc")
    slow = {("a", "c"): 10}
    assert mesh.carried(lambda source, sink: slow.get((source, sink), 4))["a", "c"] == ()


def test_sinks_and_sources_leave_out_cut_links() -> None:
    mesh = Topology.mesh("abc")
    assert mesh.sinks("a", cut={("a", "b")}) == ("c",)
    assert mesh.sources("b", cut={("a", "b")}) == ("c",)


def test_topology_shows_itself() -> None:
    line = Topology.line("abc")
    assert line.text() == "   a  b  c\na  .  x  -\nb  x  .  x\nc  -  x  ."
    assert "/" in line.text(cut={("a", "b")})
    assert line._repr_svg_() == line.svg()  # pyright: ignore[reportPrivateUsage]  # Jupyter's protocol
    assert line.svg(cut={("a", "b")}) != line.svg()
