"""Driver: the listening sockets of a region, which are opened before it starts."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from typing import Final

from crdb.deployment.region_config import RegionConfig

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

HOST_SHOWN_MAX: Final = 60
BACKLOG_CONNECTIONS: Final = 511  # as Redis; the kernel keeps so many for us to accept


class CannotListen(Exception):
    """A region cannot listen at one of its ports."""


Sockets = tuple[list[socket.socket], list[socket.socket]]


def open_ports(region: RegionConfig) -> Sockets:
    """Listen for clients and for peers, at all addresses of each.

    Raises CannotListen. All sockets are closed then.
    """
    taken: Sockets = ([], [])
    wanted = ((region.bind, region.port), (region.link_bind, region.link_port))
    for sockets, (hosts, port) in zip(taken, wanted, strict=True):
        for host in hosts:
            try:
                sockets.append(open_listening_socket(host, port))
            except OSError as fault:
                for sock in (*taken[0], *taken[1]):
                    sock.close()
                raise CannotListen(explain_failure(region, host, port, fault)) from None
    return taken


def check_ports(regions: Iterable[RegionConfig]) -> None:
    """Listen for a moment at all ports of all regions of a process. Raises CannotListen.

    A region counts its starts on disk, and one that has started before waits for its peers. A start
    that cannot even listen must not count, so this comes first.
    """
    taken: list[socket.socket] = []
    try:
        for region in regions:
            for sockets in open_ports(region):
                taken += sockets
    finally:
        for sock in taken:
            sock.close()


def explain_failure(region: RegionConfig, host: str, port: int, fault: OSError) -> str:
    """Say where the region cannot listen, why, and what to do."""
    key = "port" if port == region.port else "link_port"
    if fault.errno == errno.EADDRINUSE:
        remedy = f"is crdb running already? If not, give the region another {key}"
    elif fault.errno == errno.EADDRNOTAVAIL or isinstance(fault, socket.gaierror):
        remedy = (
            'that is not an address of this machine. Set bind to one that is, or to "0.0.0.0" for '
            "all, and host to the address that others connect to"
        )
    elif fault.errno == errno.EACCES:
        remedy = f"give the region another {key}, above 1023"
    else:
        remedy = "set bind to an address of this machine"
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    reason = fault.strerror or str(fault)
    return f"region {region.name}: cannot listen at {place} ({key}): {reason}; {remedy}"


def open_listening_socket(host: str, port: int) -> socket.socket:
    """Return a non-blocking TCP socket that listens, with IPv4 if the host has both.

    Raises OSError.
    """
    family, address = resolve_host("0.0.0.0" if host == "*" else host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:  # "::" is for version 6, as "0.0.0.0" is for version 4
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG_CONNECTIONS)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def resolve_host(host: str, port: int) -> tuple[socket.AddressFamily, Address]:
    """Return the family and the socket address of a host. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host[:HOST_SHOWN_MAX]} is not the name of a host") from None
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, address
