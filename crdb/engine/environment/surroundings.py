"""Functions of the process and the links that an instance calls. The driver provides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class AclFile(Protocol):
    """A file of users."""

    path: str

    def read(self) -> bytes:
        """Return the text. Raises OSError."""
        ...

    def write(self, text: bytes) -> None:
        """Replace the text durably and as a whole. Raises OSError."""
        ...


class Surroundings:
    """The functions; without a driver an instance is alone and cannot be stopped."""

    __slots__ = (
        "acl_file",
        "count_acknowledged",
        "count_copies",
        "neighbours",
        "request_stop",
        "secret_bits",
    )

    def __init__(self) -> None:
        self.count_acknowledged: Callable[[int], int] = nobody_has
        """Takes a number of our own effects; returns how many other regions hold all up to it."""
        self.count_copies: Callable[[], int] = nobody
        """Returns how many regions of other processes hold everything that is here."""
        self.neighbours: Sequence[Any] = ()
        """The other instances of the process."""
        self.request_stop: Callable[[str], None] | None = None
        """Ends the process cleanly, as SIGTERM does; takes the reason."""
        self.acl_file: AclFile | None = None
        """The file of users that ACL LOAD and ACL SAVE work with."""
        self.secret_bits: Callable[[int], int] | None = None
        """Takes a number of bits; returns that many random bits, which nobody can predict."""


def nobody_has(_seq: int) -> int:
    """Return 0: there is no other region."""
    return 0


def nobody() -> int:
    """Return 0: there is no other process."""
    return 0
