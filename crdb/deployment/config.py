"""The configuration of a CRDB: regions, links, delays and limits.

`Config` is frozen and checks itself. `crdb.deployment.config_file` makes one from a TOML file,
`Config.from_names` from names alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, NewType

import attrs

from crdb.deployment.errors import ConfigError, InvalidSetting, hint, shown
from crdb.deployment.region_config import (
    PORT_BASE,
    RegionConfig,
    check_name,
    check_regions,
    in_range,
)
from crdt.causality.dots import REGION_MAX
from geo import SHAPES, Catalog, GeoError, Link, Topology, ms

ID: Final = "crdb"
MAXCLIENTS: Final = 10_000
MAXCLIENTS_MAX: Final = 1_000_000
MEMORY_MAX: Final = 1 << 50
BACKLOG_MIN: Final = 16 << 10  # the least that Redis keeps for its own replicas
BACKLOG_MAX: Final = 1 << 40
DELAY_MS_MAX: Final = 600_000  # ten minutes: Mars at its nearest is three
SEED_MAX: Final = (1 << 63) - 1

Size = NewType("Size", int)
"""A number of bytes. In a file it may have a unit."""
Backlog = NewType("Backlog", int)
"""A number of bytes, or AUTO. In a file it may have a unit."""
Secret = NewType("Secret", str)
"""A string that no error shows."""
Delay = str | float
"""The delay of links: "none", "measured" or milliseconds one way."""
LinkDelay = tuple[str, str, float]
"""The delay from one region to another, in milliseconds."""

AUTO: Final = Backlog(0)
"""A backlog that follows the rate of writes; "auto" in a file."""
BACKLOG_LEAST: Final = 16 << 20
"""The size from which on it grows."""
_LINK_COST: Final = ms(DELAY_MS_MAX) * REGION_MAX


def check_milliseconds(delay: float) -> None:
    """Check that a delay in milliseconds is in range. Raises `InvalidSetting`."""
    if not 0 <= delay <= DELAY_MS_MAX:
        raise InvalidSetting(f"a delay of {shown(delay)} ms is not 0..{DELAY_MS_MAX}")


def _check_delay(_: object, __: object, value: Delay) -> None:
    if isinstance(value, str):
        if value not in {"none", "measured"}:
            raise InvalidSetting(f'delay {shown(value)} is not "none", "measured" or milliseconds')
    else:
        check_milliseconds(value)


def _check_backlog(_: object, __: object, value: Backlog) -> None:
    if value != AUTO and not BACKLOG_MIN <= value <= BACKLOG_MAX:
        raise InvalidSetting(f"backlog {value} is not {BACKLOG_MIN}..{BACKLOG_MAX}")


def _check_link_delays(_: object, __: object, value: tuple[LinkDelay, ...]) -> None:
    pairs = [(one, other) for one, other, _ in value]
    for one, other, delay in value:
        check_milliseconds(delay)
        if one == other:
            raise InvalidSetting(f"delays: {one} has no link to itself")
        if pairs.count((one, other)) > 1:
            raise InvalidSetting(f"delays: from {one} to {other} is listed twice")


@attrs.frozen
class LinkConfig:
    """The settings that all links share. Raises `InvalidSetting`.

    `delays` overrides `delay` for ordered pairs of regions. The way back has the same delay, unless
    it is listed too. `backlog` is in bytes, or AUTO.
    """

    delay: Delay = attrs.field(default="none", validator=_check_delay)
    delays: tuple[LinkDelay, ...] = attrs.field(default=(), validator=_check_link_delays)
    backlog: Backlog = attrs.field(default=AUTO, validator=_check_backlog)

    @property
    def backlog_least(self) -> int:
        """The bytes that a region keeps for peers however little it writes."""
        return BACKLOG_LEAST if self.backlog == AUTO else self.backlog

    def with_ways_back(self) -> LinkConfig:
        """Return these settings with the delay of each way back."""
        listed = {(one, other): delay for one, other, delay in self.delays}
        back = {(other, one): delay for (one, other), delay in listed.items()}
        delays = [(*pair, delay) for pair, delay in sorted((back | listed).items())]
        return attrs.evolve(self, delays=tuple(delays))


def check_count(count: int) -> None:
    """Check that the number of regions is in range. Raises `InvalidSetting`."""
    if not count:
        raise InvalidSetting("no region is defined: begin one with [[region]]")
    if count > REGION_MAX:
        raise InvalidSetting(f"{count} regions are too many: at most {REGION_MAX} are possible")


def _check_regions(_: object, __: object, regions: tuple[RegionConfig, ...]) -> None:
    check_count(len(regions))
    check_regions(regions)


def _check_shape(_: object, __: object, shape: str) -> None:
    if shape not in SHAPES:
        known = ", ".join(SHAPES)
        raise InvalidSetting(f"topology {shown(shape)} is not one of {known}{hint(shape, SHAPES)}")


def _default_hub(config: Config) -> str | None:
    return config.regions[0].name if config.shape == "star" and config.regions else None


def _check_hub(config: Config, _: object, hub: str | None) -> None:
    if hub is not None and config.shape != "star":
        raise InvalidSetting('hub is for topology = "star" only')


def _make_topology(config: Config) -> Topology:
    names = [region.name for region in config.regions]
    try:
        if config.pairs is not None:
            return Topology.from_pairs(names, config.pairs)
        if config.shape == "star":
            return Topology.star(names, config.hub)
        return SHAPES[config.shape](names)
    except GeoError as error:
        raise InvalidSetting(
            f"{'topology' if config.pairs is None else 'pairs'}: {error}"
        ) from None


def _check_users(_: object, __: object, users: tuple[Secret, ...]) -> None:
    for number, line in enumerate(users, 1):
        if not line.split():
            raise InvalidSetting(f"users: entry {number} is empty: give a name and rules")


@attrs.frozen
class Config:
    """A CRDB as `crdb up` or `crdb serve` sets it up. Raises `InvalidSetting`.

    Options of a command line are laid over it with `attrs.evolve`.
    """

    regions: tuple[RegionConfig, ...] = attrs.field(default=(), validator=_check_regions)
    id: str = attrs.field(default=ID, validator=check_name)
    shape: str = attrs.field(default="mesh", validator=_check_shape)
    hub: str | None = attrs.field(
        default=attrs.Factory(_default_hub, takes_self=True), validator=_check_hub
    )
    pairs: tuple[Link, ...] | None = None
    link: LinkConfig = LinkConfig()
    maxclients: int = attrs.field(default=MAXCLIENTS, validator=in_range(1, MAXCLIENTS_MAX))
    maxmemory: Size = attrs.field(default=Size(0), validator=in_range(0, MEMORY_MAX))
    requirepass: Secret = attrs.field(default=Secret(""), repr=False)
    users: tuple[Secret, ...] = attrs.field(default=(), repr=False, validator=_check_users)
    """Users that every region starts with: each a name and its rules."""
    protected_mode: bool = True
    secret: Secret = attrs.field(default=Secret(""), repr=False)
    secret_file: str = ""
    test_clock: bool = False
    seed: int = attrs.field(default=0, validator=in_range(0, SEED_MAX))
    serve_stale: bool | None = None
    start_empty: bool = False
    """Start without the data of an earlier incarnation. Only the command line sets this."""
    topology: Topology = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # After the validators, so that a topology is made of valid parts.
        object.__setattr__(self, "topology", _make_topology(self))

    @staticmethod
    def from_names(
        names: Iterable[str],
        port: int = PORT_BASE,
        *,
        topology: str = "mesh",
        delay: str | float | None = None,
    ) -> Config:
        """Return a configuration of regions on this machine, region i on `port` + i.

        Without `delay` it is "measured" if the catalogue knows any of the names, else "none".
        Raises `ConfigError`.

        >>> world = Config.from_names(["us-east-1", "eu-west-1"], 7000)
        >>> [region.port for region in world.regions], world.delay_ns("us-east-1", "eu-west-1")
        ([7001, 7002], 35000000)
        """
        listed = list(names)
        if delay is None:
            catalog = Catalog.shipped()
            delay = "measured" if any(name in catalog for name in listed) else "none"
        regions: list[RegionConfig] = []
        place = ""
        try:
            check_count(len(listed))
            for number, name in enumerate(listed, 1):
                place = f"region {number}: "
                regions.append(RegionConfig(name, number, port=port + number))
            place = ""
            link = LinkConfig(delay if isinstance(delay, str) else float(delay))
            config = Config(tuple(regions), shape=topology, link=link)
            check_delays(config)
        except InvalidSetting as mistake:
            raise ConfigError(f"--regions: {place}{mistake}") from None
        return config

    def region(self, name: str) -> RegionConfig:
        """Return the region of that name or, in digits, of that id. O(1). Raises `ConfigError`."""
        found = self._regions_by_name.get(name)
        if found is None:
            names = [region.name for region in self.regions]
            near = hint(name, names) or f"; there are: {', '.join(names)}"
            raise ConfigError(f"unknown region {shown(name)}{near}")
        return found

    @cached_property
    def _regions_by_name(self) -> Mapping[str, RegionConfig]:
        """Return the regions by name and by id. No name consists of digits only."""
        ids = {str(region.id): region for region in self.regions}
        return ids | {region.name: region for region in self.regions}

    def peers(self, name: str) -> tuple[RegionConfig, ...]:
        """Return the regions that a region is linked with, by id. Raises `ConfigError`."""
        return tuple(self.region(peer) for peer in self.topology.sinks(self.region(name).name))

    def delay_ns(self, source: str, sink: str) -> int:
        """Return the delay of a message from `source` to `sink`, in nanoseconds.

        Raises `ConfigError` for an unknown region.
        """
        here, there = self.region(source), self.region(sink)
        for one, other, delay in self.link.delays:
            if (one, other) == (here.name, there.name):
                return ms(delay)
        if self.link.delay == "measured":
            return Catalog.shipped().one_way_ns(here.place, there.place)
        return 0 if isinstance(self.link.delay, str) else ms(self.link.delay)

    def routes(self, source: str, sink: str) -> tuple[int, ...]:
        """Return the ids of the regions whose ops the link from `source` to `sink` carries.

        Every region receives the ops of every other along one path: the quickest of those with the
        fewest relays. In a mesh a link carries only the ops of its source. O(1) after the first
        call. Raises `ConfigError`.
        """
        link = self.region(source).name, self.region(sink).name
        return self._carried_origins.get(link, ())

    @cached_property
    def _carried_origins(self) -> Mapping[Link, tuple[int, ...]]:
        """Return the results of `routes` for every link."""
        costs = {link: self._relay_cost(*link) for link in self.topology.links}
        carried = self.topology.carried(lambda source, sink: costs[source, sink])
        return {
            link: tuple(self.region(origin).id for origin in origins)
            for link, origins in carried.items()
        }

    def _relay_cost(self, source: str, sink: str) -> int:
        """Return the cost of a link: more than the sum of all delays, plus its delay."""
        return _LINK_COST + self.delay_ns(source, sink)


# --- users ---------------------------------------------------------------------------------------


def check_users(config: Config) -> None:
    """Check that the users of each region have one origin. Raises `InvalidSetting`."""
    files: dict[str, int] = {}
    for number, region in enumerate(config.regions, 1):
        if not region.aclfile:
            continue
        place = f"region {number}: aclfile"
        if config.users:
            raise InvalidSetting(f"{place}: give either users or aclfile, not both")
        if config.requirepass:
            raise InvalidSetting(
                f"{place}: give either requirepass or aclfile, not both: the file's line for the "
                "user default has its password"
            )
        owner = files.setdefault(region.aclfile, number)
        if owner != number:
            raise InvalidSetting(
                f"{place} {shown(region.aclfile)} is that of region {owner}: give each region a "
                "file of its own"
            )


# --- delays --------------------------------------------------------------------------------------


def check_delays(config: Config) -> None:
    """Check the delays of the links against topology and catalogue. Raises `InvalidSetting`."""
    _check_delayed_links(config)
    _check_places(config)


def _check_delayed_links(config: Config) -> None:
    """Check that each entry of `delays` is a link of the topology."""
    names = [region.name for region in config.regions]
    for one, other, _ in config.link.delays:
        for name in (one, other):
            if name not in names:
                raise InvalidSetting(
                    f"link: delays: unknown region {shown(name)}{hint(name, names)}"
                )
        if (one, other) not in config.topology.links:
            raise InvalidSetting(f"link: delays: the topology has no link from {one} to {other}")


def _check_places(config: Config) -> None:
    """Check that both ends of each link with a measured delay are in the catalogue."""
    if config.link.delay != "measured":
        return
    listed = {(one, other) for one, other, _ in config.link.delays}
    for link in config.topology.links:
        if link not in listed:
            for name in link:
                _check_place(config.region(name))


def _check_place(region: RegionConfig) -> None:
    try:
        Catalog.shipped().find(region.place)
    except GeoError as error:
        remedy = 'name a place of the catalogue, or set delay to "none" or milliseconds'
        raise InvalidSetting(f"region {region.id}: {error} ({remedy})") from None
