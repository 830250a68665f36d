"""Map handles: copies and unions, as of Python's dict."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica


@pytest.mark.parametrize(
    ("kind", "values"), [("hash", ("1", "2", "3")), ("sorted_set", (1.0, 2.0, 3.0))]
)
def test_map_is_copied_and_joined_as_dictionary(kind: str, values: Any) -> None:
    handle: Any = getattr(Replica(1), kind)("k")
    one, two, three = values
    same = handle
    handle |= {"a": one, "b": two}
    assert handle is same
    assert handle.copy() == handle.value == {"a": one, "b": two}
    assert handle | {"b": three} == {"a": one, "b": three}
    assert handle == {"a": one, "b": two}
    assert handle.setdefault("a", three) == one
    assert handle.pop("a") == one
    assert dict(handle) == {"b": two}
    handle.update([("c", three)], d=one)
    assert handle.get("c") == three
    assert handle.get("x") is None


@pytest.mark.parametrize("kind", ["hash", "sorted_set"])
def test_wrong_types_are_refused_with_sentence(kind: str) -> None:
    handle: Any = getattr(Replica(1), kind)("k")
    with pytest.raises(TypeError, match=r"expected .*, not list"):
        handle["a"] = [1]
    with pytest.raises(TypeError, match="expected str or bytes, not int"):
        handle[5] = "1" if kind == "hash" else 1
    with pytest.raises(TypeError):
        handle.update({"a": None})
    assert len(handle) == 0
