"""The connection of a client: output that the socket does not take is kept."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.session import CLOSING
from crdb.net.connection import JOIN_BYTES_MAX, Connection, address
from tests.crdb.raw import instance

Pair = tuple[Connection, socket.socket]
ECHO = b"*2\r\n$4\r\nECHO\r\n$%d\r\n%b\r\n"


def joined(database: Instance, epoll: select.epoll) -> Pair:
    """Return a connection, and the socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname())
        here, _ = server.accept()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 14)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    there.settimeout(30)
    return Connection(here, database, epoll), there


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    with select.epoll() as made:
        yield made


@pytest.fixture
def pair(epoll: select.epoll) -> Iterator[Pair]:
    connection, there = joined(instance(), epoll)
    yield connection, there
    there.close()
    if connection.fd == connection.sock.fileno():
        connection.close()


def wait(epoll: select.epoll, event: int) -> None:
    """Wait until the connection has this event."""
    [(_, happened)] = epoll.poll(30)
    assert happened & event


def test_request_is_answered(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    assert connection.receive()
    there.sendall(b"PING\r\n")
    wait(epoll, select.EPOLLIN)
    assert connection.receive()
    assert connection.has_replied()
    assert connection.send_or_hold()
    assert not connection.has_replied()
    assert there.recv(100) == b"+PONG\r\n"
    assert connection.client.sent_bytes == 7
    assert connection.client.output_bytes == 0


def test_end_is_noticed(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    there.close()
    wait(epoll, select.EPOLLIN)
    assert not connection.receive()
    connection.close()
    assert connection.client.instance.clients == {}


def test_reset_is_end(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    there.close()
    wait(epoll, select.EPOLLHUP)
    assert not connection.receive()


def fill(connection: Connection, there: socket.socket, epoll: select.epoll) -> int:
    """Make more replies than the sockets hold, all of them unread. Return their size."""
    reply = b"x" * 1_000_000
    connection.client.parser.feed(ECHO % (len(reply), reply) * 3)
    assert connection.run_waiting()
    assert connection.unsent
    return 3 * len(b"$1000000\r\n\r\n") + 3_000_000


def test_unsent_bytes_are_sent_later(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    size = fill(connection, there, epoll)
    there.sendall(b"PING\r\n")
    wait(epoll, select.EPOLLIN)
    assert connection.receive()
    assert connection.send_or_hold()
    assert len(connection.unsent) > 1
    assert connection.client.output_bytes == size + 7 - connection.client.sent_bytes
    received = 0
    while received < size + 7:
        if epoll.poll(0) and connection.unsent:
            assert connection.resume()
        received += len(there.recv(1 << 16))
    assert connection.client.output_bytes == 0
    assert connection.resume()
    assert epoll.poll(0) == []


def test_reply_that_came_late_counts_as_sent_and_no_more(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    client = connection.client
    client.parser.feed(b"CRDB.AWAIT 9=1 1000\r\n")
    assert connection.run_waiting()
    client.instance.blocked.unblock(client.id, with_error=False)
    assert connection.run_waiting()
    assert there.recv(100) == b":0\r\n"
    assert client.output_bytes == 0


def test_last_reply_is_sent_before_close(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    size = fill(connection, there, epoll)
    connection.client.parser.feed(b"QUIT\r\nPING\r\n")
    assert connection.run_waiting()
    there.sendall(b"PING\r\n")
    received = 0
    is_open = True
    while is_open:
        wait(epoll, select.EPOLLOUT)
        is_open = connection.resume()
        while received < connection.client.sent_bytes:
            received += len(there.recv(1 << 16))
    assert received == size + 5


def test_killed_client_gets_nothing_more(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    fill(connection, there, epoll)
    connection.client.kill()
    assert not connection.run_waiting()


def test_closed_peer_is_noticed(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    fill(connection, there, epoll)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    there.close()
    wait(epoll, select.EPOLLHUP)
    while connection.unsent:
        assert connection.resume()
    assert connection.client.output_bytes == 0
    assert not connection.receive()


def test_client_gone_immediately_is_not_accepted(epoll: select.epoll) -> None:
    left, right = socket.socketpair(socket.AF_UNIX)
    connection = Connection(left, instance(), epoll)
    assert connection.client.address == b""
    connection.client.flags |= CLOSING
    assert not connection.flush()
    connection.close()
    right.close()
    with pytest.raises(OSError, match="Bad file"):
        Connection(left, instance(), epoll)


def test_without_keepalive(epoll: select.epoll) -> None:
    for seconds, expected in (("0", 0), ("300", 1)):
        connection, there = joined(instance(tcp_keepalive=seconds), epoll)
        assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == expected
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()
        there.close()


def test_addresses_are_written_as_in_redis() -> None:
    assert address(("127.0.0.1", 6379)) == b"127.0.0.1:6379"
    assert address(("::1", 6379, 0, 0)) == b"[::1]:6379"
    assert address("/tmp/sock") == b"/tmp/sock"


def test_large_replies_wait_without_being_copied(pair: Pair, epoll: select.epoll) -> None:
    connection, there = pair
    value = b"x" * (2 * JOIN_BYTES_MAX)
    client = connection.client
    assert receive(client, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n" % (len(value), value))
    there.sendall(b"PING\r\nGET k\r\nGET k\r\nPING\r\n")
    wait(epoll, select.EPOLLIN)
    assert connection.receive()
    assert connection.send_or_hold()
    kept = [id(piece.obj) for piece in connection.unsent if len(piece) > JOIN_BYTES_MAX]
    assert len(kept) == 2
    assert len(set(kept)) == 1
    bulk = b"$%d\r\n%b\r\n" % (len(value), value)
    expected = b"+PONG\r\n" + bulk * 2 + b"+PONG\r\n"
    output = b""
    while len(output) < len(expected):
        output += there.recv(1 << 20)
        while connection.unsent and epoll.poll(0):
            assert connection.resume()
    assert output == expected
    assert client.output_bytes == 0
