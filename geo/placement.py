"""Placement of links: the best hub of a star, and the pairs that a relay would make faster.

Real routes are not always the shortest ones. In the measured tables, one AWS pair in twenty is more
than 5 % faster through a third region than directly. Costs have the unit of the weight, which is
nanoseconds one way for `Catalog.one_way_ns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import attrs

from geo.arguments import check_names, check_number, check_weight
from geo.errors import BadData
from geo.path import Weight


@attrs.frozen
class Hub:
    """A region as the hub of a star, with the worst and mean cost of all ordered pairs."""

    region: str
    worst: int
    mean: int


@attrs.frozen
class Detour:
    """A pair of regions that is faster through a third region."""

    source: str
    relay: str
    sink: str
    direct: int
    relayed: int

    @property
    def saved_percent(self) -> float:
        """The part of the direct cost that the detour saves, in per cent."""
        return 100 * (self.direct - self.relayed) / self.direct


def hubs(regions: Sequence[str], weight: Weight) -> list[Hub]:
    """Return every region as the hub of a star of all regions, best first. O(n³).

    The best hub has the lowest mean cost, then the lowest worst cost.

    >>> from geo import Catalog
    >>> world = ["us-east-1", "eu-west-1", "ap-southeast-1"]
    >>> hubs(world, Catalog.shipped().one_way_ns)[0].region
    'eu-west-1'
    """
    names = check_names(regions)
    check_weight(weight)
    if len(names) < 2:
        raise BadData("a star needs two regions at least")
    return sorted((_make_hub(centre, names, weight) for centre in names), key=_by_cost)


def detours(regions: Sequence[str], weight: Weight, *, percent: float = 5) -> list[Detour]:
    """Return the ordered pairs that a relay makes more than `percent` faster. O(n³).

    The largest saving comes first. The processing time of the relay is not included.
    """
    names = check_names(regions)
    check_weight(weight)
    at_least = check_number(percent, "percent")
    found: list[Detour] = []
    for source, sink in permutations(names, 2):
        direct = weight(source, sink)
        between = [relay for relay in names if relay not in (source, sink)]
        ways = ((weight(source, relay) + weight(relay, sink), relay) for relay in between)
        relayed, relay = min(ways, default=(direct, source))
        if relayed * 100 < direct * (100 - at_least):
            found.append(Detour(source, relay, sink, direct, relayed))
    return sorted(found, key=lambda detour: -detour.saved_percent)


def _make_hub(centre: str, regions: Sequence[str], weight: Weight) -> Hub:
    costs = [
        (weight(source, centre) if source != centre else 0)
        + (weight(centre, sink) if sink != centre else 0)
        for source, sink in permutations(regions, 2)
    ]
    return Hub(centre, max(costs), sum(costs) // len(costs))


def _by_cost(hub: Hub) -> tuple[int, int]:
    return hub.mean, hub.worst
