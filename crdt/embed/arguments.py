"""Conversion of the arguments of embedding programs into the contents of effects.

Effects consist of plain bytes, integers and floats. An effect with any other content would be
applied here and refused by every peer. Therefore handles convert and check each argument before
they write. An argument of the wrong type raises TypeError, and one that is out of range raises
ValueError. Nothing is written then.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from math import inf
from operator import index
from typing import Any, cast

from crdt.causality.dots import REGION_MAX
from crdt.causality.schema import DEADLINE_MAX, STAMP_MAX
from crdt.errors import NotANumber

REAL_SECONDS = 10**9  # the year 2001 in seconds since 1970
SECONDS_MAX = 10**11  # the year 1973 in ms since 1970; an earlier reading or deadline is in seconds


def encode_key(key: object) -> bytes:
    """Return a key as bytes. Text is encoded as UTF-8 with `surrogateescape`, so `decode_key` and
    `encode_key` preserve keys that are not UTF-8."""
    if isinstance(key, str):
        return key.encode("utf-8", "surrogateescape")
    return encode(key)


def decode_key(key: bytes) -> str:
    """Return a key as text. This is the inverse of `encode_key`."""
    return key.decode("utf-8", "surrogateescape")


def encode(item: object) -> bytes:
    """Return text or bytes as bytes."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return bytes(item)
    raise TypeError(f"expected str or bytes, not {type(item).__name__}")


def whole(number: Any, hint: str = "") -> int:
    """Return an integer as a plain int; True is 1. `hint` is added to the text of the TypeError."""
    try:
        return int(index(number))
    except TypeError:
        more = f": {hint}" if hint else ""
        raise TypeError(f"expected an integer, not {type(number).__name__}{more}") from None


def real(number: Any) -> float:
    """Return a number as a float, which may be infinite but not NaN."""
    if isinstance(number, str | bytes):
        raise TypeError(f"expected a number, not {type(number).__name__}")
    try:
        plain = float(number)
    except TypeError:
        raise TypeError(f"expected a number, not {type(number).__name__}") from None
    except OverflowError:
        plain = inf
    if plain != plain:
        raise ValueError("expected a number, not NaN")
    if plain in (inf, -inf) and isinstance(number, int | Decimal) and abs(number) != inf:
        raise ValueError("the number is too large for a float")
    return plain


def decimal(number: Any) -> Decimal:
    """Return a number or its text as an exact, finite decimal. Raises NotANumber for other text."""
    if not isinstance(number, int | float | str | Decimal):
        raise TypeError(f"expected a number or its text, not {type(number).__name__}")
    try:
        exact = Decimal(str(number) if isinstance(number, float) else number)
    except InvalidOperation:
        raise NotANumber(f"{number!r} spells no number") from None
    if not exact.is_finite():
        raise NotANumber(f"{number!r} cannot be added")
    return exact


def wall_clock(now: Any) -> int:
    """Return a clock reading in ms. Raises ValueError if it does not fit into a stamp."""
    if isinstance(now, float):
        raise TypeError(
            f"a clock returns integer milliseconds, not the float {now!r}; "
            "use lambda: time.time_ns() // 1_000_000"
        )
    clock = whole(now)
    if not -STAMP_MAX <= clock <= STAMP_MAX:
        raise ValueError(f"no clock shows {clock} ms; use lambda: time.time_ns() // 1_000_000")
    return clock


def check_clock(clock: object) -> None:
    """Raise TypeError or ValueError unless `clock` is a function that returns milliseconds.

    It is called once, since a wrong clock would otherwise be noticed at the first write only, and a
    clock that counts seconds would never be noticed.
    """
    if not callable(clock):
        raise TypeError(f"clock is a function that returns ms, not {type(clock).__name__}")
    reading = wall_clock(clock())
    if REAL_SECONDS <= reading < SECONDS_MAX:
        raise ValueError(
            f"a clock returns milliseconds, and {reading} looks like seconds; "
            "use lambda: time.time_ns() // 1_000_000"
        )


def deadline(at: Any) -> int | None:
    """Return a deadline in ms of wall clock, or None for no expiry (rule EXP-8)."""
    if at is None:
        return None
    clock = whole(at, "milliseconds since 1970 are int(time.time() * 1000)")
    if not 0 <= clock <= DEADLINE_MAX:
        raise ValueError(f"a deadline is 0..{DEADLINE_MAX} ms of wall clock, not {clock}")
    return clock


def region_number(member: Any) -> int:
    """Return the number of a replica that writes."""
    number = whole(member)
    if not 1 <= number <= REGION_MAX:
        raise ValueError(f"a member is a region number, 1..{REGION_MAX}, not {number}")
    return number


def region_numbers(members: object) -> set[int]:
    """Return the region numbers in `members`. Raises ValueError if one is given twice."""
    if isinstance(members, str | bytes) or not isinstance(members, Iterable):
        raise TypeError(
            f"members are region numbers, such as [1, 2, 3], not {type(members).__name__}"
        )
    numbers: set[int] = set()
    for member in cast("Iterable[Any]", members):
        number = region_number(member)
        if number in numbers:
            raise ValueError(f"member {number} is given twice")
        numbers.add(number)
    return numbers
