"""Clients that subscribe to a channel, and read what they receive."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager

from driver import connect, request
from machine import DRIVER_CORE, Server, pinned_to

CHANNEL = "news"
READ_BYTES = 1 << 20


@contextmanager
def subscribers(server: Server, count: int) -> Generator[None]:
    """Let so many clients subscribe to the channel `news` while the block runs. A thread on the
    driver's core reads their messages."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server.port)) for _ in range(count)]
        for client in clients:
            client.sendall(request("SUBSCRIBE", CHANNEL))
            client.recv(READ_BYTES)
        here, there = socket.socketpair()
        reader = threading.Thread(target=read_all, args=(clients, there))
        with here, there, pinned_to(DRIVER_CORE):
            reader.start()
            try:
                yield
            finally:
                here.send(b".")
                reader.join()


def read_all(clients: Sequence[socket.socket], ending: socket.socket) -> None:
    """Read from all clients until something comes from `ending`."""
    with selectors.DefaultSelector() as selector:
        for each in (*clients, ending):
            selector.register(each, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            for each in ready:
                if each is ending:
                    return
                assert isinstance(each, socket.socket)
                each.recv(READ_BYTES)
