"""A region in the configuration: its name and number, and its addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, cast

import attrs

from crdb.deployment.toml_table import Table, shown
from crdt.causality.dots import REGION_MAX
from geo import Catalog, GeoError
from replication.protocol.names import RULE, is_name

HOST: Final = "127.0.0.1"
PORT_BASE: Final = 7_000
PORT_MAX: Final = 65_535
LINK_PORT_OFFSET: Final = 10_000
BINDS_MAX: Final = 16  # as Redis

Address = tuple[str, int]

_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")


@attrs.frozen
class RegionConfig:
    """A region. `host` is where clients and peers reach it; it listens at the addresses `bind`,
    for peers at `link_bind`. `place` is what the catalogue of latencies calls it."""

    name: str
    id: int
    host: str
    port: int
    link_port: int
    place: str
    replica_of: tuple[Address, ...] = ()
    bind: tuple[str, ...] = attrs.field(
        default=attrs.Factory(lambda self: (self.host,), takes_self=True)
    )
    link_bind: tuple[str, ...] = attrs.field(
        default=attrs.Factory(lambda self: self.bind, takes_self=True)
    )


def read_region(table: Table, place: int) -> RegionConfig:
    """Read the region at this place of the file; the first has place 1. Raises ConfigError."""
    name = table.text("name", "")
    if not is_name(name):
        raise table.error(f"name {shown(name)} is not valid: {RULE}")
    number = table.integer("id", place, low=1, high=REGION_MAX)
    host = table.text("host", HOST)
    if not _is_address(host):
        raise table.error(f"host {shown(host)} is not an address or the name of a host")
    port = table.integer("port", PORT_BASE + number, low=1, high=PORT_MAX)
    above = port + LINK_PORT_OFFSET
    link_port = above if above <= PORT_MAX else port - LINK_PORT_OFFSET
    bind = _read_binds(table, "bind", (host,))
    return RegionConfig(
        name=name,
        id=number,
        host=host,
        port=port,
        link_port=table.integer("link_port", link_port, low=1, high=PORT_MAX),
        place=_read_place(table, name),
        replica_of=tuple(_read_address(table, it) for it in table.items("replica_of", "addresses")),
        bind=bind,
        link_bind=_read_binds(table, "link_bind", bind),
    )


def _read_place(table: Table, name: str) -> str:
    """Read the region's name in the catalogue of latencies. A `place` must be in the catalogue."""
    place = table.text("place", name)
    if "place" in table.data:
        try:
            Catalog.shipped().find(place)
        except GeoError as error:
            remedy = "name a place of the catalogue, or leave place out"
            raise table.error(f"place {shown(place)}: {error} ({remedy})") from None
    return place


def _is_address(text: str) -> bool:
    return text != "" and text.isprintable() and not any(letter in ' /[]"' for letter in text)


def _read_binds(table: Table, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Read one address to listen at, or several."""
    value = table.data.get(key)
    if value is None:
        return default
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    found: list[str] = []
    for each in listed:
        if not isinstance(each, str) or not _is_address(each):
            raise table.error(
                f"{key}: {shown(each)} is not an address to listen at: give one of this machine's "
                'addresses, or a list of them; "0.0.0.0" and "::" stand for all'
            )
        if each in found:
            raise table.error(f"{key}: {shown(each)} is listed twice")
        found.append(each)
    if not 0 < len(found) <= BINDS_MAX:
        raise table.error(f"{key}: {len(found)} addresses are not 1..{BINDS_MAX}")
    return tuple(found)


def _read_address(table: Table, value: object) -> Address:
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2]) <= PORT_MAX:
        raise table.error(f'replica_of: {shown(value)} is not "host:port"')
    return match[1].strip("[]"), int(match[2])


def check_regions(top: Table, regions: tuple[RegionConfig, ...]) -> None:
    """Check that names, numbers and addresses are unique, and that regions can reach each other.
    Raises ConfigError."""
    names: dict[str, int] = {}
    numbers: dict[int, int] = {}
    ports: dict[Address, str] = {}
    for index, region in enumerate(regions, 1):
        place = f"region {index}"
        if region.name in names:
            raise top.error(
                f"{place}: name {shown(region.name)} is that of region {names[region.name]}"
            )
        names[region.name] = index
        if region.id in numbers:
            raise top.error(
                f"{place}: id {region.id} is that of region {numbers[region.id]}: where one region "
                "has an explicit id, give one to each"
            )
        numbers[region.id] = index
        if len(regions) > 1 and is_wildcard(region.host):
            raise top.error(
                f"{place}: host {shown(region.host)} cannot be reached by other machines: "
                f"set bind = {shown(region.host)}, and host to the address that others connect to"
            )
        for key, port in (("port", region.port), ("link_port", region.link_port)):
            owner = ports.setdefault((region.host, port), f"the {key} of {place}")
            if owner != f"the {key} of {place}":
                raise top.error(f"{place}: {key} {port} is already {owner}; give it another")


def is_wildcard(host: str) -> bool:
    """Return whether an address stands for all addresses of a machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == "*"
