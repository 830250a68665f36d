"""Shortest paths over directed links: Dijkstra's algorithm (1959), with deterministic ties.

Among paths of equal cost, the path with the fewest links wins. Among these, the path whose regions
come first in the caller's order wins. All regions therefore compute the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise

import attrs

from geo.errors import BadData

# (source, sink): data flows from the source to the sink.
Link = tuple[str, str]

# The cost of one link, which is not negative. A catalogue's weights are in nanoseconds.
Weight = Callable[[str, str], int]


def hops(_source: str, _sink: str) -> int:
    """Return 1: the weight that counts links."""
    return 1


@attrs.frozen
class Path:
    """The regions of a path, including both ends, and the total cost of its links."""

    regions: tuple[str, ...]
    cost: int

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of the path, in order."""
        return tuple(pairwise(self.regions))


def shortest_paths(
    source: str, sinks: Mapping[str, Sequence[str]], weight: Weight
) -> dict[str, Path]:
    """Return the shortest path from `source` to every reachable region, nearest first.

    The first path is that to `source` itself. `sinks` maps each region to the sinks of its links;
    its order decides ties. O(L log L) for L links. Raises `BadData` for a negative weight.

    >>> road = {"a": ["b", "c"], "b": ["c"], "c": []}
    >>> shortest_paths("a", road, lambda here, there: 9 if (here, there) == ("a", "c") else 4)["c"]
    Path(regions=('a', 'b', 'c'), cost=8)
    """
    order = {name: index for index, name in enumerate(sinks)}
    found: dict[str, Path] = {}
    # Tuples are compared by cost, number of regions, and the regions' places in the order.
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
