"""Serve the connections that are ready. This module is compiled, unlike the listener.

A MemoryError while a client is served ends only its connection.
"""

from __future__ import annotations

from crdb.engine.instance import Instance
from crdb.net.collector import examine_new
from crdb.net.connection import WRITABLE, Connection


def serve_ready(
    connections: dict[int, Connection], events: list[tuple[int, int]]
) -> tuple[list[int], list[Connection]]:
    """Read each socket that is ready, run the requests, and send or hold the replies. Return the
    file descriptors that belong to no client, and the connections that are over."""
    unknown: list[int] = []
    over: list[Connection] = []
    for fd, event in events:
        connection = connections.get(fd)
        if connection is None:
            unknown.append(fd)
            continue
        try:
            open_still = connection.resume() if event & WRITABLE else True
            if event != WRITABLE:
                open_still = open_still and connection.receive()
        except MemoryError:
            connection.client.instance.memory_exhausted("replies to a client")
            open_still = False
        if not open_still:
            over.append(connection)
    return unknown, over


def run_waiting(connection: Connection) -> bool:
    """Run the requests of a client that has waited. False if its connection is over."""
    try:
        return connection.run_waiting()
    except MemoryError:
        connection.client.instance.memory_exhausted("replies to a client")
        return False


def run_slice(instance: Instance, connections: dict[int, Connection]) -> Connection | None:
    """Run one slice of a long command, and send what it has replied so far. `connections` are those
    of the clients, by id. Return the connection if it is over."""
    session = instance.slices.run_slice()
    examine_new()
    connection = None if session is None else connections.get(session.id)
    if connection is None or not connection.client.out or send_replies(connection):
        return None
    return connection


def send_replies(connection: Connection) -> bool:
    """Send the replies of a command in slices so far. False if the connection is over."""
    try:
        return connection.send_or_hold()
    except MemoryError:
        connection.client.instance.memory_exhausted("replies to a client")
        return False


def send_held(connection: Connection) -> bool:
    """Send the replies that have waited for the journal. False if the connection is over."""
    try:
        return connection.flush()
    except MemoryError:
        connection.client.instance.memory_exhausted("replies to a client")
        return False
