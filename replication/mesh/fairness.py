"""Choose the connection to close when there are too many of one kind. Pure.

An address that opens many connections must not crowd out those that open few. So the victim is
taken from the address with most connections. A newcomer from that address replaces only a
connection of the same address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from replication.machines.endpoint import End
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState

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
