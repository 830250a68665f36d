"""Geography: regions, the latency between them, and topologies of links. Pure.

    region      a place                                     `Region`
    catalog     cloud regions and their measured latency    `Catalog.shipped()`
    latency     a distribution of one-way delays            `Latency`, `preset`, `ms`
    topology    regions and links, and queries on them      `Topology`
    placement   the best hub, and pairs with a faster relay `hubs`, `detours`

>>> catalog = Catalog.shipped()
>>> world = Topology.star(["us-east-1", "eu-west-1", "ap-southeast-1"], hub="us-east-1")
>>> slowest = world.diameter(catalog.one_way_ns)
>>> slowest.regions, slowest.cost / 1e6
(('ap-southeast-1', 'us-east-1', 'eu-west-1'), 141.5)
"""

from __future__ import annotations

from geo.catalog import Catalog, Ping
from geo.errors import (
    AmbiguousRegion,
    BadData,
    BadTopology,
    GeoError,
    NoPath,
    UnknownRegion,
    nearest,
)
from geo.latency import PRESETS, Latency, ms, preset
from geo.path import Link, Path, Weight, hops
from geo.placement import Detour, Hub, detours, hubs
from geo.region import Region
from geo.topology import NO_CUT, SHAPES, Topology

__all__ = [
    "NO_CUT",
    "PRESETS",
    "SHAPES",
    "AmbiguousRegion",
    "BadData",
    "BadTopology",
    "Catalog",
    "Detour",
    "GeoError",
    "Hub",
    "Latency",
    "Link",
    "NoPath",
    "Path",
    "Ping",
    "Region",
    "Topology",
    "UnknownRegion",
    "Weight",
    "detours",
    "hops",
    "hubs",
    "ms",
    "nearest",
    "preset",
]
