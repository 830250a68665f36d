"""Drawings: the table lists all links, and the SVG is well-formed and self-contained."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from geo.catalog import Catalog
from geo.drawing import matrix_text, topology_svg
from geo.latency import ms
from geo.path import Link, Weight

SVG = "{http://www.w3.org/2000/svg}"
WORLD = ("us-east-1", "eu-west-1", "ap-southeast-1", "ap-southeast-2")
OWN = ("us", "eu", "a<b>&c")
CROWD = tuple(f"{name}" for name in "abcdefghijklmnopqrstuvwxyz")


def mesh(names: tuple[str, ...]) -> list[Link]:
    pairs = list(combinations(names, 2))
    return [*pairs, *((sink, source) for source, sink in pairs)]


def picture(
    names: tuple[str, ...], cut: set[Link] | None = None, weight: Weight | None = None
) -> ElementTree.Element:
    return ElementTree.fromstring(topology_svg(names, mesh(names), cut=cut or set(), weight=weight))


def always(milliseconds: float) -> Weight:
    return lambda _source, _sink: ms(milliseconds)


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def tips(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}title")]


def test_table_marks_links_cuts_and_what_is_missing() -> None:
    links = [("us", "eu"), ("eu", "us"), ("eu", "sea")]
    table = matrix_text(("us", "eu", "sea"), links, cut={("us", "eu")}, weight=None)
    assert table.splitlines() == [
        "      us   eu  sea",
        "us     .    /    -",
        "eu     x    .    x",
        "sea    -    -    .",
    ]


def test_table_shows_milliseconds() -> None:
    table = matrix_text(("us", "eu"), mesh(("us", "eu")), cut=set(), weight=always(33.55))
    assert table.splitlines()[1].split() == ["us", ".", "33.5"]


@pytest.mark.parametrize("names", [WORLD, OWN, ("us-east-1",), ("only",)], ids=",".join)
def test_drawing_has_each_region_and_one_line_for_each_pair(names: tuple[str, ...]) -> None:
    root = picture(names)
    assert len(list(root.iter(f"{SVG}circle"))) == len(names)
    assert len(list(root.iter(f"{SVG}path"))) == len(names) * (len(names) - 1) // 2
    assert texts(root) == list(names)


def test_map_has_land_and_circle_has_none() -> None:
    assert len(list(picture(WORLD).iter(f"{SVG}polygon"))) > 20
    assert not list(picture(OWN).iter(f"{SVG}polygon"))


def test_drawing_refers_to_nothing_outside() -> None:
    text = topology_svg(WORLD, mesh(WORLD), cut=set(), weight=None)
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|<script|<style|@import|url\(", text)


def test_everything_lies_inside_of_picture() -> None:
    root = picture(WORLD)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for dot in root.iter(f"{SVG}circle"):
        assert 0 <= float(dot.attrib["cx"]) <= width
        assert 0 <= float(dot.attrib["cy"]) <= height
    south = ("af-south-1", "ap-southeast-2")
    far = picture(south, weight=Catalog.shipped().one_way_ns)
    assert texts(far) == ["205.5", *south]  # the way leads beyond the map, along its edge
    for path in (*root.iter(f"{SVG}path"), *far.iter(f"{SVG}path")):
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", path.attrib["d"]):
            assert 0 <= float(x) <= width
            assert 0 < float(y) < height


def test_link_across_date_line_is_split_at_edges() -> None:
    root = picture(("us-west-2", "ap-northeast-1"))
    (path,) = root.iter(f"{SVG}path")
    here, there = path.attrib["d"].split(" M")
    edges = {here.split(" L")[-1].split(",")[0], there.split(" L")[0].split(",")[0]}
    assert edges == {"0.0", "960.0"}
    (path,) = picture(("us-east-1", "eu-west-1")).iter(f"{SVG}path")
    assert path.attrib["d"].count("M") == 1


def test_two_regions_in_one_place_are_joined_all_same() -> None:
    (path,) = picture(("eastus", "eastus2")).iter(f"{SVG}path")
    assert path.attrib["d"].count("L") == 1


def test_one_way_cut_is_dashed_and_labelled() -> None:
    root = picture(OWN, cut={("eu", "us")})
    dashed = [node for node in root.iter(f"{SVG}path") if "stroke-dasharray" in node.attrib]
    assert len(dashed) == 1
    assert "eu → us (down)" in tips(root)


def test_link_without_twin_is_drawn() -> None:
    root = ElementTree.fromstring(topology_svg(OWN, [("us", "eu")], cut=set(), weight=None))
    assert "us → eu" in tips(root)


def test_weight_is_written_at_link_and_in_its_tooltip() -> None:
    root = picture(("us-east-1", "eu-west-1"), weight=Catalog.shipped().one_way_ns)
    assert "34.5" in texts(root)
    assert "eu-west-1 → us-east-1: 34.5 ms" in tips(root)
    assert "us-east-1 (Ashburn)" in tips(root)
    flat = picture(("us", "eu"), weight=always(1))
    assert "1.0" in texts(flat)


def test_no_line_crosses_name_or_delay_if_space_allows() -> None:
    names = ("us-east-1", "eu-west-1", "ap-southeast-1")
    root = picture(names, weight=Catalog.shipped().one_way_ns)
    lines = [node.attrib["d"] for node in root.iter(f"{SVG}path")]
    for text in root.iter(f"{SVG}text"):
        left, base = float(text.attrib["x"]), float(text.attrib["y"])
        right = left + len(text.text or "") * 6.2
        for run in " ".join(lines).split("M")[1:]:
            points = [tuple(map(float, it.split(","))) for it in run.replace("L", "").split()]
            for (a, b), (c, d) in pairwise(points):
                for part in range(21):
                    x, y = a + (c - a) * part / 20, b + (d - b) * part / 20
                    assert not (left < x < right and base - 10 < y < base + 3), text.text


def test_upright_line_differs_from_box() -> None:
    column = [("a", "b"), ("b", "a")]  # of two on a circle the second stands below the first
    root = ElementTree.fromstring(topology_svg(("a", "b"), column, cut=set(), weight=always(1)))
    (delay,) = [node for node in root.iter(f"{SVG}text") if node.text == "1.0"]
    (x,) = {float(node.attrib["cx"]) for node in root.iter(f"{SVG}circle")}
    assert float(delay.attrib["x"]) > x


def test_names_are_escaped() -> None:
    assert "a<b>&c" in texts(picture(OWN))


def test_no_text_covers_another() -> None:
    root = picture(CROWD, weight=always(100))
    boxes = [
        (float(node.attrib["x"]), float(node.attrib["y"]), len(node.text or ""))
        for node in root.iter(f"{SVG}text")
    ]
    for (x, y, length), (u, v, width) in combinations(boxes, 2):
        assert abs(y - v) >= 12.9 or x + length * 6.2 <= u + 0.1 or u + width * 6.2 <= x + 0.1
    links = len(CROWD) * (len(CROWD) - 1) // 2
    assert len(CROWD) < len(boxes) < len(CROWD) + links  # where there is no room, the tooltip tells
