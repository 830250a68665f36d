"""Increments of JSON numbers: the sum of each origin, on top of the number that was written.

A number and its increments belong to one node. A write of the number makes another node, and a
removal takes the node away with all increments. So a sum is never reset, and nothing has to be
remembered about one (rule JSN-12, D-14).

A sum of integers is an integer. Otherwise it is a *decimal text*: a byte string with a decimal
point, such as `b"2.0"`. Decimals are added exactly, so the order of delivery does not matter. JSON
numbers are floats: an origin adds the exact difference between the float that it saw and the float
that it replies. So one region replies what RedisJSON replies.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from math import inf
from typing import Any, Final, TypeAlias

from crdt.causality.dots import Origin, Vector
from crdt.errors import CounterOverflow, NotANumber

Sum: TypeAlias = int | bytes
"""An integer of 64 bits, or a decimal text."""
Sums: TypeAlias = tuple[tuple[Origin, int, Sum], ...]
"""The origin, the sequence number of its latest increment, and its sum, by origin."""

EXACT: Final = Context(prec=4096)
DECIMAL: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)\.[0-9]+")
DECIMAL_BYTES_MAX: Final = 1500
"""The longest decimal text. Two floats of one sign differ by less than 1,400 digits."""
SIGNED_MIN: Final = -(1 << 63)
SIGNED_MAX: Final = (1 << 63) - 1
FLOAT_MAX: Final = 1.7976931348623157e308
OVERFLOW: Final = "numeric overflow"
NO_NUMBER: Final = "result is not a number"


def is_signed(number: object) -> bool:
    """Return whether a number is an integer that is added as one."""
    return type(number) is int and SIGNED_MIN <= number <= SIGNED_MAX


def is_json_sum(item: object) -> bool:
    """Return whether `item` is the sum of an origin in an effect or a state."""
    if type(item) is bytes:
        return len(item) <= DECIMAL_BYTES_MAX and DECIMAL.fullmatch(item) is not None
    return is_signed(item)


def added(sums: Sums, origin: Origin, seq: int, amount: Sum) -> Sums:
    """Return the sums after an origin's increment `seq`, which made its sum `amount`."""
    others = [each for each in sums if each[0] != origin]
    return tuple(sorted([*others, (origin, seq, amount)]))


def merged_sums(ours: Sums, theirs: Sums) -> Sums:
    """Return the later sum of each origin."""
    if ours == theirs:
        return ours
    latest = {each[0]: each for each in ours}
    for each in theirs:
        held = latest.get(each[0])
        if held is None or held[1] < each[1]:
            latest[each[0]] = each
    return tuple(sorted(latest.values()))


def own_sum(sums: Sums, origin: Origin) -> Sum:
    """Return the sum of one origin, 0 if it has added nothing."""
    for each in sums:
        if each[0] == origin:
            return each[2]
    return 0


def exact(number: Any) -> Decimal:
    """Return the exact number that a number is printed as."""
    if type(number) is int:
        return Decimal(number)
    return Decimal(number.decode() if type(number) is bytes else repr(number))


def total(number: Any, sums: Sums) -> Any:
    """Return a number with all sums. It is an integer if all are, and the result has 64 bits."""
    whole: int = number if type(number) is int else 0
    is_whole = is_signed(number)
    for _, _, amount in sums:
        if type(amount) is int:
            whole += amount
        else:
            is_whole = False
    if is_whole and SIGNED_MIN <= whole <= SIGNED_MAX:
        return whole
    result = exact(number)
    for _, _, amount in sums:
        result = EXACT.add(result, exact(amount))
    return finite(result)


def finite(number: Decimal) -> float:
    """Return the nearest float that JSON can hold."""
    nearest = float(number)
    return max(-FLOAT_MAX, min(FLOAT_MAX, nearest)) if nearest in (inf, -inf) else nearest


def increased(number: Any, delta: Any) -> Any:
    """Return `number + delta` as JSON.NUMINCRBY replies it.

    Raises CounterOverflow if the sum of two integers has more than 64 bits, and NotANumber if a sum
    is infinite.
    """
    if is_signed(number) and is_signed(delta):
        return checked_integer(number + delta)
    return checked_float(float(number) + float(delta))


def multiplied(number: Any, factor: Any) -> Any:
    """Return `number * factor` as JSON.NUMMULTBY replies it. Raises what `increased` raises."""
    if is_signed(number) and is_signed(factor):
        return checked_integer(number * factor)
    return checked_float(float(number) * float(factor))


def checked_integer(number: int) -> int:
    """Return an integer of 64 bits. Raises CounterOverflow for any other."""
    if not is_signed(number):
        raise CounterOverflow(OVERFLOW)
    return number


def checked_float(number: float) -> float:
    """Return a float that JSON can hold. Raises NotANumber for any other."""
    if number != number or number in (inf, -inf):
        raise NotANumber(NO_NUMBER)
    return number


def next_sum(before: Sum, shown: Any, result: Any) -> Sum | None:
    """Return the sum of an origin that shows `result` instead of `shown` from now on, and had the
    sum `before`. Return None if the sum has no form that can be sent."""
    if type(before) is int and is_signed(shown) and is_signed(result):
        amount = before + result - shown
        return amount if is_signed(amount) else None
    difference = EXACT.subtract(exact(result), exact(shown))
    text = f"{EXACT.add(exact(before), difference):f}".encode()
    if b"." not in text:
        text += b".0"
    return text if is_json_sum(text) else None


def are_covered(sums: Sums, vector: Vector) -> bool:
    """Return whether a vector covers all increments."""
    return all(vector.get(origin, 0) >= seq for origin, seq, _ in sums)
