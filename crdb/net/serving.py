"""Serve the connections that are ready. This module is compiled, unlike the listener.

The replies of several clients are sent one after the other. Clients that wait in one process are
woken once for all of them, which saves much of the cost of a call to the kernel.

A MemoryError while a client is served ends only its connection.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.instance import Instance
from crdb.net.collector import examine_new
from crdb.net.connection import WRITABLE, Connection

TOGETHER_SECONDS: Final = 0.000_5
"""The time after which replies are sent although more clients are ready."""


def serve_ready(
    connections: dict[int, Connection], events: list[tuple[int, int]]
) -> tuple[list[int], list[Connection]]:
    """Read each socket that is ready, run the requests, and send or hold the replies. Return the
    file descriptors that belong to no client, and the connections that are over."""
    unknown: list[int] = []
    over: list[Connection] = []
    replied: list[Connection] = []
    ends = 0.0
    for fd, event in events:
        connection = connections.get(fd)
        if connection is None:
            unknown.append(fd)
        elif not read_ready(connection, event):
            over.append(connection)
        elif connection.has_replied():
            clock = connection.client.instance.timing.clock
            if not replied:
                ends = clock() + TOGETHER_SECONDS
            replied.append(connection)
            if clock() >= ends:
                send_all(replied, over)
    send_all(replied, over)
    return unknown, over


def read_ready(connection: Connection, event: int) -> bool:
    """Read a socket that is ready, and run the requests. False if the connection is over."""
    try:
        if event & WRITABLE and not connection.resume():
            return False
        return event == WRITABLE or connection.receive()
    except MemoryError:
        connection.client.instance.memory_exhausted("replies to a client")
        return False


def send_all(replied: list[Connection], over: list[Connection]) -> None:
    """Send or hold the replies of these connections. Add those that are over to `over`. Do not let
    the outbox grow beyond what makes a full operation."""
    over += [connection for connection in replied if not send_replies(connection)]
    if replied:
        replied[0].turn.seal_full_outbox()
        replied.clear()


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
    """Send or hold the replies so far. False if the connection is over."""
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
