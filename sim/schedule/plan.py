"""The plan of a world as plain values: regions, links, delays, and the tuning of each region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.deployment.config import Config
from crdb.engine.execution.slices import SLICE_ITEMS
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
"""The default latency between a follower and a region."""


@attrs.frozen
class Tuning:
    """The parameters of a region's replica and links."""

    limits: Limits = DEFAULTS
    history_bytes: int = 1 << 20
    waiting_bytes: int = 64 << 20
    snapshot_rest_ns: int = 0
    """The pause between two batches of a snapshot, in ns."""
    op_bytes: int = OP_BYTES
    """The size above which an op is divided. It is the same in all regions."""
    slice_keys: int = 3
    """The keys that a slice of work settles after a merge. Servers use far larger slices, but a run
    has few keys."""
    block_max: int = BLOCK_MAX
    """The largest number of elements in a list block."""
    disk_ns: int = 0
    """The time (ns) that a region needs to write its incarnation to disk."""
    refuses_stale: bool = False
    """True if clients get LOADING until the region has caught up, as `crdb` does by default.
    Otherwise clients can read stale data."""
    slice_effects: int = 6
    """The effects of an op that are applied immediately. If an op has more, slices apply them."""
    slice_items: int = SLICE_ITEMS
    """The number of items in one slice of a long command."""

    def make_replica(self, origin: Origin, members: Iterable[int]) -> Replica:
        """Return a new replica with these parameters."""
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
        replica.work_in_slices(self.slice_keys, self.slice_effects)
        return replica


USUAL: Final = Tuning()


@attrs.frozen
class Copy:
    """A follower: its name, its own region number, and the names of its sources."""

    name: str
    number: int
    sources: tuple[str, ...]


@attrs.frozen
class Plan:
    """The description of a world. `latencies` overrides the delays of the configuration."""

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
        """Return a plan of regions with these names.

        `delay_ms` is the one-way delay. Without it, delays are measured ones if the catalogue
        contains the names. Otherwise there are no delays.
        """
        config = Config.from_names(names, 1, topology=topology, delay=delay_ms)
        return Plan(config, USUAL if tuning is None else tuning)

    @property
    def region_names(self) -> tuple[str, ...]:
        """The names of the regions, in the order of their numbers."""
        return tuple(region.name for region in self.config.regions)

    @property
    def process_names(self) -> tuple[str, ...]:
        """The names of the regions, and then of the followers."""
        return (*self.region_names, *(copy.name for copy in self.copies))

    def tuning_of(self, name: str) -> Tuning:
        """Return the tuning of a region."""
        return self.tunings.get(name, self.tuning)

    def latency_between(self, source: str, sink: str) -> Latency:
        """Return the one-way latency between two processes. Raises GeoError for unknown places."""
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
