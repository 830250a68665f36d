"""Arguments of wrong types, and the error of each."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from geo import BadData, Catalog, Topology, UnknownRegion, detours, hubs, ms, preset
from geo.arguments import check_name, check_names, check_number, check_pair

NAMES = ["us-east-1", "eu-west-1", "ap-southeast-1"]
RING = Topology.ring(NAMES)
CATALOG = Catalog.shipped()
ODD: list[Any] = [None, 5, 1.5, len]


def listed(odd: Any) -> Any:
    """Return an argument in a list."""
    return [odd]


CALLS: dict[str, tuple[Callable[[Any], object], str]] = {
    "mesh": (Topology.mesh, "expected a list of region names"),
    "ring": (Topology.ring, "expected a list of region names"),
    "line": (Topology.line, "expected a list of region names"),
    "star": (Topology.star, "expected a list of region names"),
    "hub": (
        lambda odd: Topology.star(NAMES, listed(odd)),
        "expected the name of a region, not list",
    ),
    "links": (lambda odd: Topology(NAMES, odd), "expected a list of links such as"),
    "link": (lambda odd: Topology(NAMES, [odd]), "expected a pair of regions such as"),
    "path": (lambda odd: RING.path(odd, NAMES[0]), "expected the name of a region"),
    "isolate": (RING.isolate, "expected the name of a region"),
    "cut": (RING.components, "cut: expected a set of links, not .*: use topology"),
    "carried": (lambda odd: RING.carried(cut=odd), "cut: expected a set of links"),
    "sinks": (lambda odd: RING.sinks(NAMES[0], odd), "cut: expected a set of links"),
    "sources": (lambda odd: RING.sources(NAMES[0], odd), "cut: expected a set of links"),
    "cut from": (RING.cut, "expected a list of region names"),
    "hubs": (lambda odd: hubs(odd, CATALOG.one_way_ns), "expected a list of region names"),
    "detours": (lambda odd: detours(odd, CATALOG.one_way_ns), "expected a list of region names"),
    "find": (CATALOG.find, "expected the name of a region"),
    "with_rtts": (CATALOG.with_rtts, r"expected a mapping of round trips, not .*: use \{"),
    "rtts of pair": (lambda odd: CATALOG.with_rtts({odd: 1.0}), "expected a pair of regions"),
    "Catalog": (Catalog, "expected a list of regions, not"),
    "regions": (lambda odd: Catalog([odd]), "expected a list of regions, not of"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_argument_of_wrong_type_is_named(name: str, odd: Any) -> None:
    call, text = CALLS[name]
    with pytest.raises(TypeError, match=text):
        call(odd)


@pytest.mark.parametrize("odd", [None, 5, "delay"], ids=repr)
def test_weight_is_function(odd: Any) -> None:
    text = "weight: expected a function, not .*: use catalog.one_way_ns"
    with pytest.raises(TypeError, match=text):
        RING.diameter(odd)
    for function in (hubs, detours):
        with pytest.raises(TypeError, match=text):
            function(NAMES, odd)


def test_text_is_no_list_of_regions() -> None:
    with pytest.raises(TypeError, match=r"such as \['us', 'eu'\], not str"):
        Topology.mesh("us-east-1,eu-west-1")
    with pytest.raises(TypeError, match=r"such as \['us', 'eu'\], not bytes"):
        check_names(b"ab")
    assert check_names("ab") == ("a", "b")


def test_list_in_place_of_names_is_explained() -> None:
    odd: Any = ["us-east-1", "eu-west-1"]
    with pytest.raises(TypeError, match="not list: pass several names as separate arguments"):
        RING.isolate(odd)
    with pytest.raises(UnknownRegion):
        RING.isolate("eu-wst-1")
    assert check_name("us") == "us"
    assert check_pair(["us", "eu"]) == ("us", "eu")


@pytest.mark.parametrize("odd", [nan, inf, -inf])
def test_numbers_are_finite(odd: float) -> None:
    with pytest.raises(BadData, match=r"a time in ms is .*: expected a finite number"):
        ms(odd)
    with pytest.raises(BadData, match="the round trip from us-east-1 to eu-west-1 is"):
        CATALOG.with_rtts({("us-east-1", "eu-west-1"): odd})


def test_numbers_are_numbers() -> None:
    odd: Any = "fast"
    with pytest.raises(TypeError, match="a time in ms: expected a number, not str"):
        ms(odd)
    with pytest.raises(TypeError, match="percent: expected a number, not str"):
        detours(NAMES, CATALOG.one_way_ns, percent=odd)
    assert check_number(5, "x") == 5


@pytest.mark.parametrize("odd", [5, [], {}, "far"], ids=repr)
def test_unknown_preset_is_named(odd: Any) -> None:
    with pytest.raises(BadData, match=r"unknown preset .*: it is one of lan, metro"):
        preset(odd)
