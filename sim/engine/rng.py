"""Randomness for a simulation: one seed, and a stream of its own for whoever asks by name.

A stream's bits depend on the seed and its name and on nothing else, so a new fault or a new link
leaves all others with the bits that they always had, and old seeds keep their meaning. Everything
is integer arithmetic over `getrandbits`: no float decides anything, and no method is used that
another version of Python may compute differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Context, Decimal
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

WORD_BITS: Final = 53
CELLS: Final = 1024
SCALE: Final = 1 << 20


def logarithms() -> tuple[int, ...]:
    """The quantiles of the exponential distribution of mean SCALE. `decimal` rounds alike
    everywhere, which `math.log` does not promise."""
    exact = Context(prec=30)
    shares = [Decimal(CELLS - i) / CELLS for i in range(CELLS)] + [Decimal(1) / (CELLS * 8)]
    return tuple(int(-exact.ln(share) * SCALE) for share in shares)


EXPONENTIAL: Final = logarithms()


def stream(seed: int, name: str) -> Random:
    """The generator called `name` under `seed`."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "big"))


class Dice:
    """One named stream, and what can be asked of it."""

    __slots__ = ("bits", "name", "rng", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self.rng = stream(seed, name)
        self.bits = self.rng.getrandbits

    def child(self, name: str) -> Dice:
        """A stream of its own for a part of whatever this one is for."""
        return Dice(self.seed, f"{self.name}/{name}")

    def below(self, limit: int) -> int:
        """0 to `limit` - 1, all equally likely (to one part in 2^53 / limit)."""
        assert 0 < limit < 1 << WORD_BITS, limit
        return self.bits(WORD_BITS) * limit >> WORD_BITS

    def between(self, low: int, high: int) -> int:
        """`low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, parts: int, whole: int = 100) -> bool:
        """True in `parts` of `whole` cases."""
        return self.below(whole) < parts

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different ones, in random order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of them in random order."""
        return self.some(items, len(items))

    def exponential(self, mean: int) -> int:
        """The wait for something that happens every `mean` on average, whenever it last did.

        At most nine times the mean: the tail is cut where one draw in 8,192 would lie.
        """
        bits = self.bits(32)
        cell, part = bits >> 22, bits & 0x3FFFFF
        low = EXPONENTIAL[cell]
        return mean * (low + ((EXPONENTIAL[cell + 1] - low) * part >> 22)) // SCALE
