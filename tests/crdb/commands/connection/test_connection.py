"""HELLO, AUTH, PING, ECHO, SELECT, QUIT and RESET, with a password and without one."""

from __future__ import annotations

import pytest

from crdb.commands.connection.connection import HELLO_NO_AUTH
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import REDIS_VERSION
from tests.crdb.events import Named, collector
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode, request


def test_hello_describes_server() -> None:
    database = instance()
    client = Client(database)
    reply = decode(receive(client, b"HELLO 3\r\n"))
    assert reply == (
        "map",
        [
            [b"server", b"redis"],
            [b"version", REDIS_VERSION.encode()],
            [b"proto", 3],
            [b"id", client.id],
            [b"mode", b"standalone"],
            [b"role", b"master"],
            [b"modules", []],
        ],
    )
    database.role = b"replica"
    assert b"replica" in receive(client, b"HELLO\r\n")


def test_password() -> None:
    client = Client(instance(requirepass="secret"))
    no_auth = b"-NOAUTH Authentication required.\r\n"
    wrong = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
    assert lines(client, "GET k", "AUTH wrong", "AUTH nobody secret", "FOO", "QUITE") == [
        no_auth,
        wrong,
        wrong,
        b"-ERR unknown command 'FOO', with args beginning with: \r\n",
        b"-ERR unknown command 'QUITE', with args beginning with: \r\n",
    ]
    [hello] = lines(client, "HELLO 3")
    assert hello.startswith(b"-NOAUTH HELLO must be called with the client already authenticated")
    assert client.protocol == 2
    assert lines(client, "HELLO 3 AUTH default secret")[0].startswith(b"%7\r\n")
    assert lines(client, "GET k", "RESET", "GET k", "AUTH secret", "GET k") == [
        b"_\r\n",
        b"+RESET\r\n",
        no_auth,
        b"+OK\r\n",
        b"$-1\r\n",
    ]


def test_unauthenticated_clients_may_send_little() -> None:
    client = Client(instance(requirepass="secret"))
    long = b"*2\r\n$4\r\nECHO\r\n$20000\r\n" + b"x" * 20_000 + b"\r\n"
    assert receive(client, b"AUTH secret\r\n" + long).startswith(b"+OK\r\n$20000\r\n")
    stranger = Client(client.instance)
    refusal = b"-ERR Protocol error: unauthenticated bulk length\r\n"
    assert receive(stranger, long) == refusal
    assert stranger.closing


def test_password_change_keeps_authenticated_clients() -> None:
    database = instance()
    early = Client(database)
    lines(early, "CONFIG SET requirepass secret")
    assert lines(early, "PING") == [b"+PONG\r\n"]
    late = Client(database)
    assert lines(late, "PING")[0].startswith(b"-NOAUTH")
    lines(early, "CONFIG SET requirepass ''")
    assert lines(late, "PING") == [b"+PONG\r\n"]
    assert late.parser.trusted


def test_password_set_again_is_asked_for_again() -> None:
    """As in Redis, an empty password authenticates nobody."""
    client = Client(instance(requirepass="a"))
    strangers = [Client(client.instance) for _ in range(4)]
    lines(client, "AUTH a", "CONFIG SET requirepass ''")
    assert [lines(each, "PING") for each in strangers] == [[b"+PONG\r\n"]] * 4
    assert lines(strangers[0], "HELLO 3") == [b"-" + HELLO_NO_AUTH + b"\r\n"]
    lines(strangers[1], "AUTH default any")
    lines(strangers[2], "HELLO 2 AUTH default any")
    lines(strangers[3], "RESET")
    lines(client, "CONFIG SET requirepass b")
    assert [lines(each, "PING")[0][:5] for each in strangers] == [b"-NOAU", *[b"+PONG"] * 3]
    assert [each.parser.trusted for each in strangers] == [False, True, True, True]
    assert lines(strangers[0], "AUTH b", "PING") == [b"+OK\r\n", b"+PONG\r\n"]


def test_reset_leaves_transaction_and_what_was_watched() -> None:
    client = Client(instance())
    lines(client, "CLIENT NO-EVICT ON", "CLIENT NO-TOUCH ON", "WATCH k", "MULTI", "SET k v")
    assert lines(client, "RESET", "EXEC") == [b"+RESET\r\n", b"-ERR EXEC without MULTI\r\n"]
    assert (client.watched, client.queue, client.no_evict, client.no_touch) == (
        {},
        [],
        False,
        False,
    )


@pytest.mark.parametrize("password", ["p\u20acss", "\u00e4", "secret", "\U0001f511 key"])
def test_password_is_compared_as_utf_8(password: str) -> None:
    """A password in a file or in CONFIG SET equals the bytes that a client sends."""
    data = password.encode()
    from_file = Client(instance(requirepass=password))
    database = instance()
    set_later = Client(database)
    receive(set_later, request([b"CONFIG", b"SET", b"requirepass", data]))
    for client in (from_file, Client(database)):
        assert receive(client, request([b"AUTH", data[:-1]])).startswith(b"-WRONGPASS")
        assert receive(client, request([b"AUTH", data])) == b"+OK\r\n"
        shown = receive(client, request([b"CONFIG", b"GET", b"requirepass"]))
        assert shown == request([b"requirepass", data])


def test_wrong_passwords_are_counted_and_reported() -> None:
    database = instance(requirepass="secret")
    events: list[Named] = []
    database.report = collector(events)
    client = Client(database, b"10.0.0.1:5000")
    lines(client, "AUTH wrong", "AUTH nobody secret", "HELLO 3 AUTH default x", "AUTH secret")
    assert events == [("wrong password", {"address": "10.0.0.1"})] * 3
    assert b"acl_access_denied_auth:3" in lines(client, "INFO stats")[0]
