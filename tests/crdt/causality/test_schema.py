"""The form of effects: what every type writes passes, what none writes does not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crdt.causality.schema import FOREVER, check_form
from crdt.errors import DecodeError
from crdt.types.definition import TypeDefinition
from crdt.types.registry import BUILT_IN
from tests.crdt import hostile

TYPES = BUILT_IN.with_types(
    [TypeDefinition("anything", 128, BUILT_IN.makers[2], check_effect=lambda effect: None)]
)


def check(effect: Any) -> None:
    """Check an effect as a replica does: its form when it is read, its payload with the types."""
    check_form(effect)
    TYPES.check_effect(effect)


RESETS = (16384, 1, 2, 5)
PLACE = (0, 16384, -3, 1)

RIGHT: list[tuple[Any, ...]] = [
    (0, b"k", ()),
    (0, b"k", (1, RESETS)),
    (0, b"k", (1, (), 3, (b"f", RESETS), 4, (b"m", (16384, 1, 2, float("inf"))))),
    (1, b"k", FOREVER),
    (2, b""),
    (3, b"k"),
    (0x10, b"k", 0, b"value"),
    (0x10, b"k", -5, b"value", RESETS),
    (0x11, b"k", 7, b""),
    (0x12, b"k", 3, b"0.5"),
    (0x32, b"k", b"f", 1, b"-9223372036854775809"),
    (0x11, b"k", 0, b"v", (1, 2, 3, b"0.5")),
    (0x20, b"k"),
    (0x21, b"k", b"a", b"b"),
    (0x30, b"k", 0, b"f", b"v", b"g", b"w"),
    (0x31, b"k", 0, b"f", b"v", RESETS),
    (0x32, b"k", b"f", 1, 10),
    (0x33, b"k", b"f"),
    (0x34, b"k", b"f", RESETS),
    (0x40, b"k", 0, b"m", float("-inf")),
    (0x41, b"k", 0, b"m", 1.5, RESETS),
    (0x42, b"k", b"m", 1, float("inf")),
    (0x43, b"k", b"m"),
    (0x44, b"k", b"m", RESETS),
    (0x50, b"k", (), 0, 1, b"a", b"b"),
    (0x50, b"k", PLACE, 5, -1),
    (0x51, b"k", 0, PLACE, b"v"),
    (0x52, b"k", PLACE, PLACE),
    (0x60, b"k", b"v"),
    (0x70, b"k", b"a"),
    (0x71, b"k"),
    (0x80, b"k", 1, 5),
    (0x90, b"k"),
    (0x91, b"k"),
    (0xA0, b"k"),
    (0xA1, b"k"),
    (0x800, b"k", "whatever", {}),
]

WRONG: list[Any] = [
    (0x100, b"k"),  # codes below 128 are ours, and this one has no type yet
    (0x7FF, b"k"),
    None,
    (1,),
    [0x20, b"k"],
    ("0", b"k"),
    (True, b"k"),
    (0x20, "k"),
    (-1, b"k"),
    (0x1000, b"k"),
    (3, b"k", 1),
    (4, b"k"),
    (0x13, b"k"),
    (0xB0, b"k"),
    (0, b"k"),
    (0, b"k", (1,)),
    (0, b"k", (b"1", ())),
    (0, b"k", (0, ())),
    (0, b"k", (1, (1, 2, 3))),
    (0, b"k", (3, (b"f", 5))),
    (0, b"k", (3, (5, ()))),
    (1, b"k", -1),
    (1, b"k", FOREVER + 1),
    (2, b"", b""),
    (0x10, b"k", 0),
    (0x10, b"k", 0.5, b"v"),
    (0x10, b"k", 1 << 60, b"v"),
    (0x10, b"k", 0, 5),
    (0x10, b"k", 0, b"v", (1, 2, 3)),
    (0x10, b"k", 0, b"v", (), ()),
    (0x12, b"k", 0, 1),
    (0x12, b"k", 1, float("inf")),
    (0x12, b"k", 1, 1 << 63),
    (0x30, b"k", 0, b"f"),
    (0x31, b"k", 0, b"f", b"v", (-1, 1, 1, 1)),
    (0x32, b"k", b"f", 1, b"1"),
    (0x32, b"k", b"f", 1, 0.5),
    (0x12, b"k", 3, b"0.50"),
    (0x12, b"k", 3, b"-0"),
    (0x42, b"k", b"f", 1, b"0.5"),
    (0x40, b"k", 0, b"m", float("nan")),
    (0x42, b"k", b"m", 1, float("nan")),
    (0x44, b"k", b"m", (16384, 1, 2, float("nan"))),
    (0x50, b"k", (1, 2, 3), 0, 1),
    (0x50, b"k", (0, 1, 2, 1 << 60), 0, 1),
    (0x50, b"k", (), 0, 2),
    (0x50, b"k", (), 0, 1.0, b"a"),
    (0x50, b"k", (), 0, True, b"a"),
    (0x51, b"k", 0, (), b"v"),
    (0x52, b"k", b"a"),
    (0x60, b"k"),
    (0x80, b"k", 1, -1),
    (0x80, b"k", 1, 0.5),
    (0xA1, b"k", b""),
]


@pytest.mark.parametrize("effect", RIGHT, ids=repr)
def test_what_types_write_passes(effect: tuple[Any, ...]) -> None:
    check(effect)


@pytest.mark.parametrize("effect", WRONG, ids=repr)
def test_what_no_type_writes_does_not(effect: object) -> None:
    with pytest.raises(DecodeError, match=r"effect|write"):
        check(effect)


def test_every_built_in_type_has_its_shapes() -> None:
    described = {kind >> 4 for kind in BUILT_IN.shapes}
    assert described - {0} == set(BUILT_IN.by_code)


def test_nothing_but_a_decode_error_comes_of_it() -> None:
    rng = random.Random(1)
    passed = 0
    for _ in range(1000):
        effect: Any = hostile.effect(rng)
        try:
            check(effect)
        except DecodeError:
            continue
        passed += 1
    assert passed > 500
