"""Conversion of the arguments of embedding programs into the contents of effects.

Effects consist of plain bytes, integers and floats. An effect with any other content would be
applied here and refused by every peer. Therefore handles convert and check each argument before
they write. An argument of the wrong type raises TypeError, and one that is out of range raises
ValueError. Nothing is written then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from inspect import signature
from math import inf
from operator import index
from typing import Any, cast

from crdt.causality.dots import ORIGIN_MAX, REGION_MAX, make_origin, region_of
from crdt.causality.schema import DEADLINE_MAX, STAMP_MAX
from crdt.errors import NotANumber
from crdt.wire.expect import expect_integer, is_iterable, mismatch, plain_integer, shortened

REAL_SECONDS = 10**9  # the year 2001 in seconds since 1970
ENCODE = "encode other values first, for example with str or json.dumps"
NO_PAIRS: Mapping[str, object] = {}
NO_TEXT = "this is not Unicode text: pass bytes instead"
USE_CLOCK = "use lambda: time.time_ns() // 1_000_000"
REAL_MS = 10**12  # the year 2001 in ms since 1970; a later clock counts ms since 1970
SECONDS_MAX = 10**11  # the year 1973 in ms since 1970; an earlier reading or deadline is in seconds


def encode_key(key: object) -> bytes:
    """Return a key as bytes. Text is encoded as UTF-8 with `surrogateescape`, so `decode_key` and
    `encode_key` preserve keys that are not UTF-8."""
    if isinstance(key, str):
        try:
            return key.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise explain_encoding(error) from None
    if isinstance(key, bytes):
        return bytes(key)
    raise TypeError(mismatch("a key", "str or bytes", key, ""))


def decode_key(key: bytes) -> str:
    """Return a key as text. This is the inverse of `encode_key`."""
    return key.decode("utf-8", "surrogateescape")


def encode(item: object) -> bytes:
    """Return text or bytes as bytes."""
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError as error:
            raise explain_encoding(error) from None
    if isinstance(item, bytes):
        return bytes(item)
    raise TypeError(mismatch("", "str or bytes", item, ENCODE))


def explain_encoding(error: UnicodeEncodeError) -> UnicodeEncodeError:
    """Return an error for the same text that says what to pass instead."""
    return UnicodeEncodeError("utf-8", error.object, error.start, error.end, NO_TEXT)


def items_of(given: object) -> list[object]:
    """Return the items of an iterable. Raises TypeError if it is not one."""
    if not isinstance(given, Iterable):
        raise TypeError(mismatch("", "a list or another iterable", given, ""))
    return list(cast("Iterable[object]", given))


def pairs_of(given: object, more: Mapping[str, object] = NO_PAIRS) -> dict[object, object]:
    """Return the pairs of a mapping, or of an iterable of pairs, and `more`, as `dict` does. Raises
    TypeError if `given` is neither."""
    pairs: Any = given
    try:
        return dict[object, object](pairs, **more)
    except (TypeError, ValueError):
        hint = "use {'a': '1'} or [('a', '1')]"
        raise TypeError(mismatch("", "a mapping or pairs", given, hint)) from None


def whole(number: Any, hint: str = "") -> int:
    """Return a number to add, or an index, as a plain int. True is 1, as in all arithmetic of
    Python. `hint` is added to the text of the TypeError."""
    try:
        return int(index(number))
    except TypeError:
        raise TypeError(mismatch("", "an integer", number, hint)) from None


def real(number: Any) -> float:
    """Return a number as a float, which may be infinite but not NaN."""
    if isinstance(number, str | bytes):
        raise TypeError(mismatch("", "a number", number, ""))
    try:
        plain = float(number)
    except TypeError:
        raise TypeError(mismatch("", "a number", number, "")) from None
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
        raise TypeError(mismatch("", "a number or its text", number, ""))
    try:
        exact = Decimal(str(number) if isinstance(number, float) else number)
    except InvalidOperation:
        raise NotANumber(f"{shortened(number)} is not a number") from None
    if not exact.is_finite():
        raise NotANumber(f"{number!r} cannot be added")
    return exact


def wall_clock(now: object, hint: str = USE_CLOCK) -> int:
    """Return a clock reading in ms. Raises TypeError if it is not an integer, and ValueError if it
    does not fit into a stamp. `hint` is what to use instead."""
    clock = now if type(now) is int else plain_integer(now)
    if clock is None:
        shown = f"the float {now!r}" if isinstance(now, float) else type(now).__name__
        raise TypeError(f"a clock returns integer milliseconds, not {shown}; {hint}")
    if not -STAMP_MAX <= clock <= STAMP_MAX:
        raise ValueError(f"no clock shows {clock} ms; {hint}")
    return clock


def why_not_callable(function: Callable[..., Any]) -> str:
    """Return why `function` cannot be called without arguments; empty if it can, or if it is a
    builtin without a signature."""
    try:
        signature(function).bind()
    except TypeError as error:
        return str(error)
    except ValueError:
        pass
    return ""


def check_clock(clock: object) -> None:
    """Raise TypeError or ValueError unless `clock` is a function that returns milliseconds.

    It is called once, since a wrong clock would otherwise be noticed at the first write only, and a
    clock that counts seconds would never be noticed.
    """
    if not callable(clock):
        kind = type(clock).__name__
        raise TypeError(f"clock is a function that returns ms, not {kind}; {USE_CLOCK}")
    if problem := why_not_callable(clock):
        raise TypeError(f"clock is called without arguments, and {problem}; {USE_CLOCK}")
    reading = wall_clock(clock())
    if REAL_SECONDS <= reading < SECONDS_MAX:
        raise ValueError(
            f"a clock returns milliseconds, and {reading} looks like seconds; {USE_CLOCK}"
        )


def deadline(at: Any) -> int | None:
    """Return a deadline in ms of wall clock, or None for no expiry (rule EXP-8)."""
    if at is None:
        return None
    hint = "milliseconds since 1970 are int(time.time() * 1000)"
    return expect_integer(at, "a deadline", 0, DEADLINE_MAX, hint)


def check_deadline(at: int | None, now: int) -> None:
    """Raise ValueError for a deadline that would never come by a clock that shows `now` ms, or that
    appears to be in seconds."""
    if at is None:
        return
    if not now:
        raise ValueError(
            "this replica has no clock, so nothing would ever expire: make it with "
            "Replica(clock=lambda: time.time_ns() // 1_000_000), or call advance(ms)"
        )
    if 0 < at < SECONDS_MAX and now > REAL_MS:
        raise ValueError(f"a deadline counts milliseconds; {at} looks like seconds")


def region_number(member: object, name: str = "a member") -> int:
    """Return the number of a replica that writes. `name` is the name of the parameter."""
    return expect_integer(member, name, 1, REGION_MAX, "it is the number of a replica")


def region_of_origin(origin: object) -> int:
    """Return the number of the region of which `origin` is an incarnation. Raises TypeError or
    ValueError if it is not an origin."""
    hint = "an origin is what make_origin or Replica.origin gives"
    return region_of(expect_integer(origin, "origin", make_origin(1), ORIGIN_MAX, hint))


def region_numbers(members: object) -> set[int]:
    """Return the region numbers in `members`. Raises ValueError if one is given twice."""
    if not is_iterable(members):
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
