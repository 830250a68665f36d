"""Removals of many elements: slices give what one step gives."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from tests.crdb.raw import instance, lines

ALL = "LTRIM l 9 9"
REMOVALS = (
    "LPOP l 5",
    "RPOP l 5",
    "LPOP l 7",
    "RPOP l 100",
    "LMPOP 1 l RIGHT COUNT 3",
    "LTRIM l 2 3",
    "LTRIM l 5 -1",
    "LTRIM l 0 1",
    ALL,
    "LREM l 0 a",
    "LREM l -2 a",
)


@pytest.mark.parametrize("request_line", REMOVALS)
def test_removal_in_slices_is_the_same(request_line: str) -> None:
    found: list[tuple[bytes, list[bytes]]] = []
    for items in (1000, 1):
        client = Client(instance())
        lines(client, "RPUSH l a b a c a d a")
        client.instance.slices.items = items
        run(client, request_line.encode() + b"\r\n")
        assert bool(client.flags & WORKING) is (items == 1 and request_line != ALL)
        found.append((receive(client, b""), lines(client, "LRANGE l 0 -1")))
    assert found[0] == found[1]


def test_removal_of_all_elements_is_one_effect() -> None:
    client = Client(instance())
    lines(client, "RPUSH l a b c d")
    client.instance.slices.items = 1
    before = client.db.seq
    lines(client, "RPOP l 4")
    assert client.db.seq == before + 1
