"""Accepting clients, over real loopback sockets."""

from __future__ import annotations

import errno
import select
import socket

import pytest
import trio
import trio.lowlevel

from crdb.net.acceptor import ACCEPT_MAX, Acceptor
from tests.crdb.listening import listening, serving
from tests.crdb.raw import instance


async def test_clients_beyond_maximum_are_refused() -> None:
    database = instance(maxclients="1")
    async with serving(database) as site:
        first = await site.connect()
        await first.ask(b"PING", b"+PONG\r\n")
        second = await site.connect()
        assert await second.read_to_end() == b"-ERR max number of clients reached\r\n"
        assert database.statistics.rejected_connections == 1
        await first.stream.aclose()
        while database.clients:
            await trio.lowlevel.checkpoint()
        await (await site.connect()).ask(b"PING", b"+PONG\r\n")


async def test_crowd_is_accepted_over_several_turns() -> None:
    async with serving(instance()) as site:
        talkers = [await site.connect() for _ in range(ACCEPT_MAX * 2)]
        for talker in talkers:
            await talker.ask(b"PING", b"+PONG\r\n")


async def test_accepting_goes_on_without_free_descriptors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = instance()
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    async with serving(database) as site:
        sock = site.socket

        class Exhausted:
            """A listening socket whose `accept` fails once."""

            def __init__(self) -> None:
                self.failed = False

            def accept(self) -> tuple[socket.socket, object]:
                if not self.failed:
                    self.failed = True
                    raise OSError(errno.EMFILE, "Too many open files")
                return sock.accept()

            def setblocking(self, flag: bool) -> None:
                sock.setblocking(flag)

            def close(self) -> None:
                sock.close()

        monkeypatch.setitem(site.listener.acceptor.listening, sock.fileno(), Exhausted())
        talker = await site.connect()
        await talker.ask(b"PING", b"+PONG\r\n")
    assert "cannot accept" in events
    assert events.count("cannot accept") == 1


def test_client_that_is_gone_is_not_admitted() -> None:
    database = instance()
    with select.epoll() as epoll, listening() as server:
        acceptor = Acceptor(database, [server], epoll)
        acceptor.start()
        assert acceptor.accept(server.fileno()) == []
        with socket.create_connection(server.getsockname()):
            here, _ = server.accept()
        gone = socket.socket(fileno=here.detach())
        gone.shutdown(socket.SHUT_RDWR)
        assert acceptor.admit(gone) is None
        assert gone.fileno() == -1
    assert database.clients == {}


def test_paused_acceptor_accepts_after_resume() -> None:
    with select.epoll() as epoll, listening() as server:
        acceptor = Acceptor(instance(), [server], epoll)
        acceptor.start()
        acceptor.pause()
        with socket.create_connection(server.getsockname()):
            assert epoll.poll(0) == []
            acceptor.resume()
            acceptor.resume()
            assert epoll.poll(30) == [(server.fileno(), select.EPOLLIN)]
            [connection] = acceptor.accept(server.fileno())
            connection.close()
        acceptor.close()
