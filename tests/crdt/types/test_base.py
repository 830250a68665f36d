"""The base class of types: required and optional methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt.causality.observed import Observed
from crdt.types.base import Value

SEEN = Observed({}, 1, 1, 0)

MUST: dict[str, Callable[[Value], Any]] = {
    "code": lambda value: value.code(),
    "apply": lambda value: value.apply((1, 0, b"k"), 1, SEEN),
    "remove": lambda value: value.remove(SEEN, None),
    "merge": lambda value: value.merge(value, {}, {}),
    "is_live": lambda value: value.is_live(),
    "min_dot": lambda value: value.min_dot(),
    "visible": lambda value: value.visible(),
    "state": lambda value: value.state(),
    "load": lambda value: value.load(()),
    "covered": lambda value: value.covered({}),
}


class Dead(Value):
    """A type with required methods only."""

    def is_live(self) -> bool:
        return False


@pytest.mark.parametrize("name", MUST)
def test_required_methods_raise(name: str) -> None:
    with pytest.raises(NotImplementedError):
        MUST[name](Value())


@pytest.mark.interpreted("a compiled class takes no interpreted heirs")
def test_optional_methods_have_defaults() -> None:
    value = Dead()
    assert value.resets() is None
    assert value.is_empty()
    assert not value.has_garbage()
    assert not value.collect({})
    assert value.siblings() == []
    assert value.text() is None
    assert value.field(b"f") is None
    assert value.sequence() is None
    assert value.registers() == []
