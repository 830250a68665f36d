"""The configuration of a CRDB: regions, links, delays and limits, from a TOML file or options.

`crdb up` and every `crdb serve` read the same file, so that all regions agree on names, ids and
links. This module turns text into a frozen `Config`; the caller reads the file. Every error is one
line with the place and the values that are allowed. All keys, most of them with their defaults:

    id = "crdb"              # of the CRDB: only regions of the same id are linked
    topology = "mesh"        # mesh, ring, star (with hub = "name") or line;
                             # or instead of it pairs = [["a", "b"], ...]
    requirepass = ""         # what clients have to AUTH with; empty: nothing
    protected_mode = true    # without requirepass, serve clients of this machine only
    secret = ""              # what regions and followers prove to each other on links; empty: links
                             # stay on this machine. Or secret_file = "a path from here"
    maxclients = 10000       # per region
    maxmemory = 0            # of the process: bytes, or "512mb", "4gb"; beyond it clients get OOM
                             # errors for writes; 0: no limit but the system's
    test_clock = false       # whether CRDB.CLOCK SET is allowed
    seed = 0                 # what random choices start from
    serve_stale = false      # whether a region serves reads before it has caught up with its peers,
                             # and a copy while its source is away; by default only a copy does

    [[region]]
    name = "us-east-1"
    id = 1                   # the same in all files; by default 1, 2, 3, ... in the file's order
    place = "us-east-1"      # its name in the catalogue, for "measured" delays; by default the name
    host = "127.0.0.1"       # where clients and peers reach the region
    bind = ["127.0.0.1"]     # where it listens: addresses of its machine; by default the host
    link_bind = ["127.0.0.1"]  # the same for link_port; by default as bind
    port = 7001              # clients; by default 7000 + id
    link_port = 17001        # peers; by default 10000 above the port, or below if that is too high
    replica_of = []          # "host:port" of what the region follows, read-only

    [link]
    delay = "none"           # "none"; "measured", from the catalogue; or milliseconds one way
    delays = []              # exceptions, ["from", "to", ms]; the way back as well, unless given
    backlog = "16mb"         # ops kept for a peer that is away: bytes, or kb, mb, gb of 1024
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

import attrs

from crdb.deployment.region_config import PORT_BASE, RegionConfig, check_regions, read_region
from crdb.deployment.toml_table import ConfigError, Schema, Table, hint, shown
from crdb.engine.parameters.settings import parse_memory
from crdt.causality.dots import REGION_MAX
from geo import SHAPES, Catalog, GeoError, Link, Topology, ms
from replication.protocol.names import RULE, is_name

ID: Final = "crdb"
MAXCLIENTS: Final = 10_000
MAXCLIENTS_MAX: Final = 1_000_000
MEMORY_MAX: Final = 1 << 50
BACKLOG: Final = 16 << 20
BACKLOG_MIN: Final = 16 << 10  # the least that Redis keeps for its own replicas
BACKLOG_MAX: Final = 1 << 40
DELAY_MS_MAX: Final = 600_000  # ten minutes: Mars at its nearest is three
SEED_MAX: Final = (1 << 63) - 1

SCHEMA: Final[Schema] = {
    "": (
        *("hub", "id", "link", "maxclients", "maxmemory", "pairs", "protected_mode"),
        *("region", "requirepass", "secret", "secret_file", "seed", "serve_stale"),
        *("test_clock", "topology"),
    ),
    "region": (
        *("bind", "host", "id", "link_bind", "link_port", "name", "place", "port", "replica_of"),
    ),
    "link": ("backlog", "delay", "delays"),
}

_LINK_COST: Final = ms(DELAY_MS_MAX) * REGION_MAX


@attrs.frozen
class LinkConfig:
    """The settings that all links share.

    `delay` is "none", "measured" or milliseconds one way; `delays` overrides it for ordered pairs
    of regions, in milliseconds; `backlog` is in bytes.
    """

    delay: str | float = "none"
    delays: tuple[tuple[str, str, float], ...] = ()
    backlog: int = BACKLOG


def _make_topology(config: Config) -> Topology:
    names = [region.name for region in config.regions]
    if config.pairs is not None:
        return Topology.from_pairs(names, config.pairs)
    if config.shape == "star":
        return Topology.star(names, config.hub)
    return SHAPES[config.shape](names)


@attrs.frozen
class Config:
    """A CRDB as `crdb up` or `crdb serve` sets it up; made by `from_toml` or `from_names`.

    Options of a command line are laid over it with `attrs.evolve`.
    """

    regions: tuple[RegionConfig, ...]
    id: str = ID
    shape: str = "mesh"
    hub: str | None = None
    pairs: tuple[Link, ...] | None = None
    link: LinkConfig = LinkConfig()
    maxclients: int = MAXCLIENTS
    maxmemory: int = 0
    requirepass: str = attrs.field(default="", repr=False)
    protected_mode: bool = True
    secret: str = attrs.field(default="", repr=False)
    secret_file: str = ""
    test_clock: bool = False
    seed: int = 0
    serve_stale: bool | None = None
    start_empty: bool = False
    """Of the command line alone: begin without what an earlier incarnation held."""
    topology: Topology = attrs.field(
        init=False, repr=False, default=attrs.Factory(_make_topology, takes_self=True)
    )

    @staticmethod
    def from_toml(text: str, source: str = "regions.toml") -> Config:
        """Return the configuration in a file's text. Errors call the file `source`.

        Raises `ConfigError`.
        """
        return _read_config(Table.parse(text, SCHEMA, source=source))

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
        data = {
            "topology": topology,
            "region": [{"name": name, "port": port + i} for i, name in enumerate(listed, 1)],
            "link": {"delay": delay},
        }
        return _read_config(Table(data, SCHEMA, source="--regions"))

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
        """The regions by name and by id. No name consists of digits only."""
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
        """The results of `routes` for every link."""
        costs = {link: self._relay_cost(*link) for link in self.topology.links}
        carried = self.topology.carried(lambda source, sink: costs[source, sink])
        return {
            link: tuple(self.region(origin).id for origin in origins)
            for link, origins in carried.items()
        }

    def _relay_cost(self, source: str, sink: str) -> int:
        """Return the cost of a link: more than the sum of all delays, plus its delay."""
        return _LINK_COST + self.delay_ns(source, sink)

    def to_toml(self) -> str:
        """Return the configuration as a TOML file, with all defaults. `from_toml` reads it."""
        return "\n".join(_config_lines(self)) + "\n"


# --- reading -------------------------------------------------------------------------------------


def _read_config(top: Table) -> Config:
    """Return the configuration in the top table of a file, after all checks."""
    if isinstance(top.data.get("region"), dict):
        raise top.error("region is a list: write [[region]], with two brackets")
    listed = top.items("region", "tables")
    if not listed:
        raise top.error("no region is defined: begin one with [[region]]")
    if len(listed) > REGION_MAX:
        raise top.error(f"{len(listed)} regions are too many: at most {REGION_MAX} are possible")
    regions = tuple(
        read_region(top.inner(data, place=f"region {i}"), i) for i, data in enumerate(listed, 1)
    )
    check_regions(top, regions)
    shape, hub, pairs = _read_shape(top, [region.name for region in regions])
    try:
        config = Config(
            regions,
            id=_read_id(top),
            shape=shape,
            hub=hub,
            pairs=pairs,
            link=_read_link(top.table("link"), [region.name for region in regions]),
            maxclients=top.integer("maxclients", MAXCLIENTS, low=1, high=MAXCLIENTS_MAX),
            maxmemory=_read_size(top, "maxmemory", 0, low=0, high=MEMORY_MAX),
            requirepass=top.secret("requirepass"),
            protected_mode=top.flag("protected_mode", True),
            secret=_read_secret(top),
            secret_file=top.text("secret_file", ""),
            test_clock=top.flag("test_clock", False),
            seed=top.integer("seed", 0, low=0, high=SEED_MAX),
            serve_stale=top.flag("serve_stale", False) if "serve_stale" in top.data else None,
        )
    except GeoError as error:
        raise top.error(f"{'topology' if pairs is None else 'pairs'}: {error}") from None
    _check_delays(top, config)
    _check_measured(top, config)
    return config


def _read_id(top: Table) -> str:
    name = top.text("id", ID)
    if not is_name(name):
        raise top.error(f"id {shown(name)} is not valid: {RULE}")
    return name


def _read_secret(top: Table) -> str:
    """Return the secret of links; empty if it is in `secret_file`."""
    secret = top.secret("secret")
    if secret and top.data.get("secret_file"):
        raise top.error("give either secret or secret_file, not both")
    return secret


def _read_shape(top: Table, names: list[str]) -> tuple[str, str | None, tuple[Link, ...] | None]:
    """Return the shape of the topology, the hub of a star, and the pairs if they are listed."""
    shape = top.text("topology", "mesh")
    if shape not in SHAPES:
        raise top.error(
            f"topology {shown(shape)} is not one of {', '.join(SHAPES)}{hint(shape, SHAPES)}"
        )
    if "hub" in top.data and shape != "star":
        raise top.error('hub is for topology = "star" only')
    hub = top.text("hub", names[0]) if shape == "star" else None
    if "pairs" not in top.data:
        return shape, hub, None
    if "topology" in top.data:
        raise top.error("give either topology or pairs, not both")
    return shape, None, tuple(_read_pair(top, it) for it in top.items("pairs", "pairs of regions"))


def _read_pair(top: Table, value: object) -> Link:
    match value:
        case [str(one), str(other)]:
            return one, other
        case _:
            raise top.error(f'pairs: {shown(value)} is not ["region", "region"]')


def _read_link(table: Table, names: list[str]) -> LinkConfig:
    delay = table.data.get("delay", "none")
    if isinstance(delay, str) and delay not in {"none", "measured"}:
        raise table.error(f'delay {shown(delay)} is not "none", "measured" or milliseconds')
    listed = [_read_delay(table, it, names) for it in table.items("delays", "delays")]
    pairs = [(one, other) for one, other, _ in listed]
    for pair in pairs:
        if pairs.count(pair) > 1:
            raise table.error(f"delays: from {pair[0]} to {pair[1]} is listed twice")
    back = [(other, one, time) for one, other, time in listed if (other, one) not in pairs]
    return LinkConfig(
        delay=delay if isinstance(delay, str) else _read_milliseconds(table, delay),
        delays=tuple(sorted(listed + back)),
        backlog=_read_size(table, "backlog", BACKLOG, low=BACKLOG_MIN, high=BACKLOG_MAX),
    )


def _read_delay(table: Table, value: object, names: list[str]) -> tuple[str, str, float]:
    match value:
        case [str(one), str(other), int() | float() as delay]:
            for name in (one, other):
                if name not in names:
                    raise table.error(f"delays: unknown region {shown(name)}{hint(name, names)}")
            if one == other:
                raise table.error(f"delays: {one} has no link to itself")
            return one, other, _read_milliseconds(table, delay)
        case _:
            raise table.error(f'delays: {shown(value)} is not ["from", "to", milliseconds]')


def _read_milliseconds(table: Table, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise table.error(f"a delay must be a number of milliseconds, not {shown(value)}")
    if not 0 <= value <= DELAY_MS_MAX:
        raise table.error(f"a delay of {shown(value)} ms is not 0..{DELAY_MS_MAX}")
    return float(value)


def _read_size(table: Table, name: str, default: int, *, low: int, high: int) -> int:
    """Return a number of bytes, which may have a unit in the file."""
    value = table.data.get(name, default)
    if isinstance(value, str):
        size = parse_memory(value)
        if size is None:
            raise table.error(f'{name} {shown(value)} is not a size: give bytes, or "512kb", "1mb"')
        value = size
    return table.inner({name: value}, place=table.place).integer(name, default, low=low, high=high)


def _check_delays(top: Table, config: Config) -> None:
    """Check that each entry of `delays` is a link of the topology."""
    for one, other, _ in config.link.delays:
        if (one, other) not in config.topology.links:
            raise top.error(f"link: delays: the topology has no link from {one} to {other}")


def _check_measured(top: Table, config: Config) -> None:
    """Check that both ends of each link with a measured delay are in the catalogue."""
    if config.link.delay != "measured":
        return
    listed = {(one, other) for one, other, _ in config.link.delays}
    for source, sink in config.topology.links:
        if (source, sink) not in listed:
            for name in (source, sink):
                _check_place(top, config.region(name))


def _check_place(top: Table, region: RegionConfig) -> None:
    try:
        Catalog.shipped().find(region.place)
    except GeoError as error:
        remedy = 'name a place of the catalogue, or set delay to "none" or milliseconds'
        raise top.error(f"region {region.id}: {error} ({remedy})") from None


# --- writing -------------------------------------------------------------------------------------


def _config_lines(config: Config) -> Iterator[str]:
    if config.pairs is None:
        yield f"topology = {_toml_value(config.shape)}"
        if config.hub is not None:
            yield f"hub = {_toml_value(config.hub)}"
    else:
        yield f"pairs = {_toml_value(config.pairs)}"
    yield f"id = {_toml_value(config.id)}"
    yield f"requirepass = {_toml_value(config.requirepass)}"
    yield f"protected_mode = {_toml_value(config.protected_mode)}"
    yield f"secret = {_toml_value('' if config.secret_file else config.secret)}"
    yield f"secret_file = {_toml_value(config.secret_file)}"
    yield f"maxclients = {config.maxclients}"
    yield f"maxmemory = {config.maxmemory}"
    yield f"test_clock = {_toml_value(config.test_clock)}"
    yield f"seed = {config.seed}"
    if config.serve_stale is not None:
        yield f"serve_stale = {_toml_value(config.serve_stale)}"
    for region in config.regions:
        follows = [_join_address(host, port) for host, port in region.replica_of]
        yield "\n[[region]]"
        yield f"name = {_toml_value(region.name)}"
        yield f"id = {region.id}"
        if region.place != region.name:
            yield f"place = {_toml_value(region.place)}"
        yield f"host = {_toml_value(region.host)}"
        yield f"bind = {_toml_value(region.bind)}"
        yield f"link_bind = {_toml_value(region.link_bind)}"
        yield f"port = {region.port}"
        yield f"link_port = {region.link_port}"
        yield f"replica_of = {_toml_value(follows)}"
    yield "\n[link]"
    yield f"delay = {_toml_value(config.link.delay)}"
    yield f"delays = {_toml_value(config.link.delays)}"
    yield f"backlog = {config.link.backlog}"


def _join_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _toml_value(value: object) -> str:
    """Return a value as TOML. Strings and lists of JSON are valid TOML, except one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
