"""Arithmetic with counters. An expression uses the value of a handle and gives a plain number.

>>> from crdt import Replica
>>> visits = Replica(1).counter("visits")
>>> visits += 7
>>> visits / 2, round(visits, -1), f"{visits:03d}"
(3.5, 10, '007')
"""

from __future__ import annotations

import math
from numbers import Number
from operator import index
from typing import Any, NoReturn, cast


class Arithmetic:  # noqa: PLW1641 - it changes, as a list does
    """A base class of handles that behave like numbers: all operators use the value.

    Operators that would change it other than by `+=` and `-=` are refused. Without that, Python
    would bind the variable to a plain number, and the counter would stay as it was.
    """

    __slots__ = ()

    def get(self) -> int | float:
        """Return the value, 0 for a missing key."""
        raise NotImplementedError

    def __int__(self) -> int:
        return int(self.get())

    def __index__(self) -> int:
        return index(cast("int", self.get()))

    def __float__(self) -> float:
        return float(self.get())

    def __bool__(self) -> bool:
        return self.get() != 0

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, spec: str) -> str:
        return format(self.get(), spec)

    def __round__(self, digits: int | None = None) -> int | float:
        return round(self.get(), digits)

    def __trunc__(self) -> int:
        return math.trunc(self.get())

    def __floor__(self) -> int:
        return math.floor(self.get())

    def __ceil__(self) -> int:
        return math.ceil(self.get())

    def __eq__(self, other: object) -> bool:
        return self.get() == (other.get() if isinstance(other, Arithmetic) else other)

    def __lt__(self, other: float | Arithmetic) -> bool:
        return self.get() < number_of(other)

    def __le__(self, other: float | Arithmetic) -> bool:
        return self.get() <= number_of(other)

    def __gt__(self, other: float | Arithmetic) -> bool:
        return self.get() > number_of(other)

    def __ge__(self, other: float | Arithmetic) -> bool:
        return self.get() >= number_of(other)

    def __add__(self, other: float | Arithmetic) -> int | float:
        return self.get() + number_of(other)

    __radd__ = __add__

    def __sub__(self, other: float | Arithmetic) -> int | float:
        return self.get() - number_of(other)

    def __rsub__(self, other: float) -> int | float:
        return number_of(other) - self.get()

    def __mul__(self, other: float | Arithmetic) -> int | float:
        return self.get() * number_of(other)

    __rmul__ = __mul__

    def __truediv__(self, other: float | Arithmetic) -> float:
        return self.get() / number_of(other)

    def __rtruediv__(self, other: float) -> float:
        return number_of(other) / self.get()

    def __floordiv__(self, other: float | Arithmetic) -> int | float:
        return self.get() // number_of(other)

    def __rfloordiv__(self, other: float) -> int | float:
        return number_of(other) // self.get()

    def __mod__(self, other: float | Arithmetic) -> int | float:
        return self.get() % number_of(other)

    def __rmod__(self, other: float) -> int | float:
        return number_of(other) % self.get()

    def __divmod__(self, other: float | Arithmetic) -> tuple[int | float, int | float]:
        return divmod(self.get(), number_of(other))

    def __rdivmod__(self, other: float) -> tuple[int | float, int | float]:
        return divmod(number_of(other), self.get())

    def __pow__(self, other: float | Arithmetic) -> int | float:
        return self.get() ** number_of(other)

    def __rpow__(self, other: float) -> int | float:
        return number_of(other) ** self.get()

    def __pos__(self) -> int | float:
        return self.get()

    def __neg__(self) -> int | float:
        return -self.get()

    def __abs__(self) -> int | float:
        return abs(self.get())

    def _refuse_change(self, _other: object) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} changes by its increments only: use += or increment(), or "
            "calculate with its value (n = counter * 2)"
        )

    __imul__ = __itruediv__ = __ifloordiv__ = __imod__ = __ipow__ = _refuse_change


def plain_number(given: Any) -> Any:
    """Return the value if `given` is a handle that behaves like a number, or else `given`."""
    return given.get() if isinstance(given, Arithmetic) else given


def number_of(other: object) -> Any:
    """Return the other operand of a comparison or calculation as a number. Raises TypeError."""
    number = plain_number(other)
    if isinstance(number, Number):
        return number
    raise TypeError(f"expected a number, not {type(other).__name__}")
