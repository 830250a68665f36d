"""Check the arguments that a program passes to the public functions of this package.

A refused argument raises TypeError or ValueError before anything is changed. The text names the
parameter, the argument, and what to pass instead.

A public function of a compiled module declares its parameters as `Given[int]`. mypyc checks a
parameter that is declared as `int` before the function is entered, and raises an error with a text
of its own. It does not check a union with a protocol. So the function checks the argument itself,
with the functions of this module, and the error is the same in compiled and interpreted modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any, Final, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

UNBOUNDED: Final = 1 << 62
"""The limit of an integer that may be as large as the memory permits."""
SHOWN: Final = 40  # characters of an argument in an error


class Unchecked(Protocol):
    """A type that no object has. `Given` says why it exists."""

    def __no_object_has_this_method__(self) -> None: ...


Given: TypeAlias = T | Unchecked
"""The type of an argument that a public function checks itself. Type checkers accept a `T` only."""


def expect(item: object, kind: type[T], hint: str = "", name: str = "") -> T:
    """Return `item`. Raises TypeError unless it is of the type `kind`. `hint` is what to use
    instead, and `name` the name of the parameter."""
    if not isinstance(item, kind):
        raise TypeError(mismatch(name, kind.__name__, item, hint))
    return item


def expect_integer(
    item: object, name: str, least: int, most: int = UNBOUNDED, hint: str = ""
) -> int:
    """Return `item` as a plain int. Raises TypeError unless it is an integer other than True and
    False, and ValueError unless it is from `least` to `most`."""
    number = plain_integer(item)
    if number is None:
        raise TypeError(mismatch(name, "an integer", item, hint))
    if not least <= number <= most:
        limits = f"{least} or more" if most == UNBOUNDED else f"{least} to {most}"
        more = f"; {hint}" if hint else ""
        raise ValueError(f"{name} is {shortened(number)}: use {limits}{more}")
    return number


def expect_bool(item: object, name: str) -> bool:
    """Return `item`. Raises TypeError unless it is True or False."""
    if item is True or item is False:
        return item is True
    raise TypeError(mismatch(name, "True or False", item, ""))


def plain_integer(item: Any) -> int | None:
    """Return `item` as a plain int, None if it is not an integer. True and False are not."""
    if isinstance(item, bool):
        return None
    try:
        return int(index(item))
    except TypeError:
        return None


def is_iterable(item: object) -> bool:
    """Return whether `item` is an iterable other than text and bytes."""
    return isinstance(item, Iterable) and not isinstance(item, str | bytes)


def mismatch(name: str, expected: str, item: object, hint: str) -> str:
    """Return the text of an error for an argument of a wrong type."""
    where = f"{name}: " if name else ""
    more = f": {hint}" if hint else ""
    return f"{where}expected {expected}, not {type(item).__name__}{more}"


def no_subclass(name: str, base: str) -> TypeError:
    """Return the error for a class `name` that is derived from our class `base`. mypyc refuses
    subclasses of compiled classes, so they are refused in interpreted modules, too."""
    return TypeError(
        f"{name} cannot be a subclass of {base}, which may be compiled: keep the {base} in an "
        f"attribute of {name}, and call it from there"
    )


def shortened(item: object) -> str:
    """Return the repr of an argument, cut off if it is long."""
    text = repr(item)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
