"""What a well-formed effect looks like, kind by kind.

Effects come from peers and from files. Each is checked here before anything is applied, so that
damaged or hostile bytes end in one named error and an applied effect cannot fail halfway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from crdt.causality.dots import DOT_MAX, SEQ_MAX
from crdt.errors import DecodeError
from crdt.numbers.number import is_fraction
from crdt.wire.decoding import is_tuple

KIND_MAX: Final = 255 << 4 | 15
STAMP_MAX: Final = 1 << 53  # ms; no wall clock ever shows it
FOREVER: Final = 1 << 50  # later than the last deadline that rule EXP-8 allows
DEADLINE_MAX: Final = 1 << 49
STEP_MAX: Final = 1 << 53
SUM_MAX: Final = (1 << 63) - 1


def is_code(item: object) -> bool:
    """The number of a type."""
    return type(item) is int and 0 < item <= KIND_MAX >> 4


def is_bytes(item: object) -> bool:
    """A byte string."""
    return type(item) is bytes


def is_stamp(item: object) -> bool:
    """Milliseconds from the time base of an operation."""
    return type(item) is int and -STAMP_MAX <= item <= STAMP_MAX


def is_number(item: object) -> bool:
    """An integer of 64 bits, or a float that is a number."""
    if type(item) is int:
        return -SUM_MAX - 1 <= item <= SUM_MAX
    return type(item) is float and item == item


def is_sum(item: object) -> bool:
    """An integer of 64 bits, or a decimal text."""
    return (type(item) is int and is_number(item)) or is_fraction(item)


def is_name(item: object) -> bool:
    """The origin, birth or sequence number of a share."""
    return type(item) is int and 0 <= item <= DOT_MAX


def is_seq(item: object) -> bool:
    """A sequence number."""
    return type(item) is int and 0 < item <= SEQ_MAX


def are_resets(item: object) -> bool:
    """Origin, birth, seq and sum of some shares."""
    if not is_tuple(item, 4):
        return False
    flat = cast("tuple[Any, ...]", item)
    for index, part in enumerate(flat):
        if not (is_number(part) or is_fraction(part) if index % 4 == 3 else is_name(part)):
            return False
    return True


def are_field_resets(item: object) -> bool:
    """Fields and their resets in turn."""
    if not is_tuple(item, 2):
        return False
    flat = cast("tuple[Any, ...]", item)
    return all(map(is_bytes, flat[::2])) and all(map(are_resets, flat[1::2]))


def is_carried(item: object) -> bool:
    """What a delete carries: type codes and resets in turn."""
    if not is_tuple(item, 2):
        return False
    flat = cast("tuple[Any, ...]", item)
    resets = all(are_resets(each) or are_field_resets(each) for each in flat[1::2])
    return all(map(is_code, flat[::2])) and resets


def is_place(item: object) -> bool:
    """A parent position of a list, the empty one included."""
    if not is_tuple(item, 4):
        return False
    for step in cast("tuple[Any, ...]", item):  # a loop, since snapshots of lists have many
        if not is_step(step):
            return False
    return True


def is_step(item: object) -> bool:
    """One number of a position."""
    return type(item) is int and -STEP_MAX <= item <= STEP_MAX


def is_position(item: object) -> bool:
    """A position of a list, which ends with the component of who inserted it."""
    return is_place(item) and item != () and cast("tuple[int, ...]", item)[-3] > 0


def is_deadline(item: object) -> bool:
    """Milliseconds of wall clock, or never."""
    return type(item) is int and 0 <= item <= FOREVER


def is_growth(item: object) -> bool:
    """The sum of a counter that only grows."""
    return type(item) is int and 0 <= item <= SUM_MAX


def is_sign(item: object) -> bool:
    """Plus or minus one."""
    return type(item) is int and (item == 1 or item == -1)


Check = Callable[[object], bool]
Shape = tuple[tuple[Check, ...], tuple[Check, ...], tuple[Check, ...]]
"""The items after kind and key: those at the start, those that repeat, and optional last ones."""

KEY_SHAPES: Final[dict[int, Shape]] = {
    0x00: ((is_carried,), (), ()),
    0x01: ((is_deadline,), (), ()),
    0x02: ((), (), ()),
    0x03: ((), (), ()),
}
"""The shapes of effects on whole keys. Those of types are in their definitions."""
KEY_KINDS: Final = 16
"""Kinds below this are of effects on whole keys."""
POSITIONS_VERSION: Final = 1
"""The version of the form of list positions. States of lists begin with it. Effects of lists have
it in their operation: operation = 4 * (version - 1) + 0 to 3."""
OPERATIONS_PER_VERSION: Final = 4


def check_form(effect: Any) -> None:
    """Raise DecodeError unless `effect` begins with a kind and a key, and is well-formed if it
    concerns a whole key. The registry of a replica's types checks other payloads."""
    if not is_tuple(effect) or len(effect) < 2:
        raise DecodeError("an effect: expected a kind, a key and a payload")
    kind: Any = effect[0]
    if type(kind) is not int or type(effect[1]) is not bytes or not 0 <= kind <= KIND_MAX:
        raise DecodeError("an effect: expected its kind and key first")
    if kind < KEY_KINDS:
        shape = KEY_SHAPES.get(kind)
        if shape is None:
            raise DecodeError(f"effect of unknown kind {kind}")
        check_shape(effect, shape)


def check_shape(effect: Any, shape: Shape) -> None:
    """Raise DecodeError unless the payload of an effect has this shape."""
    kind: Any = effect[0]
    fixed, repeated, optional = shape
    begin = 2 + len(fixed)
    rest = len(effect) - begin
    if rest:
        if optional and rest == len(optional):
            repeated = optional
        if rest < 0 or not repeated or rest % len(repeated):
            raise DecodeError(f"effect of kind {kind} has {len(effect)} items")
    index = 2
    for check in fixed:
        if not check(effect[index]):
            raise DecodeError(f"effect of kind {kind}: item {index} is of the wrong form")
        index += 1
    for index in range(begin, len(effect)):
        if not repeated[(index - begin) % len(repeated)](effect[index]):
            raise DecodeError(f"effect of kind {kind}: item {index} is of the wrong form")
