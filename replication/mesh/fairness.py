"""Decide who must go when there are too many connections of one kind. Pure.

Whoever can open many connections must not crowd out those who open few. So the victim is taken from
the address that has most of them, and a newcomer from that address only replaces one of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from replication.machines.endpoint import End
from replication.machines.source import Source, SourceState

E = TypeVar("E", bound=End)


def oldest_of_most_frequent(ends: Sequence[E]) -> E:
    """Return the first end from the address that most of the ends come from. `ends` is in the order
    of arrival and not empty."""
    ((address, _),) = Counter(end.address for end in ends).most_common(1)
    return next(end for end in ends if end.address == address)


def follower_to_replace(followers: Sequence[Source], newcomer: Source) -> Source | None:
    """Return which follower must go for a new one when all places are taken; None if none must.

    One that has never asked for anything goes first, the oldest of these. Else the newest from the
    address with most followers, if the newcomer's address has at least two fewer: otherwise the two
    would replace each other for ever.
    """
    for follower in followers:
        if follower.state is SourceState.READY:
            return follower
    counts = Counter(follower.address for follower in followers)
    ((address, count),) = counts.most_common(1)
    if counts[newcomer.address] + 2 > count:
        return None
    return next(end for end in reversed(followers) if end.address == address)
