"""What a CRDB is made of: regions, links, delays and limits, from one TOML file or a few options.

`crdb up` and every `crdb serve` read the same file, so that all regions agree on names, ids and
links. Text comes in and a frozen `Config` comes out; reading files is the caller's business. Every
mistake is one line that names the place and says what would be right. All keys, most of them with
their defaults:

    topology = "mesh"        # mesh, ring, star (with hub = "name") or line;
                             # or instead of it pairs = [["a", "b"], ...]
    requirepass = ""         # what clients have to AUTH with; empty: nothing
    maxclients = 10000       # per region
    maxmemory = 0            # of the process: bytes, or "512mb", "4gb"; beyond it clients get OOM
                             # errors for writes; 0: no limit but the system's
    test_clock = false       # whether CRDB.CLOCK SET is allowed
    seed = 0                 # what random choices start from

    [[region]]               # ids are 1, 2, 3, ... in the order of the file
    name = "us-east-1"
    place = "us-east-1"      # a region of the catalogue; by default the name
    host = "127.0.0.1"
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
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

import attrs

from crdb.server.settings import parse_memory
from crdb.toml_table import ConfigError, Schema, Table, hint, shown
from crdt.dots import REGION_MAX
from geo import SHAPES, Catalog, GeoError, Link, Topology, ms

HOST: Final = "127.0.0.1"
PORT_BASE: Final = 7_000
PORT_MAX: Final = 65_535
LINK_PORT_OFFSET: Final = 10_000
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
        *("hub", "link", "maxclients", "maxmemory", "pairs", "region", "requirepass"),
        *("seed", "test_clock", "topology"),
    ),
    "region": ("host", "link_port", "name", "place", "port", "replica_of"),
    "link": ("backlog", "delay", "delays"),
}

Address = tuple[str, int]

_LINK_COST: Final = ms(DELAY_MS_MAX) * REGION_MAX

# Digits would be taken for an id; a space or a comma would end the name in a command or an option;
# a surrogate is a byte of the command line that was no UTF-8.
_NAME: Final = re.compile(r"(?!\d+\Z)[^\s,\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")
_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")


@attrs.frozen
class RegionConfig:
    """One region. `place` is what the catalogue of latencies calls it, if it knows it."""

    name: str
    id: int
    host: str
    port: int
    link_port: int
    place: str
    replica_of: tuple[Address, ...] = ()


@attrs.frozen
class LinkConfig:
    """What all links have in common.

    `delay` is "none", "measured" or milliseconds one way; `delays` overrides it for ordered pairs
    of regions, in milliseconds; `backlog` is in bytes.
    """

    delay: str | float = "none"
    delays: tuple[tuple[str, str, float], ...] = ()
    backlog: int = BACKLOG


def _topology(config: Config) -> Topology:
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
    shape: str = "mesh"
    hub: str | None = None
    pairs: tuple[Link, ...] | None = None
    link: LinkConfig = LinkConfig()
    maxclients: int = MAXCLIENTS
    maxmemory: int = 0
    requirepass: str = ""
    test_clock: bool = False
    seed: int = 0
    topology: Topology = attrs.field(
        init=False, repr=False, default=attrs.Factory(_topology, takes_self=True)
    )

    @staticmethod
    def from_toml(text: str, source: str = "regions.toml") -> Config:
        """The configuration in a file's text; `source` is what errors call the file.

        Raises `ConfigError`.
        """
        return _read(Table.parse(text, SCHEMA, source=source))

    @staticmethod
    def from_names(
        names: Iterable[str],
        port: int = PORT_BASE,
        *,
        topology: str = "mesh",
        delay: str | float | None = None,
    ) -> Config:
        """Regions on this machine, region i on `port` + i: for `--regions a,b,c --port N`.

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
        return _read(Table(data, SCHEMA, source="--regions"))

    def region(self, name: str) -> RegionConfig:
        """The region of that name or, in digits, of that id. O(1). Raises `ConfigError`."""
        found = self._named.get(name)
        if found is None:
            names = [region.name for region in self.regions]
            raise ConfigError(f"unknown region {shown(name)}{hint(name, names)}")
        return found

    @cached_property
    def _named(self) -> Mapping[str, RegionConfig]:
        """Regions by name and by id; no name is made of digits alone."""
        ids = {str(region.id): region for region in self.regions}
        return ids | {region.name: region for region in self.regions}

    def peers(self, name: str) -> tuple[RegionConfig, ...]:
        """The regions that this one is linked with, by id. Raises `ConfigError`."""
        return tuple(self.region(peer) for peer in self.topology.sinks(self.region(name).name))

    def delay_ns(self, source: str, sink: str) -> int:
        """What a message from `source` to `sink` is delayed by, in nanoseconds.

        Raises `ConfigError` for a region that is not there.
        """
        here, there = self.region(source), self.region(sink)
        for one, other, delay in self.link.delays:
            if (one, other) == (here.name, there.name):
                return ms(delay)
        if self.link.delay == "measured":
            return Catalog.shipped().one_way_ns(here.place, there.place)
        return 0 if isinstance(self.link.delay, str) else ms(self.link.delay)

    def routes(self, source: str, sink: str) -> tuple[int, ...]:
        """The ids of the regions whose ops the link from `source` to `sink` carries.

        Every region gets the ops of every other along one path: the one with the fewest relays, and
        of those the quickest. In a mesh a link carries just the ops of its source. O(1) but for
        the first time. Raises `ConfigError`.
        """
        link = self.region(source).name, self.region(sink).name
        return self._carried.get(link, ())

    @cached_property
    def _carried(self) -> Mapping[Link, tuple[int, ...]]:
        """What `routes` gives, for every link."""
        costs = {link: self._relay_cost(*link) for link in self.topology.links}
        carried = self.topology.carried(lambda source, sink: costs[source, sink])
        return {
            link: tuple(self.region(origin).id for origin in origins)
            for link, origins in carried.items()
        }

    def _relay_cost(self, source: str, sink: str) -> int:
        """One link weighs more than all delays together."""
        return _LINK_COST + self.delay_ns(source, sink)

    def to_toml(self) -> str:
        """The configuration as a file, complete with defaults: `from_toml` gives it back."""
        return "\n".join(_written(self)) + "\n"


# --- reading -------------------------------------------------------------------------------------


def _read(top: Table) -> Config:
    """The configuration in the top table of a file, checked as a whole."""
    if isinstance(top.data.get("region"), dict):
        raise top.error("region is a list: write [[region]], with two brackets")
    listed = top.items("region", "tables")
    if not listed:
        raise top.error("there is no region: begin one with [[region]]")
    if len(listed) > REGION_MAX:
        raise top.error(f"{len(listed)} regions are too many: {REGION_MAX} can be told apart")
    regions = tuple(
        _region(top.inner(data, place=f"region {i}"), i) for i, data in enumerate(listed, 1)
    )
    _check_distinct(top, regions)
    shape, hub, pairs = _shape(top, [region.name for region in regions])
    try:
        config = Config(
            regions,
            shape=shape,
            hub=hub,
            pairs=pairs,
            link=_link(top.table("link"), [region.name for region in regions]),
            maxclients=top.integer("maxclients", MAXCLIENTS, low=1, high=MAXCLIENTS_MAX),
            maxmemory=_size(top, "maxmemory", 0, low=0, high=MEMORY_MAX),
            requirepass=top.text("requirepass", ""),
            test_clock=top.flag("test_clock", False),
            seed=top.integer("seed", 0, low=0, high=SEED_MAX),
        )
    except GeoError as error:
        raise top.error(f"{'topology' if pairs is None else 'pairs'}: {error}") from None
    _check_measured(top, config)
    return config


def _region(table: Table, number: int) -> RegionConfig:
    name = table.text("name", "")
    if not _NAME.fullmatch(name):
        raise table.error(
            f"name {shown(name)} is no name: give it 1 to 64 characters, not all of them digits, "
            "without spaces and commas"
        )
    host = table.text("host", HOST)
    if not host or any(letter.isspace() for letter in host):
        raise table.error(f"host {shown(host)} is no address to listen on")
    port = table.integer("port", PORT_BASE + number, low=1, high=PORT_MAX)
    above = port + LINK_PORT_OFFSET
    link_port = above if above <= PORT_MAX else port - LINK_PORT_OFFSET
    return RegionConfig(
        name=name,
        id=number,
        host=host,
        port=port,
        link_port=table.integer("link_port", link_port, low=1, high=PORT_MAX),
        place=table.text("place", name),
        replica_of=tuple(_address(table, it) for it in table.items("replica_of", "addresses")),
    )


def _address(table: Table, value: object) -> Address:
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2]) <= PORT_MAX:
        raise table.error(f'replica_of: {shown(value)} is not "host:port"')
    return match[1].strip("[]"), int(match[2])


def _check_distinct(top: Table, regions: tuple[RegionConfig, ...]) -> None:
    """No two regions have one name, and nothing listens twice on one port."""
    names: dict[str, int] = {}
    ports: dict[Address, str] = {}
    for region in regions:
        place = f"region {region.id}"
        if region.name in names:
            raise top.error(
                f"{place}: name {shown(region.name)} is that of region {names[region.name]}"
            )
        names[region.name] = region.id
        for key, port in (("port", region.port), ("link_port", region.link_port)):
            owner = ports.setdefault((region.host, port), f"the {key} of {place}")
            if owner != f"the {key} of {place}":
                raise top.error(f"{place}: {key} {port} is already {owner}; give it another")


def _shape(top: Table, names: list[str]) -> tuple[str, str | None, tuple[Link, ...] | None]:
    """The shape of the topology, its hub if it is a star, and its pairs if they are listed."""
    shape = top.text("topology", "mesh")
    if shape not in SHAPES:
        raise top.error(
            f"topology {shown(shape)} is none of {', '.join(SHAPES)}{hint(shape, SHAPES)}"
        )
    if "hub" in top.data and shape != "star":
        raise top.error('hub is for topology = "star" only')
    hub = top.text("hub", names[0]) if shape == "star" else None
    if "pairs" not in top.data:
        return shape, hub, None
    if "topology" in top.data:
        raise top.error("give either topology or pairs, not both")
    return shape, None, tuple(_pair(top, it) for it in top.items("pairs", "pairs of regions"))


def _pair(top: Table, value: object) -> Link:
    match value:
        case [str(one), str(other)]:
            return one, other
        case _:
            raise top.error(f'pairs: {shown(value)} is not ["region", "region"]')


def _link(table: Table, names: list[str]) -> LinkConfig:
    delay = table.data.get("delay", "none")
    if isinstance(delay, str) and delay not in {"none", "measured"}:
        raise table.error(f'delay {shown(delay)} is not "none", "measured" or milliseconds')
    listed = [_delay(table, it, names) for it in table.items("delays", "delays")]
    pairs = [(one, other) for one, other, _ in listed]
    for pair in pairs:
        if pairs.count(pair) > 1:
            raise table.error(f"delays: from {pair[0]} to {pair[1]} is there twice")
    back = [(other, one, time) for one, other, time in listed if (other, one) not in pairs]
    return LinkConfig(
        delay=delay if isinstance(delay, str) else _milliseconds(table, delay),
        delays=tuple(sorted(listed + back)),
        backlog=_size(table, "backlog", BACKLOG, low=BACKLOG_MIN, high=BACKLOG_MAX),
    )


def _delay(table: Table, value: object, names: list[str]) -> tuple[str, str, float]:
    match value:
        case [str(one), str(other), int() | float() as delay]:
            for name in (one, other):
                if name not in names:
                    raise table.error(f"delays: unknown region {shown(name)}{hint(name, names)}")
            if one == other:
                raise table.error(f"delays: from {one} to itself there is no link")
            return one, other, _milliseconds(table, delay)
        case _:
            raise table.error(f'delays: {shown(value)} is not ["from", "to", milliseconds]')


def _milliseconds(table: Table, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise table.error(f"a delay must be a number of milliseconds, not {shown(value)}")
    if not 0 <= value <= DELAY_MS_MAX:
        raise table.error(f"a delay of {shown(value)} ms is not 0..{DELAY_MS_MAX}")
    return float(value)


def _size(table: Table, name: str, default: int, *, low: int, high: int) -> int:
    """A number of bytes, which may be given with a unit."""
    value = table.data.get(name, default)
    if isinstance(value, str):
        size = parse_memory(value)
        if size is None:
            raise table.error(f'{name} {shown(value)} is not a size: give bytes, or "512kb", "1mb"')
        value = size
    return table.inner({name: value}, place=table.place).integer(name, default, low=low, high=high)


def _check_measured(top: Table, config: Config) -> None:
    """A link whose delay is to be measured joins two regions of the catalogue."""
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


def _written(config: Config) -> Iterator[str]:
    if config.pairs is None:
        yield f"topology = {_quoted(config.shape)}"
        if config.hub is not None:
            yield f"hub = {_quoted(config.hub)}"
    else:
        yield f"pairs = {_quoted(config.pairs)}"
    yield f"requirepass = {_quoted(config.requirepass)}"
    yield f"maxclients = {config.maxclients}"
    yield f"maxmemory = {config.maxmemory}"
    yield f"test_clock = {_quoted(config.test_clock)}"
    yield f"seed = {config.seed}"
    for region in config.regions:
        follows = [_joined(host, port) for host, port in region.replica_of]
        yield "\n[[region]]"
        yield f"name = {_quoted(region.name)}"
        yield f"place = {_quoted(region.place)}"
        yield f"host = {_quoted(region.host)}"
        yield f"port = {region.port}"
        yield f"link_port = {region.link_port}"
        yield f"replica_of = {_quoted(follows)}"
    yield "\n[link]"
    yield f"delay = {_quoted(config.link.delay)}"
    yield f"delays = {_quoted(config.link.delays)}"
    yield f"backlog = {config.link.backlog}"


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _quoted(value: object) -> str:
    """A value as TOML writes it; strings and lists of JSON are TOML too, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
