"""Decide who must go when there are too many connections of one kind. Pure.

Whoever can open many connections must not crowd out those who open few. So the victim is taken from
the address that has most of them, and a newcomer from that address only replaces one of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from replication.end import End

E = TypeVar("E", bound=End)


def oldest_of_most_frequent(ends: Sequence[E]) -> E:
    """Return the first end from the address that most of the ends come from. `ends` is in the order
    of arrival and not empty."""
    ((address, _),) = Counter(end.address for end in ends).most_common(1)
    return next(end for end in ends if end.address == address)
