"""Shortest paths over directed links: Dijkstra's algorithm (1959), with ties settled.

Of several cheapest paths the one with the fewest links wins, and of those the one whose regions
come first in the caller's order. So a plan made twice, or by two regions, is the same plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise

import attrs

from geo.errors import BadData

# From where, to where: data flows from the first to the second.
Link = tuple[str, str]

# The cost of one link, 0 or more; nanoseconds when it comes from a catalogue.
Weight = Callable[[str, str], int]


def hops(_source: str, _sink: str) -> int:
    """The weight that counts links."""
    return 1


@attrs.frozen
class Path:
    """The regions that data passes, both ends included, and the cost of the links between them."""

    regions: tuple[str, ...]
    cost: int

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of the path, in order."""
        return tuple(pairwise(self.regions))


def shortest_paths(
    source: str, sinks: Mapping[str, Sequence[str]], weight: Weight
) -> dict[str, Path]:
    """The shortest path from `source` to every region that can be reached, itself first, nearest
    first.

    `sinks` says where each region's links lead; its order settles ties. O(L log L) for L links.
    Raises `BadData` for a link of negative weight.

    >>> road = {"a": ["b", "c"], "b": ["c"], "c": []}
    >>> shortest_paths("a", road, lambda here, there: 9 if (here, there) == ("a", "c") else 4)["c"]
    Path(regions=('a', 'b', 'c'), cost=8)
    """
    order = {name: index for index, name in enumerate(sinks)}
    found: dict[str, Path] = {}
    # Compared as (cost, number of regions, their places in the order), which is what a tie needs.
    heap: list[tuple[int, int, tuple[int, ...], tuple[str, ...]]] = [
        (0, 1, (order[source],), (source,))
    ]
    while heap:
        cost, length, places, regions = heappop(heap)
        here = regions[-1]
        if here in found:
            continue
        found[here] = Path(regions, cost)
        for there in sinks[here]:
            if there in found:
                continue
            step = weight(here, there)
            if step < 0:
                raise BadData(f"the link from {here} to {there} weighs {step}")
            heappush(heap, (cost + step, length + 1, (*places, order[there]), (*regions, there)))
    return found
