"""GEOADD and the reads of positions, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from tests.crdb.raw import instance
from tests.crdb.regions import Regions


@pytest.mark.rule("ZST-11")
def test_later_position_holds_as_a_whole() -> None:
    regions = Regions()
    regions.run(1, "GEOADD", "g", "10", "10", "m")
    regions.run(2, "GEOADD", "g", "20", "20", "m")
    regions.sync()
    texts = regions.everywhere("GEOHASH", "g", "m")
    alone = Regions()
    for longitude in ("10", "20"):
        alone.run(1, "GEOADD", "g", longitude, longitude, longitude)
    assert texts[0] in alone.run(1, "GEOHASH", "g", "10", "20")


@pytest.mark.rule("ZST-11")
def test_position_survives_concurrent_removal() -> None:
    regions = Regions()
    regions.run(1, "GEOADD", "g", "1", "1", "m")
    regions.sync()
    regions.run(1, "ZREM", "g", "m")
    regions.run(2, "GEOADD", "g", "1", "1", "m")
    regions.sync()
    assert regions.everywhere("ZCARD", "g") == 1


@pytest.mark.parametrize("items", [2, 100])
def test_nothing_is_added_if_one_position_is_not_valid(items: int) -> None:
    client = Client(instance())
    client.instance.slices.items = items
    replies = receive(client, b"GEOADD g 1 1 a 2 2 b 3 3 c 4 86 d\r\nEXISTS g\r\n")
    refused = b"-ERR invalid longitude,latitude pair 4.000000,86.000000\r\n"
    assert replies == refused + b":0\r\n"


def test_many_positions_are_added_in_slices() -> None:
    client = Client(instance())
    client.instance.slices.items = 3
    words = " ".join(f"{number} 1 m{number}" for number in range(10))
    run(client, f"GEOADD g CH {words}\r\n".encode())
    assert client.flags & WORKING
    client.instance.slices.finish_all()
    assert receive(client, b"ZCARD g\r\n") == b":10\r\n:10\r\n"


def test_distances_and_positions_depend_on_protocol() -> None:
    client = Client(instance())
    receive(client, b"GEOADD g 0.5 -0.25 m\r\n")
    assert receive(client, b"GEOPOS g m\r\n").startswith(b"*1\r\n*2\r\n$")
    client.protocol = 3
    assert receive(client, b"GEOPOS g m\r\n").startswith(b"*1\r\n*2\r\n,0.4999")
    assert receive(client, b"GEODIST g m m\r\n") == b"$6\r\n0.0000\r\n"
