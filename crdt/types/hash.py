"""Hashes: a map of strings.

Each field is a string: a register, a counter, or both (rules HSH-2 to HSH-5, D-06). Which fields
there are is decided as for a set, by observed removes (rules HSH-1, HSH-6, HSH-7).
"""

from __future__ import annotations

from typing import Final

from crdt.types.fields import Fields
from crdt.types.register import Register
from crdt.types.string import String

HASH: Final = 3


class Hash(Fields):
    """Strings by field."""

    __slots__ = ()

    def code(self) -> int:
        return HASH

    def make(self) -> Register:
        return String()

    def get(self, field: bytes) -> bytes | None:
        """What HGET shows."""
        register = self.fields.get(field)
        if register is None:
            return None
        assert isinstance(register, String)
        return register.read()

    def items(self) -> list[tuple[bytes, bytes]]:
        """All fields with their values, the oldest field first."""
        pairs: list[tuple[bytes, bytes]] = []
        for field, register in self.fields.items():
            assert isinstance(register, String)
            pairs.append((field, register.read()))
        return pairs

    def visible(self) -> object:
        return sorted(self.items())
