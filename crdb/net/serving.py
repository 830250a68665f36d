"""Turn to the connections that are ready: compiled, which the listener is not.

A MemoryError while a client is served ends its connection and nothing else.
"""

from __future__ import annotations

from crdb.net.connection import WRITABLE, Connection


def attend(
    connections: dict[int, Connection], events: list[tuple[int, int]]
) -> tuple[list[int], list[Connection]]:
    """Serve all that are ready. Returns the file descriptors of no client, and the connections
    that are over."""
    strangers: list[int] = []
    over: list[Connection] = []
    for fd, event in events:
        connection = connections.get(fd)
        if connection is None:
            strangers.append(fd)
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
    return strangers, over


def resume_requests(connection: Connection) -> bool:
    """Turn to a session that something has happened to. False if its connection is over."""
    try:
        return connection.go_on()
    except MemoryError:
        connection.client.instance.memory_exhausted("replies to a client")
        return False
