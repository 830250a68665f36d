"""Selectors of JSONPath."""

from __future__ import annotations

from crdt.types.json_path.selectors import (
    IndexSelector,
    JsonPath,
    NameSelector,
    PathTerm,
    WildcardSelector,
)


def test_path_is_static_if_each_selector_names_one_child() -> None:
    selectors = (NameSelector(("a",)), IndexSelector((0,)))
    assert JsonPath(selectors, "$.a[0]", "$.a[0]", False).is_static()
    assert not JsonPath((*selectors, WildcardSelector()), "", "", False).is_static()
    assert JsonPath((), "$", ".", True).is_root()


def test_terms_are_told_apart_by_identity() -> None:
    assert PathTerm(True, ()) != PathTerm(True, ())
