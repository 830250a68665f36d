"""Which regions to link: the hub that serves a star best, and the pairs that a relay would make
quicker.

Real routes are not the shortest ones: in the measured tables one AWS pair in twenty is more than 5
% quicker through a third region than directly. Costs are whatever the weight gives, nanoseconds one
way with `Catalog.one_way_ns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import attrs

from geo.errors import BadData
from geo.path import Weight


@attrs.frozen
class Hub:
    """A region as the centre of a star. `worst` and `mean` are over all ordered pairs of
    regions."""

    region: str
    worst: int
    mean: int


@attrs.frozen
class Detour:
    """A pair of regions that is quicker through a third one."""

    source: str
    relay: str
    sink: str
    direct: int
    relayed: int

    @property
    def saved_percent(self) -> float:
        """Return the share of the direct cost that the detour saves, in per cent."""
        return 100 * (self.direct - self.relayed) / self.direct


def hubs(regions: Sequence[str], weight: Weight) -> list[Hub]:
    """Every region as the hub of a star of all of them, the best first: least mean, then least
    worst. O(n³).

    >>> from geo import Catalog
    >>> world = ["us-east-1", "eu-west-1", "ap-southeast-1"]
    >>> hubs(world, Catalog.shipped().one_way_ns)[0].region
    'eu-west-1'
    """
    if len(regions) < 2:
        raise BadData("a star needs two regions at least")
    return sorted((_make_hub(centre, regions, weight) for centre in regions), key=_by_cost)


def detours(regions: Sequence[str], weight: Weight, *, percent: float = 5) -> list[Detour]:
    """The ordered pairs that the best relay makes more than `percent` quicker, greatest saving
    first. O(n³).

    What the relay itself takes to pass an op on is not counted.
    """
    found: list[Detour] = []
    for source, sink in permutations(regions, 2):
        direct = weight(source, sink)
        between = [relay for relay in regions if relay not in (source, sink)]
        ways = ((weight(source, relay) + weight(relay, sink), relay) for relay in between)
        relayed, relay = min(ways, default=(direct, source))
        if relayed * 100 < direct * (100 - percent):
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
