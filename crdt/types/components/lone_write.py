"""The short form of a field or score that was written once.

Most fields of hashes and members of sorted sets hold one write, and neither concurrent writes nor
increments. Such a field is a `LoneWrite` of 48 bytes. It is unfolded to a register when anything
else happens to it, and folded again when only one write is left.
"""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

from crdt.causality.dots import Dot
from crdt.numbers.number import Number

INTEGRAL_MAX: Final = float(1 << 53)


@mypyc_attr(acyclic=True)
class LoneWrite:
    """One write: its dot and its stamp. Subclasses hold its value."""

    __slots__ = ("dot", "stamp")

    def __init__(self, dot: Dot, stamp: int) -> None:
        self.dot: Dot = dot
        self.stamp: int = stamp

    def written(self) -> Any:
        """Return the value, as an effect and a state hold it."""
        raise NotImplementedError

    def rewrite(self, dot: Dot, stamp: int, value: Any) -> bool:
        """Hold another write instead. Return False, and change nothing, if it has no short form."""
        raise NotImplementedError

    def copy(self) -> LoneWrite:
        """Return a copy."""
        raise NotImplementedError


@mypyc_attr(acyclic=True)
class LoneText(LoneWrite):
    """One write of a text."""

    __slots__ = ("value",)

    def __init__(self, dot: Dot, stamp: int, value: bytes) -> None:
        super().__init__(dot, stamp)
        self.value: bytes = value

    def written(self) -> Any:
        return self.value

    def rewrite(self, dot: Dot, stamp: int, value: Any) -> bool:
        if type(value) is not bytes:
            return False
        self.dot, self.stamp, self.value = dot, stamp, value
        return True

    def copy(self) -> LoneWrite:
        return LoneText(self.dot, self.stamp, self.value)


@mypyc_attr(acyclic=True)
class LoneScore(LoneWrite):
    """One write of a score, which `has_short_form`."""

    __slots__ = ("value",)

    def __init__(self, dot: Dot, stamp: int, value: float) -> None:
        super().__init__(dot, stamp)
        self.value: float = value

    def written(self) -> Any:
        return compact(self.value)

    def rewrite(self, dot: Dot, stamp: int, value: Any) -> bool:
        if not has_short_form(value):
            return False
        self.dot, self.stamp, self.value = dot, stamp, float(value)
        return True

    def copy(self) -> LoneWrite:
        return LoneScore(self.dot, self.stamp, self.value)


def compact(score: float) -> Number:
    """Return the same number, as an integer if that is shorter on the wire."""
    if -INTEGRAL_MAX < score < INTEGRAL_MAX:
        whole = int(score)
        if whole == score:
            return whole
    return score


def has_short_form(written: object) -> bool:
    """Return whether `compact` restores a written score from its binary floating point."""
    if type(written) is int:
        return -(1 << 53) < written < 1 << 53
    return type(written) is float and written == written and type(compact(written)) is float
