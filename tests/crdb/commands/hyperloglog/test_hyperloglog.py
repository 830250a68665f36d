"""Commands on HyperLogLogs: conflicts between regions, slices, and other commands on strings."""

from __future__ import annotations

from random import Random

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from tests.crdb.raw import instance, lines
from tests.crdb.regions import Regions


@pytest.mark.rule("HLL-2")
def test_merge_adds_to_destination() -> None:
    regions = Regions()
    regions.run(1, "PFADD", "a", "1", "2")
    regions.run(2, "PFADD", "b", "3")
    regions.sync()
    regions.run(1, "PFMERGE", "a", "b")
    regions.run(2, "PFADD", "a", "4")
    regions.sync()
    assert regions.everywhere("PFCOUNT", "a") == 4


@pytest.mark.rule("HLL-3")
@pytest.mark.parametrize("write", [["PFADD", "h", "2"], ["PFMERGE", "h", "o"], ["EXPIRE", "h", 99]])
def test_delete_wins_over_every_concurrent_write(write: list[str]) -> None:
    regions = Regions(3)
    regions.run(1, "PFADD", "h", "1")
    regions.run(1, "PFADD", "o", "2")
    regions.sync()
    regions.run(1, "DEL", "h")
    regions.run(2, *write)
    regions.sync()
    assert regions.everywhere("EXISTS", "h") == 0


@pytest.mark.rule("HLL-8")
def test_expiry_counts_as_delete() -> None:
    regions = Regions()
    regions.run(1, "PFADD", "h", "1")
    regions.run(1, "PEXPIRE", "h", "100")
    regions.sync()
    regions.run(2, "PFADD", "h", "2")
    regions.now += 200
    assert regions.run(1, "PFADD", "h", "3") == 1
    regions.sync()
    assert regions.everywhere("PFCOUNT", "h") == 1


@pytest.mark.rule("HLL-5")
@pytest.mark.parametrize(
    "request_line",
    ["GETEX h", "GETDEL h", "GETSET h x", "APPEND h x", "STRLEN h", "INCR h", "SETRANGE h 0 x"],
)
def test_other_commands_on_strings_refuse_it(request_line: str) -> None:
    client = Client(instance())
    [_, reply] = lines(client, "PFADD h a", request_line)
    assert reply.startswith(b"-WRONGTYPE ")


@pytest.mark.rule("HLL-7")
def test_it_is_called_a_string() -> None:
    client = Client(instance())
    replies = lines(client, "PFADD h a", "TYPE h", "OBJECT ENCODING h", "COPY h c", "PFCOUNT c")
    assert replies[1:] == [b"+string\r\n", b"$3\r\nraw\r\n", b":1\r\n", b":1\r\n"]


@pytest.mark.rule("D-21")
def test_string_and_hyperloglog_are_two_types() -> None:
    regions = Regions()
    regions.run(1, "SET", "k", "text")
    regions.run(2, "PFADD", "k", "a")
    regions.sync()
    assert regions.everywhere("GET", "k") == b"text"
    regions.run(1, "DEL", "k")
    regions.sync()
    assert regions.everywhere("EXISTS", "k") == 0


def test_many_elements_are_added_in_slices() -> None:
    rng = Random(1)
    client, whole = Client(instance()), Client(instance())
    client.instance.slices.items = 5
    words = " ".join(str(rng.random()) for _ in range(50))
    run(client, f"PFADD h {words}\r\n".encode())
    assert client.flags & WORKING
    client.instance.slices.finish_all()
    assert receive(client, b"") == b":1\r\n"
    receive(whole, f"PFADD h {words}\r\n".encode())
    assert receive(client, b"GET h\r\n") == receive(whole, b"GET h\r\n")


def test_several_keys_are_united_in_slices() -> None:
    client = Client(instance())
    names = " ".join(f"h{number}" for number in range(6))
    for number in range(6):
        receive(client, f"PFADD h{number} {number} common\r\n".encode())
    client.instance.slices.items = 128
    run(client, f"PFCOUNT {names} missing\r\n".encode())
    assert client.flags & WORKING
    client.instance.slices.finish_all()
    assert receive(client, b"") == b":7\r\n"
    assert receive(client, f"PFMERGE into {names}\r\nPFCOUNT into\r\n".encode()) == b"+OK\r\n:7\r\n"


def test_encoding_depends_on_limit() -> None:
    client = Client(instance(hll_sparse_max_bytes="20"))
    elements = " ".join(map(str, range(20)))
    [_, dense, refused, zero] = lines(
        client,
        f"PFADD h {elements}",
        "PFDEBUG ENCODING h",
        "PFDEBUG DECODE h",
        "PFDEBUG TODENSE h",
    )
    assert dense == b"+dense\r\n"
    assert refused == b"-ERR HLL encoding is not sparse\r\n"
    assert zero == b":0\r\n"
    [_, refused] = lines(client, "PFADD few a", "PFDEBUG TODENSE few")
    assert refused.startswith(b"-ERR the encoding follows from the registers")


def test_watched_key_changes_only_with_a_register() -> None:
    client = Client(instance())
    other = Client(client.instance)
    lines(client, "PFADD h a", "WATCH h")
    lines(other, "PFADD h a")
    assert lines(client, "MULTI", "EXEC")[1] == b"*0\r\n"
    lines(client, "WATCH h")
    lines(other, "PFADD h b")
    assert lines(client, "MULTI", "EXEC")[1] == b"*-1\r\n"
