"""Functions of the process and the links that an instance calls. The driver provides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Surroundings:
    """The functions; without a driver an instance is alone and cannot be stopped."""

    __slots__ = ("count_acknowledged", "count_copies", "neighbours", "request_stop")

    def __init__(self) -> None:
        self.count_acknowledged: Callable[[int], int] = nobody_has
        """Takes a number of our own effects; returns how many other regions hold all up to it."""
        self.count_copies: Callable[[], int] = nobody
        """Returns how many regions of other processes hold everything that is here."""
        self.neighbours: Sequence[Any] = ()
        """The other instances of the process."""
        self.request_stop: Callable[[str], None] | None = None
        """Ends the process cleanly, as SIGTERM does; takes the reason."""


def nobody_has(_seq: int) -> int:
    """Return 0: there is no other region."""
    return 0


def nobody() -> int:
    """Return 0: there is no other process."""
    return 0
