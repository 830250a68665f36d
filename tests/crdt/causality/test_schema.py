"""The schema of effects accepts what types write, and nothing else."""

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
    """Check an effect as a replica does: its form when it is read, and its payload by its type."""
    check_form(effect)
    TYPES.check_effect(effect)


RESETS = (16384, 1, 2, 5)
RUN = (0, 16384 << 40)
PLACE = (*RUN, -3 << 22)
SPAN = (*RUN, 3 << 22, 1, 1 << 22)

RIGHT: list[tuple[Any, ...]] = [
    (0, 0, b"k", ()),
    (0, 0, b"k", (1, RESETS)),
    (0, 0, b"k", (1, (), 3, (b"f", RESETS), 4, (b"m", (16384, 1, 2, float("inf"))))),
    (0, 1, b"k", FOREVER),
    (0, 2, b""),
    (0, 3, b"k"),
    (0, 4, b"", 0, b"channel", b"payload"),
    (0, 4, b"", 1, b"", b""),
    (1, 0, b"k", 0, b"value"),
    (1, 0, b"k", -5, b"value", RESETS),
    (1, 1, b"k", 7, b""),
    (1, 2, b"k", 3, b"0.5"),
    (3, 2, b"k", b"f", 1, b"-9223372036854775809"),
    (1, 1, b"k", 0, b"v", (1, 2, 3, b"0.5")),
    (2, 0, b"k"),
    (2, 1, b"k", b"a", b"b"),
    (3, 0, b"k", 0, b"f", b"v", b"g", b"w"),
    (3, 1, b"k", 0, b"f", b"v", RESETS),
    (3, 2, b"k", b"f", 1, 10),
    (3, 3, b"k", b"f"),
    (3, 4, b"k", b"f", RESETS),
    (4, 0, b"k", 0, b"m", float("-inf")),
    (4, 1, b"k", 0, b"m", 1.5, RESETS),
    (4, 2, b"k", b"m", 1, float("inf")),
    (4, 3, b"k", b"m"),
    (4, 4, b"k", b"m", RESETS),
    (5, 16, b"k", (), 0, 1, b"a", b"b"),
    (5, 16, b"k", PLACE, 5, -1),
    (5, 16, b"k", RUN, 0, -1),
    (5, 17, b"k", 0, PLACE, b"v"),
    (5, 18, b"k", PLACE, SPAN),
    (6, 0, b"k", b"v"),
    (7, 0, b"k", b"a"),
    (7, 1, b"k"),
    (8, 0, b"k", 1, 5),
    (9, 0, b"k"),
    (9, 1, b"k"),
    (10, 0, b"k"),
    (10, 1, b"k"),
    (128, 0, b"k", "whatever", {}),
    (128, 255, b"k"),
]

WRONG: list[Any] = [
    (16, 0, b"k"),  # codes below 128 are ours, and this one has no type yet
    (127, 15, b"k"),
    None,
    (1,),
    [2, 0, b"k"],
    ("0", 0, b"k"),
    (0, 4, b"", 2, b"channel", b"payload"),
    (0, 4, b"", True, b"channel", b"payload"),
    (0, 4, b"", 0, b"channel"),
    (0, 4, b"", 0, b"channel", b"payload", b"more"),
    (True, 0, b"k"),
    (0, True, b"k", ()),
    (128, None, b"k"),
    (2, 0, "k"),
    (-1, 0, b"k"),
    (1, -1, b"k"),
    (128, -1, b"k"),
    (128, 256, b"k"),
    (256, 0, b"k"),
    (0, 3, b"k", 1),
    (0, 4, b"k"),
    (1, 3, b"k"),
    (11, 0, b"k"),
    (2, 16, b"k"),
    (0, 0, b"k"),
    (0, 0, b"k", (1,)),
    (0, 0, b"k", (b"1", ())),
    (0, 0, b"k", (0, ())),
    (0, 0, b"k", (1, (1, 2, 3))),
    (0, 0, b"k", (3, (b"f", 5))),
    (0, 0, b"k", (3, (5, ()))),
    (0, 1, b"k", -1),
    (0, 1, b"k", FOREVER + 1),
    (0, 2, b"", b""),
    (1, 0, b"k", 0),
    (1, 0, b"k", 0.5, b"v"),
    (1, 0, b"k", 1 << 60, b"v"),
    (1, 0, b"k", 0, 5),
    (1, 0, b"k", 0, b"v", (1, 2, 3)),
    (1, 0, b"k", 0, b"v", (), ()),
    (1, 2, b"k", 0, 1),
    (1, 2, b"k", 1, float("inf")),
    (1, 2, b"k", 1, 1 << 63),
    (3, 0, b"k", 0, b"f"),
    (3, 1, b"k", 0, b"f", b"v", (-1, 1, 1, 1)),
    (3, 2, b"k", b"f", 1, b"1"),
    (3, 2, b"k", b"f", 1, 0.5),
    (1, 2, b"k", 3, b"0.50"),
    (1, 2, b"k", 3, b"-0"),
    (4, 2, b"k", b"f", 1, b"0.5"),
    (4, 0, b"k", 0, b"m", float("nan")),
    (4, 2, b"k", b"m", 1, float("nan")),
    (4, 4, b"k", b"m", (16384, 1, 2, float("nan"))),
    (5, 16, b"k", b"", 0, 1),
    (5, 16, b"k", (1, 2, 3), 0, 1),
    (5, 16, b"k", SPAN, 0, 1),
    (5, 16, b"k", (1 << 54, 16384 << 40), 0, 1),
    (5, 16, b"k", (), 0, 2),
    (5, 16, b"k", (), 0, 1.0, b"a"),
    (5, 16, b"k", (), 0, True, b"a"),
    (5, 17, b"k", 0, (), b"v"),
    (5, 17, b"k", 0, RUN, b"v"),
    (5, 17, b"k", 0, SPAN, b"v"),
    (5, 17, b"k", 0, (*RUN, 1), b"v"),
    (5, 17, b"k", 0, (*RUN, 1 << 62), b"v"),
    (5, 18, b"k", b"a"),
    (5, 18, b"k", (*PLACE, 1)),
    (5, 18, b"k", (*PLACE, 0, 2)),
    (5, 18, b"k", (*PLACE, 1, 1)),
    (5, 18, b"k", (*PLACE, 1, 2.0)),
    (5, 18, b"k", (*PLACE, 1 << 60, 9)),
    (5, 18, b"k", (0, 0, -3 << 22, 1, 2)),
    (6, 0, b"k"),
    (8, 0, b"k", 1, -1),
    (8, 0, b"k", 1, 0.5),
    (10, 1, b"k", b""),
]


@pytest.mark.parametrize("effect", RIGHT, ids=repr)
def test_effects_of_types_pass(effect: tuple[Any, ...]) -> None:
    check(effect)


@pytest.mark.parametrize("effect", WRONG, ids=repr)
def test_foreign_effects_are_refused(effect: object) -> None:
    with pytest.raises(DecodeError, match=r"effect|write"):
        check(effect)


def test_every_built_in_type_has_its_shapes() -> None:
    described = {kind[0] for kind in BUILT_IN.shapes}
    assert described - {0} == set(BUILT_IN.by_code)


def test_bad_effect_raises_decode_error_only() -> None:
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
