"""A client of an instance."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.crdb.raw import instance, lines


def test_it_is_known_until_it_leaves() -> None:
    database = instance()
    first, second = Client(database), Client(database)
    assert first.id < second.id
    assert list(database.clients) == [first.id, second.id]
    first.leave()
    assert list(database.clients) == [second.id]
    assert Client(database).id > second.id


def test_inside_exec_nothing_blocks() -> None:
    database = instance()
    client = Client(database)
    assert client.can_block
    assert lines(client, "MULTI", "BLPOP l 0", "EXEC")[-1] == b"*1\r\n*-1\r\n"
    assert lines(client, "HELLO 3", "MULTI", "BLPOP l 0", "EXEC")[-1] == b"*1\r\n_\r\n"
    assert not client.blocked
    assert client.can_block


def test_client_needs_password() -> None:
    client = Client(instance(requirepass="secret"))
    assert receive(client, b"PING\r\n") == b"-NOAUTH Authentication required.\r\n"
    assert receive(client, b"AUTH secret\r\nPING\r\n") == b"+OK\r\n+PONG\r\n"


def test_limits_of_instance_are_its_own() -> None:
    database = instance(proto_max_bulk_len="1mb")
    client = Client(database)
    assert client.parser.bulk_bytes_max == 1 << 20
    lines(Client(database), "CONFIG SET proto-max-bulk-len 2mb")
    assert client.parser.bulk_bytes_max == 2 << 20
