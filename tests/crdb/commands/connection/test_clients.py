"""CLIENT with several clients."""

from __future__ import annotations

import re

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.redis_peer import decode


def described(line: bytes) -> dict[str, str]:
    """Return the fields of one line of CLIENT LIST."""
    return dict(field.split("=", 1) for field in line.decode().rstrip("\n").split(" "))


def test_fields_of_client_list() -> None:
    database = instance()
    client = Client(database, b"1.2.3.4:5", b"1.2.3.4:6")
    lines(client, "CLIENT SETNAME bob", "CLIENT SETINFO lib-name redis-py", "HELLO 3")
    lines(client, "CLIENT SETINFO LIB-VER 7.1", "CLIENT NO-EVICT ON", "CLIENT NO-TOUCH ON")
    lines(client, "WATCH k", "SET k v", "MULTI", "SET k w")
    database.advance(NOW + 5000)
    [line] = lines(Client(database), f"CLIENT LIST ID {client.id}")
    found = described(decode(line))
    assert (found["addr"], found["laddr"]) == ("1.2.3.4:5", "1.2.3.4:6")
    assert (found["name"], found["lib-name"], found["lib-ver"]) == ("bob", "redis-py", "7.1")
    assert (found["age"], found["idle"], found["resp"]) == ("5", "5", "3")
    assert (found["flags"], found["multi"], found["user"]) == ("xdeT", "1", "default")
    assert found["cmd"] == "set"
    lines(client, "EXEC", "GET k")
    [line] = lines(Client(database), f"CLIENT LIST ID {client.id}")
    assert described(decode(line))["cmd"] == "get"
    [line] = lines(client, "CLIENT INFO")
    assert line.startswith(b"=")
    assert described(decode(line)[4:])["flags"] == "eT"
    run(client, b"QUIT\r\n")
    assert described(decode(lines(Client(database), "CLIENT LIST ID 1")[0]))["flags"] == "ceT"


def test_list_contains_all_clients() -> None:
    database = instance()
    clients = [Client(database) for _ in range(3)]
    lines(clients[0], "BLPOP l 0")
    [text] = lines(clients[2], "CLIENT LIST")
    found = [described(line) for line in decode(text).splitlines()]
    assert [each["id"] for each in found] == ["1", "2", "3"]
    assert [each["flags"] for each in found] == ["b", "N", "N"]
    [same] = lines(clients[2], "CLIENT LIST TYPE normal")
    assert len(decode(same).splitlines()) == 3


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("CLIENT SETINFO lib-name 'a b'", b"lib-name cannot contain spaces, newlines or special"),
        ("CLIENT SETINFO nothing x", b"Unrecognized option 'nothing'"),
        ("CLIENT SETINFO lib-name", b"wrong number of arguments for 'client|setinfo' command"),
        ("CLIENT NO-TOUCH maybe", b"syntax error"),
    ],
)
def test_refusals_of_7_2(request_: str, reply: bytes) -> None:
    assert lines(Client(instance()), request_)[0].startswith(b"-ERR " + reply)


def test_kill_closes_others_at_once_and_oneself_after_reply() -> None:
    database = instance()
    first = Client(database, b"1.1.1.1:1", b"9.9.9.9:9")
    second = Client(database, b"2.2.2.2:2", b"9.9.9.9:9")
    third = Client(database, b"3.3.3.3:3", b"8.8.8.8:8")
    assert lines(third, "CLIENT KILL 1.1.1.1:1", "CLIENT KILL LADDR 9.9.9.9:9 TYPE normal") == [
        b"+OK\r\n",
        b":2\r\n",
    ]
    assert first.killed
    assert second.killed
    assert first in database.woken
    assert not third.closing
    assert receive(third, b"CLIENT KILL ID 3 SKIPME no\r\nPING\r\n") == b":1\r\n"
    assert third.closing
    assert not third.killed
    assert re.search(b"flags=cA", lines(Client(database), "CLIENT LIST")[0])


def test_calling_client_is_spared_by_default() -> None:
    database = instance()
    client = Client(database, b"1.1.1.1:1")
    assert lines(client, "CLIENT KILL TYPE normal") == [b":0\r\n"]
    assert lines(client, "CLIENT KILL 1.1.1.1:1") == [b"+OK\r\n"]
    assert client.closing


def test_clients_that_wait_for_regions_are_unblocked() -> None:
    database = instance()
    waiting, caller = Client(database), Client(database)
    for reason, reply in ((b"TIMEOUT", b":0\r\n"), (b"ERROR", b"-UNBLOCKED client unblocked")):
        assert receive(waiting, b"CRDB.AWAIT 9=1 60000\r\n") == b""
        assert lines(caller, f"CLIENT UNBLOCK {waiting.id} {reason.decode()}") == [b":1\r\n"]
        assert receive(waiting, b"").startswith(reply)
        assert not waiting.blocked
    assert lines(caller, f"CLIENT UNBLOCK {waiting.id}") == [b":0\r\n"]


def test_pause_holds_all_and_is_lifted_by_another_client() -> None:
    database = instance()
    one, two = Client(database), Client(database)
    assert lines(one, "CLIENT PAUSE 1000") == [b"+OK\r\n"]
    assert receive(two, b"GET k\r\n") == b""
    assert lines(one, "CLIENT UNPAUSE") == [b"+OK\r\n"]
    assert receive(two, b"") == b"$-1\r\n"


def test_client_that_waits_for_end_of_pause_is_blocked() -> None:
    database = instance()
    one, two = Client(database), Client(database)
    lines(one, "CLIENT PAUSE 1000 WRITE")
    run(two, b"SET k v\r\n")
    waiting = described(decode(receive(one, b"CLIENT LIST ID %d\r\n" % two.id)))
    assert (waiting["flags"], waiting["cmd"], waiting["qbuf"]) == ("b", "set", "27")


def test_ids_count_up_and_are_not_used_again() -> None:
    database = instance()
    first = Client(database)
    assert lines(first, "CLIENT ID") == [b":1\r\n"]
    first.leave()
    assert lines(Client(database), "CLIENT ID", "CLIENT ID") == [b":2\r\n"] * 2


def test_many_clients_are_listed_in_slices() -> None:
    database = instance()
    clients = [Client(database) for _ in range(5)]
    run(clients[0], b"CLIENT LIST\r\n")
    whole = b"".join(clients[0].out)
    clients[0].drop_replies()
    database.slices.items = 1
    run(clients[0], b"CLIENT LIST\r\n")
    assert clients[0].flags & WORKING
    clients[3].leave()
    text = receive(clients[0], b"")
    assert text.count(b"\n") == whole.count(b"\n")
    assert re.findall(b"id=[0-9]+", text) == re.findall(b"id=[0-9]+", whole)
