"""Random members of a collection, for SPOP, SRANDMEMBER, HRANDFIELD and ZRANDMEMBER.

Randomness is drawn from the generator that is passed in, so that a run can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Final, Protocol

from crdb.engine import arguments
from crdb.engine.errors import OUT_OF_RANGE, SYNTAX, CommandError
from crdb.resp.numbers import INT64_MAX

REPEATED_MAX: Final = 1 << 20
"""Most members that a client may request with repetition. Redis would go on for hours."""
REPEATED_BYTES_MAX: Final = 512 << 20
"""Most bytes of such members, as in one string of the protocol."""

COUNT_OUT_OF_RANGE: Final = (
    b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)


class Sampled(Protocol):
    """A value that can draw one of its members."""

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


def sample(
    value: Sampled, members: Collection[bytes], count: int, rng: random.Random
) -> list[bytes]:
    """Return `count` different members, or -`count` members with repetition if it is negative."""
    return repeated(value, -count, rng) if count < 0 else distinct(value, members, count, rng)


def distinct(
    value: Sampled, members: Collection[bytes], count: int, rng: random.Random
) -> list[bytes]:
    """Return `count` different members, or all of them if there are no more."""
    size = len(members)
    if count >= size:
        return list(members)
    if count * 3 > size:
        return rng.sample(list(members), count)
    chosen: dict[bytes, None] = {}
    while len(chosen) < count:
        chosen[value.pick(rng)] = None
    return list(chosen)


def repeated(value: Sampled, count: int, rng: random.Random) -> list[bytes]:
    """Return `count` members, each drawn from all.

    Raises CommandError if they are more than one reply holds.
    """
    if count > REPEATED_MAX:
        raise CommandError(OUT_OF_RANGE)
    chosen: list[bytes] = []
    room = REPEATED_BYTES_MAX
    for _ in range(count):
        member = value.pick(rng)
        room -= len(member)
        if room < 0:
            raise CommandError(OUT_OF_RANGE)
        chosen.append(member)
    return chosen
