"""Driver: the listening sockets of a region, taken before anything else is done."""

from __future__ import annotations

import errno
import socket
from typing import Final

from crdb.config import RegionConfig

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

HOST_SHOWN_MAX: Final = 60
BACKLOG_CONNECTIONS: Final = 511  # as Redis; what the kernel keeps for us to accept


class CannotListen(Exception):
    """A port that a region needs cannot be had."""


def take_ports(region: RegionConfig) -> list[socket.socket]:
    """The sockets for clients and for peers. Raises CannotListen, with no port kept."""
    taken: list[socket.socket] = []
    for what, port in (("port", region.port), ("link_port", region.link_port)):
        try:
            taken.append(listening_socket(region.host, port))
        except OSError as fault:
            for sock in taken:
                sock.close()
            place, reason = f"{region.host}:{port}", fault.strerror or str(fault)
            if fault.errno == errno.EADDRINUSE:
                reason += "; is crdb running already?"
            raise CannotListen(
                f"region {region.name}: cannot listen on {what} {place}: {reason}"
            ) from None
    return taken


def listening_socket(host: str, port: int) -> socket.socket:
    """A TCP socket that listens, without blocking; IP version 4 if the host has both. Raises
    OSError."""
    family, address = resolved(host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG_CONNECTIONS)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def resolved(host: str, port: int) -> tuple[socket.AddressFamily, Address]:
    """Where to listen for a name or an address. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError(f"{host[:HOST_SHOWN_MAX]} is no name of a host") from None
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, address
