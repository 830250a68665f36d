"""INFO, CONFIG and TIME as commands. Other files test the contents of their replies."""

from __future__ import annotations

from crdb.engine.client import Client
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.redis_peer import decode


def test_time_is_that_of_batch() -> None:
    database = instance()
    database.advance(NOW + 123)
    [reply] = lines(Client(database), "TIME")
    assert decode(reply) == [b"1700000000", b"123000"]


def test_info_is_text_in_both_protocols() -> None:
    client = Client(instance())
    assert lines(client, "INFO keyspace")[0] == b"$12\r\n# Keyspace\r\n\r\n"
    lines(client, "HELLO 3")
    assert lines(client, "INFO keyspace")[0] == b"=16\r\ntxt:# Keyspace\r\n\r\n"


def test_config_is_map() -> None:
    client = Client(instance())
    assert lines(client, "HELLO 3", "CONFIG GET hz")[1] == b"%1\r\n$2\r\nhz\r\n$2\r\n10\r\n"


def test_counters_start_again() -> None:
    database = instance()
    client = Client(database)
    lines(client, "FOO", "GET k")
    assert lines(client, "CONFIG RESETSTAT") == [b"+OK\r\n"]
    [text] = lines(client, "INFO commandstats errorstats stats")
    assert b"cmdstat_get" not in text
    assert b"errorstat" not in text
    assert b"total_commands_processed:1\r\n" in text
