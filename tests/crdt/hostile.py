"""Well-formed bytes with invalid contents, as a hostile or broken peer could send."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from crdt.causality.dots import make_dot, make_origin
from crdt.causality.schema import KEY_BITS
from crdt.types.registry import BUILT_IN

ODD: Final = (0, 1, 2, 3, -1, 1 << 40, 1 << 53, (1 << 63) - 1, -(1 << 63), (1 << 64) - 1)
NUMBERS: Final = (*ODD, 0.5, 1.0, -0.0, 1e308, float("inf"), float("-inf"), float("nan"))
NAMES: Final = (b"", b"a", b"f", b"7", b"\xff", b"long" * 20)
LEAVES: Final = (*NUMBERS, *NAMES, None, True, (), ((), ()), (1, 2), (b"a",), (1, 2, 3, 4))
CODES: Final = (
    0,
    0,
    1,
    1,
    2,
    2,
    3,
    3,
    4,
    4,
    5,
    5,
    6,
    7,
    8,
    9,
    10,
    13,
    13,
    15,
    127,
    128,
    255,
    256,
    4095,
)
OPERATIONS: Final = (0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 15, 16, 17, 18, 255, 256)


def anything(rng: random.Random, depth: int = 2) -> Any:
    """Draw a leaf, or a tuple of such."""
    if depth and rng.random() < 0.3:
        return tuple(anything(rng, depth - 1) for _ in range(rng.randrange(5)))
    return rng.choice(LEAVES)


def resets(rng: random.Random) -> tuple[Any, ...]:
    """Draw shares that a reset takes back, mostly well-formed."""
    origins = [make_origin(region) for region in (1, 2, 3)]
    flat: list[Any] = []
    for _ in range(rng.randrange(3)):
        flat += (rng.choice(origins), rng.choice(ODD), rng.choice(ODD), rng.choice(NUMBERS))
    return tuple(flat)


def position(rng: random.Random) -> tuple[Any, ...]:
    """Draw a place, a position or a span of a list, mostly well-formed."""
    run = make_dot(make_origin(rng.randint(1, 3)), rng.choice((0, 0, 1, 2, 3)))
    key = rng.choice((1, -1)) * rng.choice(ODD[1:4]) << KEY_BITS
    parts = (rng.choice((0, 1, -1)), run, key, rng.choice(ODD[1:]), rng.choice(ODD[2:]))
    return parts[: rng.choice((0, 2, 3, 5))]


def json_text(rng: random.Random) -> bytes:
    """Draw a text, mostly JSON."""
    return rng.choice((b"1", b"{}", b"[]", b'{"a":[1,{"b":2.5}]}', b'["x",[null]]', b"{", b"\xff"))


def address(rng: random.Random) -> tuple[Any, ...]:
    """Draw the address of a slot or a node of a JSON document, mostly well-formed."""
    way: list[Any] = []
    if rng.random() < 0.8:
        way.append(make_dot(make_origin(rng.randint(1, 3)), rng.randint(1, 3)))
        for _ in range(rng.randrange(3)):
            way += (rng.choice((b"a", b"b", position(rng))), rng.choice((0, 0, way[0])))
        if rng.random() < 0.5:
            way.append(rng.choice((b"a", b"b", position(rng))))
    return tuple(way)


def item(rng: random.Random) -> Any:
    """Draw something that occurs in some payload."""
    makers = (
        lambda: rng.choice(ODD[:5]),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(NAMES),
        lambda: resets(rng),
        lambda: position(rng),
        lambda: address(rng),
        lambda: json_text(rng),
        lambda: (rng.choice((1, 3, 4, 8)), resets(rng)),
        lambda: anything(rng),
    )
    return rng.choice(makers)()


def fitting(rng: random.Random, check: Callable[[object], bool]) -> Any:
    """Draw something odd that still satisfies a check."""
    for _ in range(200):
        found = item(rng)
        if check(found):
            return found
    return 1 if check(1) else ()


def well_formed(rng: random.Random) -> tuple[Any, ...]:
    """Draw a well-formed effect with odd things in it."""
    kind, key = rng.choice(tuple(BUILT_IN.shapes)), rng.choice((b"k", b"l"))
    fixed, repeated, optional = BUILT_IN.shapes[kind]
    checks = [*fixed, *repeated * rng.randrange(4), *optional * (rng.random() < 0.3)]
    return (*kind, key, *(fitting(rng, check) for check in checks))


def effect(rng: random.Random) -> tuple[Any, ...]:
    """Draw an effect of some kind, mostly well-formed."""
    if rng.random() < 0.8:
        return well_formed(rng)
    code = rng.choice(CODES) if rng.random() < 0.95 else anything(rng)
    operation = rng.choice(OPERATIONS) if rng.random() < 0.95 else anything(rng)
    key = rng.choice((b"k", b"l")) if rng.random() < 0.95 else anything(rng)
    return (code, operation, key, *(item(rng) for _ in range(rng.randrange(5))))


def spoil(rng: random.Random, tree: Any) -> Any:
    """Return a nested tuple with a part of it replaced."""
    if isinstance(tree, tuple) and tree and rng.random() < 0.9:
        items: list[Any] = list(tree)  # pyright: ignore[reportUnknownArgumentType]
        index = rng.randrange(len(items))
        items[index] = spoil(rng, items[index])
        return tuple(items)
    return anything(rng)
