"""The checks that a new client must pass: `maxclients` and protected mode. Pure.

In protected mode, which is on unless it is set to `no`, an instance without a password serves
clients of its own machine only, as in Redis.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from crdb.engine.events.operator_events import OpenPortEvent
from crdb.engine.instance import Instance

FULL: Final = b"-ERR max number of clients reached\r\n"
DENIED: Final = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no "
    b"password is set for the default user. In this mode connections are only accepted from "
    b"the loopback interface. If you want to connect from external computers to Redis you may "
    b"adopt one of the following solutions: 1) Just disable protected mode sending the command"
    b" 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from "
    b"the same host the server is running, however MAKE SURE Redis is not publicly accessible "
    b"from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) "
    b"Alternatively you can just disable the protected mode by editing the Redis configuration"
    b" file, and setting the protected mode option to 'no', and then restarting the server. 3)"
    b" If you started the server manually just for testing, restart it with the '--protected-"
    b"mode no' option. 4) Setup a an authentication password for the default user. NOTE: You "
    b"only need to do one of the above things in order for the server to start accepting "
    b"connections from the outside.\r\n"
)


def refusal(instance: Instance, peer: str | None) -> bytes | None:
    """Return the error for a client from the address `peer`, or None if it may stay. `peer` is None
    if the client has no network address."""
    if instance.is_full():
        instance.statistics.rejected_connections += 1
        return FULL
    config = instance.config
    if config.is_protected and is_open(instance) and not is_loopback(peer):
        instance.statistics.rejected_connections += 1
        return DENIED
    return None


def is_open(instance: Instance) -> bool:
    """Return whether clients are served without a password."""
    return instance.access.users.default.needs_no_password


def limit_clients(instance: Instance, possible: int) -> bool:
    """Lower `maxclients` to the number of clients that the limit of open files leaves room for, and
    refuse a higher one from now on, as Redis does. Return whether it had to be lowered."""
    config = instance.config
    config.clients_possible = possible
    if config.clients_max <= possible:
        return False
    config.put("maxclients", str(possible))
    return True


def is_loopback(address: str | None) -> bool:
    """Return whether connections from `address` come from this machine."""
    parsed: IPv4Address | IPv6Address | None = None
    with suppress(ValueError):
        parsed = ip_address((address or "").partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return address is None or address == "localhost" or (parsed is not None and parsed.is_loopback)


def report_exposure(instance: Instance, hosts: Iterable[str]) -> None:
    """Report, at the start of a region, that it listens beyond this machine without a password."""
    outside = [host for host in hosts if not is_loopback(host)]
    if outside and is_open(instance):
        is_protected = instance.config.is_protected
        reach = "this machine, by protected mode" if is_protected else "everybody"
        instance.emit_event(OpenPortEvent(bind=", ".join(outside), reach=reach))
