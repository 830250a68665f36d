"""Randomness for a simulation: one seed, and an independent stream for each name.

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


def exponential_quantiles() -> tuple[int, ...]:
    """Return the quantiles of the exponential distribution of mean SCALE. `decimal` rounds equally
    on every machine, which `math.log` does not guarantee."""
    exact = Context(prec=30)
    shares = [Decimal(CELLS - i) / CELLS for i in range(CELLS)] + [Decimal(1) / (CELLS * 8)]
    return tuple(int(-exact.ln(share) * SCALE) for share in shares)


EXPONENTIAL: Final = exponential_quantiles()


def make_generator(seed: int, name: str) -> Random:
    """Return the generator called `name` under `seed`."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest, "big"))


class SeededRandom:
    """A named random stream."""

    __slots__ = ("bits", "generator", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self.generator = make_generator(seed, name)
        self.bits = self.generator.getrandbits

    def substream(self, name: str) -> SeededRandom:
        """Return an independent stream for a part of this one's purpose."""
        return SeededRandom(self.seed, f"{self.name}/{name}")

    def integer_below(self, limit: int) -> int:
        """Return 0 to `limit` - 1, all equally likely (to one part in 2^53 / limit)."""
        assert 0 < limit < 1 << WORD_BITS, limit
        return self.bits(WORD_BITS) * limit >> WORD_BITS

    def integer_between(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`, both included."""
        return low + self.integer_below(high - low + 1)

    def happens_in(self, parts: int, whole: int = 100) -> bool:
        """Return True in `parts` of `whole` cases."""
        return self.integer_below(whole) < parts

    def choose_one(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        return items[self.integer_below(len(items))]

    def choose_several(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` different items, in random order."""
        left = list(items)
        return [left.pop(self.integer_below(len(left))) for _ in range(min(count, len(left)))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return all items in random order."""
        return self.choose_several(items, len(items))

    def exponential(self, mean: int) -> int:
        """Draw from the exponential distribution of mean `mean`: the wait for the next event.

        At most nine times the mean: the tail is cut where one draw in 8,192 would lie.
        """
        bits = self.bits(32)
        cell, part = bits >> 22, bits & 0x3FFFFF
        low = EXPONENTIAL[cell]
        return mean * (low + ((EXPONENTIAL[cell + 1] - low) * part >> 22)) // SCALE
