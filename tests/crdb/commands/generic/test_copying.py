"""Large values are copied, sorted and listed in slices, with the same result."""

from __future__ import annotations

import pytest

from crdb.commands.generic.copying import size_of
from crdb.engine.client import Client
from crdt.types.string import String
from tests.crdb.raw import instance, lines

FILLED = {
    "set": ("SADD v a b c d e", "SMEMBERS to"),
    "hash": ("HSET v a 1 b 2 c 3 d 4", "HGETALL to"),
    "zset": ("ZADD v 1 a 2 b 3 c 4 d", "ZRANGE to 0 -1 WITHSCORES"),
    "list": ("RPUSH v a b c d a", "LRANGE to 0 -1"),
    "string": ("SET v text", "GET to"),
}


def results(items: int, *requests: str) -> list[bytes]:
    """Run requests with slices of `items`. Return the replies, and the digest."""
    database = instance()
    database.slices.items = items
    client = Client(database)
    replies = [*lines(client, *requests), *lines(client, "CRDB.DIGEST")]
    assert replies[-1] == b"$32\r\n%b\r\n" % database.replica.digest().hex().encode()
    assert database.slices.is_idle()
    return replies


@pytest.mark.parametrize("kind", FILLED)
@pytest.mark.parametrize(
    "request_line", ["COPY v to", "COPY v to REPLACE", "RENAME v to", "RENAMENX v to"]
)
def test_copy_is_the_same_in_slices(kind: str, request_line: str) -> None:
    fill, read = FILLED[kind]
    requests = [fill, "PEXPIREAT v 1800000000000", request_line, read, "PTTL to", "EXISTS v"]
    whole = results(1000, *requests)
    assert results(1, *requests) == results(2, *requests) == whole
    assert whole[2] in (b"+OK\r\n", b":1\r\n")


@pytest.mark.parametrize(
    "request_line",
    [
        "SORT v",
        "SORT v DESC LIMIT 1 3",
        "SORT v BY w_* GET # GET w_*",
        "SORT v BY none DESC",
        "SORT v ALPHA STORE to",
        "SORT v BY none STORE to",
        "SORT missing STORE v",
        "SORT_RO v DESC",
    ],
)
@pytest.mark.parametrize(
    "fill", ["SADD v 3 1 10 2 7", "RPUSH v 3 1 10 2 7 1", "ZADD v 1 7 2 3 3 1"]
)
def test_sort_is_the_same_in_slices(fill: str, request_line: str) -> None:
    requests = [fill, "MSET w_1 9 w_3 1 w_7 4", request_line, "LRANGE to 0 -1", "TYPE v"]
    assert results(1, *requests) == results(2, *requests) == results(1000, *requests)


def test_sort_of_what_is_not_a_number_is_refused_in_slices() -> None:
    requests = ["RPUSH v 1 2 x", "SORT v", "SORT v STORE to", "EXISTS to"]
    replies = results(1, *requests)
    assert replies == results(1000, *requests)
    assert replies[1].startswith(b"-ERR One or more scores")


def test_string_is_copied_at_once() -> None:
    assert size_of(instance().keyspace, String()) == 0
