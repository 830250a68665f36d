"""Random members of a collection, for SPOP, SRANDMEMBER, HRANDFIELD and ZRANDMEMBER.

Randomness is drawn from the generator that is passed in, so that a run can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from typing import Final, Protocol

from crdb.engine import arguments
from crdb.engine.errors import OUT_OF_RANGE, SYNTAX, CommandError
from crdb.resp.numbers import INT64_MAX
from crdt.structures.pieces import in_pieces
from crdt.structures.table import Table

REPEATED_MAX: Final = 1 << 20
"""Most members that a client may request with repetition. Redis would go on for hours."""
FEW_PICKS: Final = 16
"""So few members are drawn from a large value without preparation."""
VISITED: Final = 5
"""To prepare the pick of a member takes so many times less than to pick it."""
REPEATED_BYTES_MAX: Final = 512 << 20
"""Most bytes of such members, as in one string of the protocol."""

COUNT_OUT_OF_RANGE: Final = (
    b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)


class Sampled(Protocol):
    """A value that can draw one of its members."""

    def prepare_picks(self, budget: int) -> bool:
        """Prepare `pick` in steps. Return whether all is done."""
        ...

    def pick(self, rng: random.Random) -> bytes:
        """Return a random member. It stays in the value."""
        ...


def parse_count(argument: bytes) -> int:
    """Parse a number of members. Negative means with repetition."""
    return arguments.integer_between(argument, -INT64_MAX, INT64_MAX, COUNT_OUT_OF_RANGE)


def parse_options(args: list[bytes], word: bytes) -> tuple[int | None, bool]:
    """Parse the optional count of HRANDFIELD or ZRANDMEMBER, and whether `word` follows it.

    The reply then has two elements for each member, so the count has half the range. Raises
    CommandError.
    """
    if len(args) == 2:
        return None, False
    count = parse_count(args[2])
    if len(args) == 3:
        return count, False
    if len(args) > 4 or not arguments.is_word(args[3], word):
        raise CommandError(SYNTAX)
    if abs(count) > INT64_MAX // 2:
        raise CommandError(OUT_OF_RANGE)
    return count, True


class Sample:
    """Random members of a value, chosen in slices."""

    __slots__ = ("chosen", "members", "rng", "value")

    def __init__(self, value: Sampled, members: Collection[bytes], rng: random.Random) -> None:
        """`members` are those of `value`."""
        self.value = value
        self.members = members
        self.rng = rng
        self.chosen: list[bytes] = []
        """The members that have been chosen so far."""

    def cost(self, count: int) -> int:
        """Return about how many members `choose` visits."""
        is_selection = count > 0 and is_large_part(count, self.members)
        if is_selection or (abs(count) > FEW_PICKS and not self.value.prepare_picks(0)):
            return max(abs(count), len(self.members))
        return abs(count)

    def choose(self, count: int, items: int) -> Iterator[None]:
        """Choose `count` different members, or all if there are no more, or -`count` members with
        repetition if it is negative. A slice visits `items` members."""
        if count < 0:
            yield from self.prepare(-count, items)
            yield from self.repeat(-count, items)
        elif is_large_part(count, self.members):
            yield from self.select(count, items)
        else:
            yield from self.prepare(count, items)
            yield from self.draw(count, items)

    def prepare(self, count: int, items: int) -> Iterator[None]:
        """Prepare many picks. Without that, the first ones of a large value take long."""
        if count > FEW_PICKS:
            while not self.value.prepare_picks(items * VISITED):
                yield

    def select(self, count: int, items: int) -> Iterator[None]:
        """Choose different members, a large part of all. Each member in turn is chosen with the
        probability that makes all choices equally likely (Knuth, TAOCP 3.4.2, algorithm S)."""
        left = len(self.members)
        missing = min(count, left)
        for piece in in_pieces(self.members, items):
            for member in piece:
                if missing >= left or self.rng.random() * left < missing:
                    self.chosen.append(member)
                    missing -= 1
                left -= 1
            yield

    def draw(self, count: int, items: int) -> Iterator[None]:
        """Choose different members, a small part of all."""
        seen = Table()
        left = items
        while len(self.chosen) < count:
            member = self.value.pick(self.rng)
            if member not in seen:
                seen.put(member, None)
                self.chosen.append(member)
            left -= 1
            if left <= 0:
                yield
                left = items
        while len(seen) > items:
            seen.pop_part()
            yield

    def repeat(self, count: int, items: int) -> Iterator[None]:
        """Choose members, each from all. Raises CommandError if they are more than one reply
        holds."""
        if count > REPEATED_MAX:
            raise CommandError(OUT_OF_RANGE)
        room = REPEATED_BYTES_MAX
        for start in range(0, count, items):
            if start:
                yield
            for _ in range(min(items, count - start)):
                member = self.value.pick(self.rng)
                room -= len(member)
                if room < 0:
                    raise CommandError(OUT_OF_RANGE)
                self.chosen.append(member)


def is_large_part(count: int, members: Collection[bytes]) -> bool:
    """Return whether `count` different members are more than a third of all."""
    return count * 3 > len(members)
