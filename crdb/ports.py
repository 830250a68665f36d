"""Driver: the listening sockets of a region, taken before anything else is done."""

from __future__ import annotations

import socket
from typing import Final

from crdb.config import RegionConfig

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
            raise CannotListen(
                f"region {region.name}: cannot listen on {what} {place}: {reason}"
            ) from None
    return taken


def listening_socket(host: str, port: int) -> socket.socket:
    """A TCP socket that listens, without blocking. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG_CONNECTIONS)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
