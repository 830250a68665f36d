"""A region in the configuration: its name and number, and its addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from crdb.deployment.errors import InvalidSetting, shown
from crdt.causality.dots import REGION_MAX
from replication.protocol.names import RULE, is_name

HOST: Final = "127.0.0.1"
PORT_BASE: Final = 7_000
PORT_MAX: Final = 65_535
LINK_PORT_OFFSET: Final = 10_000
BINDS_MAX: Final = 16  # as Redis

Address = tuple[str, int]
Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def in_range(low: int, high: int) -> Validator:
    """Return a validator for an integer from `low` to `high`."""

    def check_range(_: object, attribute: attrs.Attribute[int], value: int) -> None:
        if not low <= value <= high:
            raise InvalidSetting(f"{attribute.name} {shown(value)} is not {low}..{high}")

    return check_range


def check_name(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Check that a value can name a region or a CRDB."""
    if not is_name(value):
        raise InvalidSetting(f"{attribute.name} {shown(value)} is not valid: {RULE}")


def _check_host(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _is_address(value):
        raise InvalidSetting(
            f"{attribute.name} {shown(value)} is not an address or the name of a host"
        )


def _check_binds(_: object, attribute: attrs.Attribute[Any], value: Sequence[str]) -> None:
    for index, address in enumerate(value):
        if not _is_address(address):
            raise InvalidSetting(f"{attribute.name}: {shown(address)} {NOT_LISTENED_AT}")
        if address in value[:index]:
            raise InvalidSetting(f"{attribute.name}: {shown(address)} is listed twice")
    if not 0 < len(value) <= BINDS_MAX:
        raise InvalidSetting(f"{attribute.name}: {len(value)} addresses are not 1..{BINDS_MAX}")


NOT_LISTENED_AT: Final = (
    "is not an address to listen at: give one of this machine's addresses, or a list of them; "
    '"0.0.0.0" and "::" stand for all'
)


def _is_address(text: str) -> bool:
    return text != "" and text.isprintable() and not any(letter in ' /[]"' for letter in text)


def _link_port(region: RegionConfig) -> int:
    above = region.port + LINK_PORT_OFFSET
    return above if above <= PORT_MAX else region.port - LINK_PORT_OFFSET


def _default(make: Callable[[RegionConfig], Any]) -> Any:
    """Return a default that `make` computes from the fields before it."""
    return attrs.Factory(make, takes_self=True)


@attrs.frozen
class RegionConfig:
    """A region. Clients and peers reach it at `host`. It listens for clients at the addresses
    `bind`, and for peers at `link_bind`. `place` is its name in the catalogue of latencies.
    `aclfile` is the path of the file of its users, if it has one.

    Raises `InvalidSetting`.
    """

    name: str = attrs.field(validator=check_name)
    id: int = attrs.field(validator=in_range(1, REGION_MAX))
    host: str = attrs.field(default=HOST, validator=_check_host)
    port: int = attrs.field(
        default=_default(lambda region: PORT_BASE + region.id), validator=in_range(1, PORT_MAX)
    )
    link_port: int = attrs.field(default=_default(_link_port), validator=in_range(1, PORT_MAX))
    place: str = attrs.field(default=_default(lambda region: region.name))
    replica_of: tuple[Address, ...] = ()
    aclfile: str = ""
    bind: tuple[str, ...] = attrs.field(
        default=_default(lambda region: (region.host,)), validator=_check_binds
    )
    link_bind: tuple[str, ...] = attrs.field(
        default=_default(lambda region: region.bind), validator=_check_binds
    )


def check_regions(regions: tuple[RegionConfig, ...]) -> None:
    """Check that names, numbers and addresses are unique, and that regions can reach each other.
    Raises `InvalidSetting`."""
    names: dict[str, int] = {}
    numbers: dict[int, int] = {}
    ports: dict[Address, str] = {}
    for index, region in enumerate(regions, 1):
        place = f"region {index}"
        if region.name in names:
            raise InvalidSetting(
                f"{place}: name {shown(region.name)} is that of region {names[region.name]}"
            )
        names[region.name] = index
        if region.id in numbers:
            raise InvalidSetting(
                f"{place}: id {region.id} is that of region {numbers[region.id]}: where one region "
                "has an explicit id, give one to each"
            )
        numbers[region.id] = index
        if len(regions) > 1 and is_wildcard(region.host):
            raise InvalidSetting(
                f"{place}: host {shown(region.host)} cannot be reached by other machines: "
                f"set bind = {shown(region.host)}, and host to the address that others connect to"
            )
        for key, port in (("port", region.port), ("link_port", region.link_port)):
            owner = ports.setdefault((region.host, port), f"the {key} of {place}")
            if owner != f"the {key} of {place}":
                raise InvalidSetting(f"{place}: {key} {port} is already {owner}; give it another")


def is_wildcard(host: str) -> bool:
    """Return whether an address stands for all addresses of a machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == "*"
