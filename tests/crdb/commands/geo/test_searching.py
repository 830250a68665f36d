"""Searches in slices and in large sorted sets, and conflicts between regions."""

from __future__ import annotations

from random import Random

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdt.structures import rank_order
from tests.crdb.raw import instance
from tests.crdb.regions import Regions

AROUND = "FROMLONLAT 10 10 BYRADIUS 300 km"


def filled(count: int, seed: int = 1) -> Client:
    """Return a client of an instance with members within 5 degrees of (10, 10)."""
    client, rng = Client(instance()), Random(seed)
    words = " ".join(
        f"{rng.uniform(5, 15):.6f} {rng.uniform(5, 15):.6f} m{number}" for number in range(count)
    )
    receive(client, f"GEOADD g {words}\r\n".encode())
    return client


def ask(client: Client, request: str, items: int) -> bytes:
    """Return the reply to a request in slices of `items`."""
    client.instance.slices.items = items
    return receive(client, request.encode() + b"\r\n")


@pytest.mark.parametrize(
    "options",
    [
        "",
        "ASC",
        "DESC WITHDIST",
        "COUNT 7",
        "COUNT 7 ANY WITHCOORD WITHHASH",
        "COUNT 1000 DESC",
    ],
)
def test_search_in_slices_replies_the_same(options: str) -> None:
    client = filled(80)
    whole = ask(client, f"GEOSEARCH g {AROUND} {options}", 1000)
    assert len(whole) > 50
    assert ask(client, f"GEOSEARCH g {AROUND} {options}", 3) == whole


def test_stored_result_in_slices_is_the_same() -> None:
    client = filled(80)
    for items, name in ((1000, "one"), (3, "other")):
        stored = ask(client, f"GEOSEARCHSTORE {name} g {AROUND} STOREDIST", items)
        assert stored == ask(client, f"ZCARD {name}", 1000) != b":0\r\n"
    both = [ask(client, f"ZRANGE {name} 0 -1 WITHSCORES", 1000) for name in ("one", "other")]
    assert both[0] == both[1]


def test_search_visits_only_members_in_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    client = filled(2000)
    visited: list[int] = []
    pairs = rank_order.RankOrder.pairs

    def count(
        self: rank_order.RankOrder, start: int, stop: int, is_reversed: bool = False
    ) -> list[rank_order.Ranked]:
        visited.append(stop - start)
        return pairs(self, start, stop, is_reversed)

    monkeypatch.setattr(rank_order.RankOrder, "pairs", count)
    ask(client, "GEOSEARCH g FROMLONLAT 10 10 BYRADIUS 20 km", 10_000)
    assert sum(visited) < 100


@pytest.mark.rule("ZST-10")
def test_stored_result_is_removal_and_assignments() -> None:
    regions = Regions(3)
    regions.run(1, "GEOADD", "g", "1", "1", "near", "80", "80", "far")
    regions.run(1, "ZADD", "into", "9", "old")
    regions.sync()
    stored = ["GEOSEARCHSTORE", "into", "g", "FROMLONLAT", "1", "1", "BYRADIUS", "9", "km"]
    assert regions.run(1, *stored) == 1
    regions.run(2, "ZADD", "into", "7", "new")
    regions.run(3, "GEOADD", "g", "1", "1", "later")
    regions.sync()
    assert sorted(regions.everywhere("ZRANGE", "into", "0", "-1")) == [b"near", b"new"]


def test_search_of_missing_key_deletes_destination() -> None:
    regions = Regions()
    regions.run(1, "SET", "into", "x")
    assert regions.run(1, "GEORADIUS", "g", "1", "1", "1", "m", "STORE", "into") == 0
    assert regions.run(1, "EXISTS", "into") == 0


def test_stale_order_is_brought_up_to_date() -> None:
    client = filled(10)
    before = ask(client, f"GEOSEARCH g {AROUND}", 100)
    receive(client, b"GEOADD g 10 10 centre\r\n")
    assert b"centre" in ask(client, f"GEOSEARCH g {AROUND}", 100)
    receive(client, b"ZREM g centre\r\n")
    assert ask(client, f"GEOSEARCH g {AROUND}", 100) == before
