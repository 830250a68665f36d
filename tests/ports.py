"""Loopback ports for the servers that tests start.

A port that was found free stays reserved until the tests of this process end, by a socket that is
bound to it and does not listen. Linux lets a server bind the same port, since both set
SO_REUSEADDR. No other test finds the port free, and no outgoing connection gets it.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

from crdb.deployment.region_config import LINK_PORT_OFFSET

HOST: Final = "127.0.0.1"
FIRST: Final = 12_000
LAST: Final = FIRST + LINK_PORT_OFFSET  # the link ports end below those of outgoing connections


def free_ports(count: int) -> range:
    """Return consecutive ports that are free, and whose link ports are free too."""
    for first in range(FIRST, LAST - count):
        ports = range(first, first + count)
        if hold([*ports, *(port + LINK_PORT_OFFSET for port in ports)]):
            return ports
    raise AssertionError(f"no {count} free ports between {FIRST} and {LAST}")


def free_base(count: int = 2) -> int:
    """Return the number before `count` free ports, for `crdb up --port`."""
    return free_ports(count).start - 1


def hold(ports: list[int]) -> bool:
    """Reserve all of these ports, or none if one is not free."""
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in ports]
        try:
            for sock, port in zip(socks, ports, strict=True):
                sock.bind((HOST, port))
        except OSError:
            return False
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.detach()  # now nothing closes it but the end of the process
    return True


def is_free(port: int) -> bool:
    """Return whether no server listens at the port."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True
