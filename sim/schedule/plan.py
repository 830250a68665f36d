"""What a world is made of, as plain values: regions, links, delays, and how each is tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.deployment.config import Config
from crdt.causality.dots import Origin
from crdt.causality.op import OP_BYTES
from crdt.embed.replica import Replica
from crdt.structures.blocks import BLOCK_MAX
from crdt.types.registry import DEFINITIONS
from geo.catalog import Catalog
from geo.latency import Latency, preset
from replication.protocol.limits import Limits
from replication.protocol.secret import NO_SECRET, LinkSecret

CLUSTER: Final = "sim"
DEFAULTS: Final = Limits()
NEAR: Final = preset("metro")
"""How long the way between a follower and a region is."""


@attrs.frozen
class Tuning:
    """What a region's replica and links are made with."""

    limits: Limits = DEFAULTS
    history_bytes: int = 1 << 20
    waiting_bytes: int = 64 << 20
    snapshot_rest_ns: int = 0
    """Between two batches of a snapshot: as long as they fill the way."""
    op_bytes: int = OP_BYTES
    """The size from which on an operation is divided; the same for all regions."""
    block_max: int = BLOCK_MAX
    """Elements in a block of a list."""
    refuses_stale: bool = False
    """True if clients get LOADING before the region has caught up, as `crdb` does by default; else
    they may read what is there."""

    def make_replica(self, origin: Origin, members: Iterable[int]) -> Replica:
        """Return a new replica of these sizes."""
        replica = Replica(
            origin,
            members=members,
            history_bytes=self.history_bytes,
            waiting_bytes=self.waiting_bytes,
            types=[
                partial(each.make_divided, self.block_max)
                for each in DEFINITIONS
                if each.make_divided is not None
            ],
        )
        replica.divide_at(self.op_bytes)
        return replica


USUAL: Final = Tuning()


@attrs.frozen
class Copy:
    """A follower: its name, the number that its own region has, and whom it follows."""

    name: str
    number: int
    sources: tuple[str, ...]


@attrs.frozen
class Plan:
    """A world before it begins. `latencies` overrides what the configuration says of a pair."""

    config: Config
    tuning: Tuning = USUAL
    copies: tuple[Copy, ...] = ()
    secret: LinkSecret = NO_SECRET
    """The secret that all regions and followers prove to each other."""
    near: Latency = NEAR
    tunings: Mapping[str, Tuning] = attrs.field(factory=dict[str, Tuning])
    latencies: Mapping[tuple[str, str], Latency] = attrs.field(
        factory=dict[tuple[str, str], Latency]
    )

    @staticmethod
    def of(
        names: Sequence[str],
        *,
        topology: str = "mesh",
        delay_ms: float | None = None,
        tuning: Tuning | None = None,
    ) -> Plan:
        """Regions of these names. Without `delay_ms` one way, delays are the measured ones if the
        catalogue knows the names, else none."""
        config = Config.from_names(names, 1, topology=topology, delay=delay_ms)
        return Plan(config, USUAL if tuning is None else tuning)

    @property
    def region_names(self) -> tuple[str, ...]:
        """The regions, in the order of their numbers."""
        return tuple(region.name for region in self.config.regions)

    @property
    def process_names(self) -> tuple[str, ...]:
        """The regions, and then those who follow them."""
        return (*self.region_names, *(copy.name for copy in self.copies))

    def tuning_of(self, name: str) -> Tuning:
        """Return the tuning of a region."""
        return self.tunings.get(name, self.tuning)

    def latency_between(self, source: str, sink: str) -> Latency:
        """Return the latency from one region to another. Raises GeoError for an unknown place."""
        if (source, sink) in self.latencies:
            return self.latencies[source, sink]
        if not {source, sink} <= set(self.region_names):
            return self.near
        config = self.config
        given = {(one, other) for one, other, _ in config.link.delays}
        if config.link.delay == "measured" and (source, sink) not in given:
            here, there = config.region(source), config.region(sink)
            return Catalog.shipped().latency(here.place, there.place)
        return Latency.constant(config.delay_ns(source, sink))
