"""Errors of `geo`: their remedies, and their attributes."""

from __future__ import annotations

import pytest

from geo.errors import (
    AmbiguousRegion,
    BadData,
    BadTopology,
    GeoError,
    NoPath,
    UnknownRegion,
    nearest,
)


def test_unknown_region_suggests_what_is_near() -> None:
    error = UnknownRegion("eu-wst-1", ["eu-west-1", "eu-west-2"])
    assert str(error) == "unknown region 'eu-wst-1'; did you mean eu-west-1 or eu-west-2?"
    assert (error.name, error.nearest) == ("eu-wst-1", ("eu-west-1", "eu-west-2"))


def test_unknown_region_suggests_nothing_when_nothing_is_near() -> None:
    assert str(UnknownRegion("moon")) == "unknown region 'moon'"


def test_error_for_ambiguous_region_lists_names() -> None:
    error = AmbiguousRegion("east", ["aws:east", "ibm:east"])
    assert str(error) == "region 'east' is ambiguous: say aws:east or ibm:east"
    assert (error.name, error.options) == ("east", ("aws:east", "ibm:east"))


def test_no_path_names_both_ends() -> None:
    error = NoPath("us", "eu")
    assert str(error) == "no path from us to eu"
    assert (error.source, error.sink) == ("us", "eu")


@pytest.mark.parametrize(
    "kind",
    [AmbiguousRegion, BadData, BadTopology, NoPath, UnknownRegion],
    ids=lambda it: it.__name__,
)
def test_one_base_catches_all(kind: type[GeoError]) -> None:
    assert issubclass(kind, GeoError)


def test_nearest_gives_best_first_and_three_at_most() -> None:
    known = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1"]
    assert nearest("us-east-3", known)[:2] == ["us-east-2", "us-east-1"]
    assert len(nearest("us-east-3", known)) == 3
    assert nearest("zzz", known) == []
