"""Check the form of effects, kind by kind.

Effects come from peers and from files. Each is checked here before anything is applied, so that
damaged or hostile bytes end in one named error and an applied effect cannot fail halfway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from crdt.causality.dots import DOT_MAX, ORIGIN_MAX, SEQ_BITS, SEQ_MAX, check_supported
from crdt.causality.effect import (
    ANY_TYPE,
    DELETE,
    EXPIRE,
    FLUSH,
    FORGET,
    MESSAGE,
    OPERATION_MAX,
    TO_CHANNEL,
    TO_SHARD_CHANNEL,
    Effect,
)
from crdt.errors import DecodeError
from crdt.numbers.number import is_fraction
from crdt.wire.decoding import is_tuple

CODE_MAX: Final = 255
STAMP_MAX: Final = 1 << 53  # ms; no wall clock ever shows it
FOREVER: Final = 1 << 50  # later than the last deadline that rule EXP-8 allows
DEADLINE_MAX: Final = 1 << 49
STEP_MAX: Final = 1 << 53
OFFSET_MAX: Final = 1 << 36  # behind the end of any string that fits into memory
KEY_BITS: Final = 22
KEY_MIN: Final = 1 << KEY_BITS
KEY_MAX: Final = (SEQ_MAX << KEY_BITS) + KEY_MIN - 1
"""The greatest key of an element of a list."""
SPAN_MAX: Final = 1 << 32  # more elements than fit into any memory
SUM_MAX: Final = (1 << 63) - 1


def is_code(item: object) -> bool:
    """Return whether `item` is the code of a type."""
    return type(item) is int and 0 < item <= CODE_MAX


def is_bytes(item: object) -> bool:
    """Return whether `item` is a byte string."""
    return type(item) is bytes


def is_stamp(item: object) -> bool:
    """Return whether `item` is a stamp: milliseconds from the time base of an operation."""
    return type(item) is int and -STAMP_MAX <= item <= STAMP_MAX


def is_number(item: object) -> bool:
    """Return whether `item` is an integer of 64 bits, or a float other than NaN."""
    if type(item) is int:
        return -SUM_MAX - 1 <= item <= SUM_MAX
    return type(item) is float and item == item


def is_sum(item: object) -> bool:
    """Return whether `item` is an integer of 64 bits, or a decimal text."""
    return (type(item) is int and is_number(item)) or is_fraction(item)


def is_origin(item: object) -> bool:
    """Return whether `item` is an origin that this program supports, or 0."""
    return type(item) is int and 0 <= item <= ORIGIN_MAX


def is_name(item: object) -> bool:
    """Return whether `item` is the birth or sequence number of a share."""
    return type(item) is int and 0 <= item <= DOT_MAX


def is_dot(item: object) -> bool:
    """Return whether `item` is a dot of an origin that this program supports. A follower renames
    it. A sequence number or a birth, which has no origin, is not a dot, and neither is an origin
    without a sequence number."""
    return type(item) is int and SEQ_MAX < item <= DOT_MAX and item & SEQ_MAX != 0


def is_seq(item: object) -> bool:
    """Return whether `item` is a sequence number."""
    return type(item) is int and 0 < item <= SEQ_MAX


def are_resets(item: object) -> bool:
    """Return whether `item` has origin, birth, seq and sum of some shares."""
    if not is_tuple(item, 4):
        return False
    flat = cast("tuple[Any, ...]", item)
    for index, part in enumerate(flat):
        place = index % 4
        if place == 0:
            is_right = is_origin(part)
        else:
            is_right = is_name(part) if place < 3 else is_number(part) or is_fraction(part)
        if not is_right:
            return False
    return True


def are_field_resets(item: object) -> bool:
    """Return whether `item` has fields and their resets in turn."""
    if not is_tuple(item, 2):
        return False
    flat = cast("tuple[Any, ...]", item)
    return all(map(is_bytes, flat[::2])) and all(map(are_resets, flat[1::2]))


def is_carried(item: object) -> bool:
    """Return whether `item` has type codes and resets in turn, as a delete carries them."""
    if not is_tuple(item, 2):
        return False
    flat = cast("tuple[Any, ...]", item)
    resets = all(are_resets(each) or are_field_resets(each) for each in flat[1::2])
    return all(map(is_code, flat[::2])) and resets


def is_place(item: object) -> bool:
    """Return whether `item` is a place of an insertion into a list: `()` for the top level, a run,
    or a position, of whose element a child run is opened."""
    if type(item) is not tuple:
        return False
    parts = cast("tuple[Any, ...]", item)
    if len(parts) == 2:
        return is_step(parts[0]) and is_run(parts[1])
    return len(parts) == 0 or is_position(parts)


def is_run(item: object) -> bool:
    """Return whether `item` is the dot of a list's run: that of an effect, or one without a
    sequence number."""
    return type(item) is int and SEQ_MAX < item <= DOT_MAX


def is_step(item: object) -> bool:
    """Return whether `item` is a number of a position."""
    return type(item) is int and -STEP_MAX <= item <= STEP_MAX


def is_position(item: object) -> bool:
    """Return whether `item` is a position of a list: k and dot of a run, and a key in it."""
    if type(item) is not tuple:
        return False
    parts = cast("tuple[Any, ...]", item)
    return len(parts) == 3 and is_step(parts[0]) and is_run(parts[1]) and is_key(parts[2])


def is_key(item: object) -> bool:
    """Return whether `item` is the key of a list's element: plus or minus a sequence number,
    shifted, and an index in an effect."""
    return type(item) is int and KEY_MIN <= abs(item) <= KEY_MAX


def is_span(item: object) -> bool:
    """Return whether `item` is a position of a list, or a position, a step and a count, which name
    elements of one run."""
    if is_position(item):
        return True
    if type(item) is not tuple:
        return False
    parts = cast("tuple[Any, ...]", item)
    if len(parts) != 5 or not is_position(parts[:3]):
        return False
    step, count = parts[3], parts[4]
    if type(step) is not int or type(count) is not int or not 0 < step <= 2 * KEY_MAX:
        return False
    return 1 < count <= SPAN_MAX and is_key(parts[2] + step * (count - 1))


def is_deadline(item: object) -> bool:
    """Return whether `item` is a deadline: milliseconds of wall clock, or FOREVER."""
    return type(item) is int and 0 <= item <= FOREVER


def is_growth(item: object) -> bool:
    """Return whether `item` is the sum of a grow-only counter."""
    return type(item) is int and 0 <= item <= SUM_MAX


def is_count(item: object) -> bool:
    """Return whether `item` is a number of things, or the difference of two such numbers."""
    return type(item) is int and -SUM_MAX <= item <= SUM_MAX


def is_offset(item: object) -> bool:
    """Return whether `item` is a place in a string, or behind its end."""
    return type(item) is int and 0 <= item <= OFFSET_MAX


def is_sign(item: object) -> bool:
    """Return whether `item` is plus or minus one."""
    return type(item) is int and (item == 1 or item == -1)


def is_message_kind(item: object) -> bool:
    """Return whether `item` is a kind of message: TO_CHANNEL or TO_SHARD_CHANNEL."""
    return type(item) is int and TO_CHANNEL <= item <= TO_SHARD_CHANNEL


Check = Callable[[object], bool]
Shape = tuple[tuple[Check, ...], tuple[Check, ...], tuple[Check, ...]]
"""The items after the key: those at the start, those that repeat, and optional last ones."""
Kind = tuple[int, int]
"""The code of a type and the number of an operation: the first two items of an effect."""

KEY_SHAPES: Final[dict[Kind, Shape]] = {
    (ANY_TYPE, DELETE): ((is_carried,), (), ()),
    (ANY_TYPE, EXPIRE): ((is_deadline,), (), ()),
    (ANY_TYPE, FLUSH): ((), (), ()),
    (ANY_TYPE, FORGET): ((), (), ()),
    (ANY_TYPE, MESSAGE): ((is_message_kind, is_bytes, is_bytes), (), ()),
}
"""The shapes of effects on whole keys, and of messages. Those of types are in their definitions."""
POSITIONS_VERSION: Final = 2
"""The version of the form of list positions. States of lists begin with it. Effects of lists have
it in their operation: operation = 16 * (version - 1) + 0 to 15."""
OPERATIONS_PER_VERSION: Final = 16
POSITIONS_FIRST: Final = OPERATIONS_PER_VERSION * (POSITIONS_VERSION - 1)
"""The number of the first operation of lists."""
PREFIX_ITEMS: Final = 3
"""The items of every effect: the code, the operation and the key."""

# Objects to compare with: a compiled module looks a function up by its name each time.
BYTES_CHECK: Final[Check] = is_bytes
STAMP_CHECK: Final[Check] = is_stamp
SEQ_CHECK: Final[Check] = is_seq
SUM_CHECK: Final[Check] = is_sum


def check_form(effect: object) -> None:
    """Raise DecodeError unless `effect` begins with a type code, an operation and a key, and is
    well-formed if it concerns a whole key. The registry of a replica's types checks the items of
    other effects."""
    if type(effect) is not tuple:
        raise DecodeError("an effect: expected a type code, an operation, a key and items")
    items = cast("Effect", effect)
    if len(items) < PREFIX_ITEMS:
        raise DecodeError("an effect: expected a type code, an operation, a key and items")
    if type(items[0]) is not int or type(items[1]) is not int or type(items[2]) is not bytes:
        raise DecodeError("an effect: expected its type code, its operation and its key first")
    code: int = items[0]
    operation: int = items[1]
    if not 0 <= code <= CODE_MAX or not 0 <= operation <= OPERATION_MAX:
        raise DecodeError(
            f"an effect of type {code}, operation {operation}: this program supports types up to "
            f"{CODE_MAX} and operations up to {OPERATION_MAX}"
        )
    if code == ANY_TYPE:
        shape = KEY_SHAPES.get((code, operation))
        if shape is None:
            raise DecodeError(f"an effect of type {code} has an unknown operation {operation}")
        check_shape(items, shape)


def check_shape(effect: Effect, shape: Shape) -> None:
    """Raise DecodeError unless the items of an effect have this shape."""
    fixed, repeated, optional = shape
    size = len(effect)
    index = PREFIX_ITEMS
    begin = index + len(fixed)
    if size != begin:
        if optional and size - begin == len(optional):
            repeated = optional
        if size < begin or not repeated or (size - begin) % len(repeated):
            raise DecodeError(f"{name_of(effect)} has {size} items")
    for check in fixed:
        if not passes(check, effect[index]):
            raise wrong_item(effect, index, check)
        index += 1
    while index < size:
        for check in repeated:
            if not passes(check, effect[index]):
                raise wrong_item(effect, index, check)
            index += 1


def passes(check: Check, item: object) -> bool:
    """Return whether an item passes a check. The commonest checks are called by their names: a
    call through a variable takes several times as long."""
    if check is BYTES_CHECK:
        return type(item) is bytes
    if check is STAMP_CHECK:
        return is_stamp(item)
    if check is SEQ_CHECK:
        return is_seq(item)
    if check is SUM_CHECK:
        return is_sum(item)
    return check(item)


def wrong_item(effect: Any, index: int, check: Check) -> DecodeError:
    """Return the error for an item that does not pass its check. Raises UnsupportedOrigin if the
    item holds an origin that is too large for this program."""
    where = f"{name_of(effect)}: item {index}"
    check_origins(effect[index], check, where)
    return DecodeError(f"{where} is of the wrong form")


def check_origins(item: object, check: Check, what: str) -> None:
    """Raise UnsupportedOrigin if an item for this check holds an origin that is too large for this
    program."""
    for origin in origins_in(item, check):
        check_supported(origin, what)


def origins_in(item: object, check: Check) -> list[object]:
    """Return what stands where an item of an effect holds origins, in an item of any form."""
    if check == is_dot:
        return [item >> SEQ_BITS] if type(item) is int else []
    if type(item) is not tuple:
        return []
    parts = cast("tuple[object, ...]", item)
    if check in {is_place, is_position, is_span}:
        dots = [part for part in parts[1:2] if type(part) is int]
        return [dot >> SEQ_BITS for dot in dots]
    if check == are_resets:
        return list(parts[::4])
    found: list[object] = []
    if check in {is_carried, are_field_resets}:
        for part in parts:
            found += origins_in(part, are_resets)
            found += origins_in(part, are_field_resets)
    return found


def name_of(effect: Any) -> str:
    """Return how errors call an effect."""
    return f"an effect of type {effect[0]}, operation {effect[1]}"
